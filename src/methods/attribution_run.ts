/** The plan behind every attribution: a batch of inputs forward, and from the target back to the input, to a layer's maps, or to both. */
import { binary, binaryGrid } from '../../shaders/binary.wgsl.ts';
import { throwIfAborted, UnitscopeError } from '../errors.ts';
import type { Engine } from '../gpu/engine.ts';
import { findNode } from '../network/lookup.ts';
import type { Network, Shape, Tensor } from '../network/network.ts';
import type { BackwardRules, TensorRef } from '../ops/op.ts';
import type { PlanBuilder } from '../scheduler/builder.ts';
import { stage } from '../scheduler/compile.ts';
import { recordBackward } from '../scheduler/passes.ts';
import { Runner } from '../scheduler/runner.ts';
import { targetAt, targetMask, targetScore, type Target } from './target.ts';

export interface AttributionRunOptions {
  readonly batch: number;
  /** The target's layer, and whether a whole channel of it is the target. */
  readonly layer: string;
  readonly wholeChannel: boolean;
  /** How the gradient goes to the input; without it that gradient is not made. */
  readonly rules?: BackwardRules | undefined;
  /** A layer of maps that keeps its activations and their true gradient. */
  readonly evidence?: string | undefined;
}

/** Where the plan keeps the gradients. */
const TO_INPUT = 'attribution gradient';
const TO_EVIDENCE = 'attribution evidence';
/** Where it is told the target. */
const MASK = 'attribution mask';

export class AttributionRun {
  private target: Target | undefined;

  private constructor(
    private readonly runner: Runner,
    private readonly input: string,
    private readonly options: AttributionRunOptions,
  ) {}

  /** @throws usage, unknown-layer, no-gradient, model-*, limit, out-of-memory */
  static async create(engine: Engine, network: Network, options: AttributionRunOptions): Promise<AttributionRun> {
    const { batch, layer, wholeChannel, rules, evidence } = options;
    const layers = evidence === undefined ? [layer] : [layer, evidence];
    const s = stage(network, { batch, layers, capabilities: engine.capabilities, training: true, winners: evidence !== undefined || rules?.switches === true });
    const [name, x] = [...s.inputs][0]!;
    if (s.inputs.size !== 1 || x.shape.length !== 4) throw new UnitscopeError('usage', `an attribution needs one input [N, C, H, W], '${name}' is [${x.shape}]`);
    const y = s.layer(layer);
    const mask = s.builder.persistent(MASK, y.shape);
    const seed = wholeChannel ? recordSeed(s.builder, layer, y, mask) : mask;
    const from = findNode(network, layer).output;
    if (rules) recordBackward(s.builder, s.recorded, from, seed, new Map([[name, s.builder.persistent(TO_INPUT, x.shape)]]), rules);
    if (evidence !== undefined) {
      const { output } = findNode(network, evidence);
      recordBackward(s.builder, s.recorded, from, seed, new Map([[output, s.builder.persistent(TO_EVIDENCE, s.layer(evidence).shape)]]), 'gradient');
    }
    return new AttributionRun(await Runner.create(engine, s.builder.build()), name, options);
  }

  get batch(): number {
    return this.options.batch;
  }

  /** The shape of the input [N, C, H, W], and of the target's layer. */
  get inputShape(): Shape {
    return this.runner.tensor(this.input).shape;
  }

  get targetShape(): Shape {
    return this.runner.tensor(this.options.layer).shape;
  }

  /** The unit of the target's layer that answers most to x [1, C, H, W]. */
  async top(x: Tensor): Promise<Target> {
    this.runner.write(this.input, x.data);
    this.runner.run(['forward']);
    const { shape } = this.runner.tensor(this.options.layer);
    const { data } = await this.runner.read(this.options.layer);
    const first = data.subarray(0, data.length / shape[0]!);
    return targetAt(this.options.layer, first.reduce((best, value, i) => (value > first[best]! ? i : best), 0), shape);
  }

  /** What the following runs explain: of the layer that the plan was made for. */
  aim(target: Target): void {
    this.target = target;
    this.runner.write(MASK, targetMask(target, this.targetShape));
  }

  /** Runs inputs [C, H, W], at most as many as the batch holds; of those that are missing the last ones are run again. */
  run(inputs: readonly Float32Array[]): void {
    inputs.forEach((x, n) => this.runner.write(this.input, x, n * x.length));
    this.runner.run(['forward', ...(this.options.wholeChannel ? ['seed'] : []), 'backward']);
  }

  /** The target's score of every input that was run. */
  async scores(): Promise<number[]> {
    const { shape, data } = await this.runner.read(this.options.layer);
    return Array.from({ length: this.batch }, (_, n) => targetScore(this.target!, data, shape, n));
  }

  /**
   * Runs any number of inputs [C, H, W], a batch at once, and gives each one's gradient [C, H, W] and score, in order.
   * @throws aborted, between two batches
   */
  async *gradients(inputs: Iterable<Float32Array>, signal?: AbortSignal): AsyncGenerator<{ gradient: Float32Array; score: number }, void, undefined> {
    for (const some of chunks(inputs, this.batch)) {
      throwIfAborted(signal);
      this.run(some);
      const { data } = await this.runner.read(TO_INPUT);
      const scores = await this.scores();
      const size = data.length / this.batch;
      for (const n of some.keys()) yield { gradient: data.subarray(n * size, (n + 1) * size), score: scores[n]! };
    }
  }

  /** The evidence layer's activations and d score / d activation, [N, K, h, w] each. */
  async evidence(): Promise<{ activations: Tensor; gradient: Tensor }> {
    return { activations: await this.runner.read(this.options.evidence!), gradient: await this.runner.read(TO_EVIDENCE) };
  }

  dispose(): void {
    this.runner.dispose();
  }
}

/** Records the seed of a whole channel: its activations, and 0 in all others. */
function recordSeed(builder: PlanBuilder, layer: string, y: TensorRef, mask: TensorRef): TensorRef {
  const seed = builder.tensor('seed', y.shape);
  const p = { name: 'multiply', a: y.shape, b: y.shape, y: y.shape } as const;
  builder.recorder('seed', layer, 'multiply').dispatch({ kernel: 'binary', code: binary(p), tensors: { a: y, b: mask, y: seed }, grid: binaryGrid(p), flops: 0 });
  return seed;
}

function* chunks<T>(items: Iterable<T>, size: number): Generator<T[], void, undefined> {
  let some: T[] = [];
  for (const item of items) {
    some.push(item);
    if (some.length < size) continue;
    yield some;
    some = [];
  }
  if (some.length > 0) yield some;
}
