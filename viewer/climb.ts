/** The preferred input of one unit while it forms: starts, pauses, starts over, and takes new settings as it runs. */
import {
  Maximizer,
  parseUnit,
  UnitscopeError,
  type AscentSettings,
  type Engine,
  type Image,
  type ImageProgress,
  type Network,
  type Preprocess,
} from '../src/index.ts';

export interface ClimbState {
  readonly phase: 'preparing' | 'running' | 'paused' | 'finished';
  /** Iterations seen so far. */
  readonly step: number;
  /** The latest iteration; absent before the first. */
  readonly latest?: ImageProgress;
  /** Scores over the whole climb, thinned so that they stay few. */
  readonly scores: readonly number[];
}

export interface ClimbTarget {
  readonly engine: Engine;
  readonly network: Network;
  readonly preprocess: Preprocess;
  readonly layer: string;
  readonly channel: number;
  readonly seed: number;
}

const MOST_SCORES = 400;

export class Climb {
  state: ClimbState = { phase: 'preparing', step: 0, scores: [] };
  maximizer: Maximizer | undefined;
  private target: ClimbTarget | undefined;
  private reached: ClimbTarget | undefined;
  private settling: Promise<void> | undefined;
  private loop: Promise<void> = Promise.resolve();
  private stopper = new AbortController();
  /** Whether the person wants it to run; it may have to wait. */
  private wanted = true;
  private goal = 0;
  private stride = 1;

  constructor(
    private settings: AscentSettings,
    private readonly changed: (state: ClimbState) => void,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** Starts over with a target. Targets that come faster than they can be reached are passed over. */
  aim(target: ClimbTarget | undefined): Promise<void> {
    this.target = target;
    this.state = { phase: 'preparing', step: 0, scores: [] };
    this.changed(this.state);
    this.settling ??= this.settle().finally(() => {
      this.settling = undefined;
      if (this.maximizer) this.tell({ ...this.state, phase: 'paused' });
      if (this.wanted) this.play();
    });
    return this.settling;
  }

  /** The same target once more, from its start image. */
  async reset(): Promise<void> {
    if (this.target) await this.aim({ ...this.target });
  }

  /** Changes the settings, also while it runs. A climb that had come to its end goes on with them. */
  set(settings: AscentSettings): void {
    this.settings = settings;
    if (this.state.phase === 'finished') this.play();
    else this.apply();
  }

  play(): void {
    this.wanted = true;
    if (!this.maximizer || this.settling || this.state.phase === 'running') return;
    if (this.state.step + 1 >= this.goal) this.goal = this.state.step + this.settings.iterations;
    this.apply();
    this.loop = this.run(this.maximizer);
  }

  async pause(): Promise<void> {
    this.wanted = false;
    this.stopper.abort();
    await this.loop;
  }

  /** The image as it is now. */
  async picture(): Promise<Image | undefined> {
    return (await this.maximizer?.pictures('last'))?.[0];
  }

  private async settle(): Promise<void> {
    while (this.target !== this.reached) {
      const target = this.target;
      try {
        this.stopper.abort();
        await this.loop;
        await this.move(target);
      } catch (error) {
        this.release();
        if (target === this.target) this.failed(error);
      }
      this.reached = target;
    }
  }

  private async move(target: ClimbTarget | undefined): Promise<void> {
    const { reached } = this;
    const same = (['engine', 'network', 'preprocess', 'layer'] as const).every((key) => target?.[key] === reached?.[key]);
    if (!target || !same) this.release();
    if (!target) return;
    const { engine, network, preprocess, layer, channel, seed } = target;
    const units = [parseUnit(network, `${layer}:${channel}`)];
    if (!this.maximizer) {
      this.maximizer = await Maximizer.create(engine, network, { units, seeds: [seed], settings: this.settings, preprocess });
    } else this.maximizer.reset({ units, seeds: [seed] });
    this.goal = this.settings.iterations;
    this.stride = 1;
    this.apply();
  }

  private async run(maximizer: Maximizer): Promise<void> {
    const stopper = (this.stopper = new AbortController());
    this.tell({ ...this.state, phase: 'running' });
    try {
      for await (const { step, images } of maximizer.run({ signal: stopper.signal })) {
        this.record(step, images[0]!);
        // One iteration a frame where the GPU could do more: a person wants to see it form.
        if (!stopper.signal.aborted) await nextFrame(stopper.signal);
      }
      this.tell({ ...this.state, phase: stopper.signal.aborted ? 'paused' : 'finished' });
    } catch (error) {
      this.tell({ ...this.state, phase: 'paused' });
      // After a lost device it shall go on by itself, on the next one.
      if (!(error instanceof UnitscopeError && error.code === 'device-lost')) this.wanted = false;
      this.failed(error);
    }
  }

  private record(step: number, latest: ImageProgress): void {
    let { scores } = this.state;
    if (step % this.stride === 0) scores = [...scores, latest.score];
    if (scores.length > MOST_SCORES) {
      scores = scores.filter((_, i) => i % 2 === 0);
      this.stride *= 2;
    }
    this.tell({ phase: this.state.phase, step: step + 1, latest, scores });
  }

  private apply(): void {
    try {
      this.maximizer?.set({ ...this.settings, iterations: Math.max(this.goal, 1) });
    } catch (error) {
      if (!(error instanceof UnitscopeError && error.code === 'device-lost')) this.failed(error);
    }
  }

  private release(): void {
    this.maximizer?.dispose();
    this.maximizer = undefined;
    this.changed(this.state); // what it has drawn is no more
  }

  private tell(state: ClimbState): void {
    if (this.settling) return; // the climb before is still coming to its end: its numbers are of no use any more
    this.state = state;
    this.changed(state);
  }
}

/** The next animation frame, or the moment when somebody stops waiting. Rests while the tab is hidden. */
function nextFrame(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = requestAnimationFrame(() => resolve());
    signal.addEventListener('abort', () => {
      cancelAnimationFrame(timer);
      resolve();
    }, { once: true });
  });
}
