/** Which pictures a step learns from where there is a fixed number of them: a function of the seed and the step. */
import { mix, shuffled } from './chance.ts';
import { TRAINING_SEEDS } from './scenes.ts';

/** Goes through `count` items again and again, in another order each time; what does not fill a batch waits for the next time. */
export class Epochs {
  private epoch = -1;
  private order: Uint32Array = new Uint32Array();
  /** Steps of one time. */
  readonly steps: number;

  constructor(
    private readonly count: number,
    private readonly batch: number,
    private readonly seed: number,
  ) {
    this.steps = Math.floor(count / batch);
  }

  /** The items of a step; the first step is 1. */
  items(step: number): Uint32Array {
    const epoch = Math.floor((step - 1) / this.steps);
    if (epoch !== this.epoch) [this.epoch, this.order] = [epoch, shuffled(this.count, mix(this.seed, epoch))];
    const from = ((step - 1) % this.steps) * this.batch;
    return this.order.subarray(from, from + this.batch);
  }
}

/** Seeds of a fixed number of drawn pictures, as many of each class, for batches whose pictures have these labels. */
export class RepeatedScenes {
  private readonly classes: readonly Epochs[];

  /** @param images of all classes; a multiple of the batch, which is one of the number of classes */
  constructor(
    private readonly labels: Uint32Array,
    images: number,
    private readonly seed: number,
  ) {
    const count = new Set(labels).size;
    this.classes = Array.from({ length: count }, (_, label) => new Epochs(images / count, labels.length / count, mix(seed, label)));
  }

  get steps(): number {
    return this.classes[0]!.steps;
  }

  seeds(step: number): Uint32Array {
    const each = this.labels.length / this.classes.length;
    const items = this.classes.map((epochs) => epochs.items(step));
    return Uint32Array.from(this.labels, (label, n) => TRAINING_SEEDS + (mix(this.seed, label, items[label]![n % each]!) & 0x7fffffff));
  }
}
