/**
 * Activation maximization: images that climb their unit's activation, under the regularizers of Yosinski et al. 2015.
 * N images are one batch: N units, N seeds or N settings side by side. The loop stays on the GPU; a row of progress
 * numbers per iteration travels back late, the images when they are asked for.
 */
import { CLIPS, PROGRESS, PROGRESS_ROWS, STATE, STOP } from '../../shaders/ascent.wgsl.ts';
import { UnitscopeError } from '../errors.ts';
import type { Engine } from '../gpu/engine.ts';
import { contrastStretch, deprocess } from '../image/deprocess.ts';
import type { Image } from '../image/image.ts';
import { findNode } from '../network/lookup.ts';
import type { Network, Preprocess, Tensor } from '../network/network.ts';
import { stage } from '../scheduler/compile.ts';
import { recordBackward } from '../scheduler/passes.ts';
import {
  ascentTensors,
  clipPass,
  recordObserve,
  recordPresent,
  recordRegularize,
  type PixelUnits,
} from '../scheduler/regularize.ts';
import { Runner } from '../scheduler/runner.ts';
import { oneHot, unitsOf } from './gradient.ts';
import type { Method } from './method.ts';
import { ascentSettings, blurs, settingWords, type AscentSettings } from './settings.ts';
import { runSlices } from './slices.ts';
import { startImage, type Start } from './start_image.ts';
import { unitIndex, type Unit } from './unit.ts';

export const MAXIMIZE_METHOD: Method = {
  name: 'maximize',
  summary: 'make the pictures that units prefer',
  source: 'Yosinski et al. 2015, section 3; Erhan et al. 2009',
  takes: 'network',
};

export interface MaximizeOptions {
  /** One unit per image, or one for all; all of one layer. */
  readonly units: readonly (string | Unit)[];
  /** One per image, or one for all. */
  readonly settings?: AscentSettings | readonly AscentSettings[];
  /** Seeds of the start images, one per image (0 by default). Their number is the batch where there is one unit. */
  readonly seeds?: readonly number[];
  readonly start?: Start;
  /** Overrides the network's own. */
  readonly preprocess?: Preprocess;
}

export type Snapshot = 'last' | 'best' | 'majority';

/** `stretched`: what an image adds to the mean colour, at its largest contrast (`contrastStretch`). */
export const CONTRASTS = ['pixels', 'stretched'] as const;
export type Contrast = (typeof CONTRASTS)[number];

/** One image in one iteration. Norms are in pixel units (0..255). */
export interface ImageProgress {
  readonly score: number;
  /** The largest activation of the layer, and its flat index. */
  readonly top: number;
  readonly argmax: number;
  /** True while the unit is the layer's argmax. */
  readonly isArgmax: boolean;
  /** |xx|, |xx - x0|, standard deviation of xx. */
  readonly norm: number;
  readonly distance: number;
  readonly std: number;
  /** |gradient| and the step size taken with it; 0 where the image no longer moves. */
  readonly gradient: number;
  readonly rate: number;
  readonly status: keyof typeof STOP;
}

export interface MaximizeProgress {
  readonly step: number;
  readonly images: readonly ImageProgress[];
}

/** Pixel units of a network's input. */
export function pixelUnits({ mean, std, range }: Preprocess): PixelUnits {
  return { mean: mean.map((m) => (m * 255) / range), scale: std.map((s) => range / (255 * s)) };
}

export class Maximizer {
  private iteration = 0;
  private running = false;

  private constructor(
    readonly runner: Runner,
    readonly network: Network,
    readonly preprocess: Preprocess,
    private readonly units: Unit[],
    private readonly settings: AscentSettings[],
    private readonly start: Start,
    private readonly seeds: number[],
  ) {}

  /** @throws usage, unknown-layer, no-gradient, model-*, limit, out-of-memory */
  static async create(engine: Engine, network: Network, options: MaximizeOptions): Promise<Maximizer> {
    const preprocess = options.preprocess ?? network.preprocess;
    if (!preprocess) {
      throw new UnitscopeError('usage', `'${network.name}' does not say how its input is preprocessed`, {}, 'give mean, scale, channel order and range');
    }
    const { settings = ascentSettings(), seeds = [0] } = options;
    const several = Array.isArray(settings) ? (settings as readonly AscentSettings[]) : [settings as AscentSettings];
    const batch = Math.max(options.units.length, seeds.length, several.length);
    const spread = <T>(values: readonly T[], name: string): T[] => {
      if (values.length !== 1 && values.length !== batch) throw new UnitscopeError('usage', `${values.length} ${name} for ${batch} images`);
      return Array.from({ length: batch }, (_, n) => values[n % values.length]!);
    };
    const units = unitsOf(network, options.units, batch);
    const perImage = { settings: spread(several, 'settings'), seeds: spread(seeds, 'seeds') };
    const { layer } = units[0]!;
    const s = stage(network, { batch, layers: [layer], capabilities: engine.capabilities, training: true });
    const [name, x] = [...s.inputs][0]!;
    if (s.inputs.size !== 1 || x.shape.length !== 4 || x.shape[1] !== preprocess.mean.length) {
      throw new UnitscopeError('usage', `maximization needs one input [N, ${preprocess.mean.length}, H, W], '${name}' is [${x.shape}]`);
    }
    const y = s.layer(layer);
    const pixels = pixelUnits(preprocess);
    const { builder } = s;
    const tensors = ascentTensors(builder, x);
    const seed = builder.persistent('seed', y.shape);
    const dx = builder.persistent('gradient', x.shape);
    recordPresent(builder, tensors, x, pixels);
    recordObserve(builder, tensors, y);
    recordBackward(builder, s.recorded, findNode(network, layer).output, seed, new Map([[name, dx]]), 'gradient');
    recordRegularize(builder, tensors, dx, pixels);
    const runner = await Runner.create(engine, builder.build());
    const maximizer = new Maximizer(runner, network, preprocess, units, perImage.settings, options.start ?? 'mean_plus_rand', perImage.seeds);
    try {
      maximizer.reset();
    } catch (error) {
      runner.dispose();
      throw error;
    }
    return maximizer;
  }

  get batch(): number {
    return this.units.length;
  }

  /** Iterations done so far. */
  get step(): number {
    return this.iteration;
  }

  /** Starts over: the start images, and other units of the same layer or other seeds if given. */
  reset(changes: { readonly units?: readonly (string | Unit)[]; readonly seeds?: readonly number[] } = {}): void {
    if (this.running) throw new UnitscopeError('usage', 'stop the run before it is reset');
    if (changes.units) {
      const units = unitsOf(this.network, changes.units, this.batch);
      if (units[0]!.layer !== this.units[0]!.layer) throw new UnitscopeError('usage', 'another layer needs another maximizer');
      this.units.splice(0, this.batch, ...units);
    }
    if (changes.seeds) this.seeds.splice(0, this.batch, ...Array.from({ length: this.batch }, (_, n) => changes.seeds![n % changes.seeds!.length]!));
    const { shape } = this.runner.tensor('image');
    const image = shape[1]! * shape[2]! * shape[3]!;
    const { mean } = pixelUnits(this.preprocess);
    const images = new Float32Array(this.batch * image);
    this.seeds.forEach((seed, n) => images.set(startImage(this.start, seed, mean, image / mean.length), n * image));
    for (const name of ['image', 'start', 'best', 'majority']) this.runner.write(name, images);
    const target = this.runner.tensor('seed').shape;
    this.runner.write('seed', oneHot(this.units, target));
    this.runner.write('unit', Uint32Array.from(this.units, (unit) => unitIndex(unit, target)));
    this.runner.write('state', new Uint32Array(this.batch * STATE.words));
    this.settings.forEach((settings, n) => this.set(settings, n));
    this.iteration = 0;
  }

  /** Changes the settings of one image or of all, also while it runs: from the next submission on. */
  set(settings: AscentSettings, image?: number): void {
    const { shape } = this.runner.tensor('image');
    const { words, taps } = settingWords(settings, { channels: shape[1]!, plane: shape[2]! * shape[3]! });
    for (let n = 0; n < this.batch; n++) {
      if (image !== undefined && image !== n) continue;
      this.settings[n] = settings;
      this.runner.write('settings', words, n * words.length);
      this.runner.write('taps', taps, n * taps.length);
    }
  }

  /** The passes of iteration `step`: those that some image wants. */
  private passes(step: number): string[] {
    const moving = this.settings.filter(({ iterations }) => step + 1 < iterations);
    if (moving.length === 0) return ['present', 'forward', 'observe'];
    const clips = CLIPS.filter((kind) => moving.some((settings) => settings[kind] > 0)).map(clipPass);
    const ascend = moving.some((settings) => blurs(settings, step)) ? 'ascend.blur' : 'ascend';
    return ['present', 'forward', 'observe', 'backward', 'rate', ascend, ...clips];
  }

  /**
   * Iterates until every image is through, one record per iteration; `signal` pauses it, another `run` goes on.
   * @throws device-lost, gpu
   */
  async *run({ signal }: { readonly signal?: AbortSignal } = {}): AsyncGenerator<MaximizeProgress, void, void> {
    if (this.running) throw new UnitscopeError('usage', 'this maximizer is already running');
    this.running = true;
    try {
      const width = this.batch * PROGRESS.words;
      const slices = runSlices({
        runner: this.runner,
        source: 'progress',
        rows: PROGRESS_ROWS,
        rowWords: width,
        first: this.iteration,
        last: () => Math.max(...this.settings.map(({ iterations }) => iterations)),
        passes: (step) => this.passes(step),
        submitted: (next) => (this.iteration = next),
        signal,
      });
      for await (const { step, row } of slices) {
        const images = this.units.map((unit, n) => this.progress(row.subarray(n * PROGRESS.words, (n + 1) * PROGRESS.words), unit, step, n));
        yield { step, images };
        if (images.every(({ status }) => status !== 'running')) return;
      }
    } finally {
      this.running = false;
    }
  }

  private progress(words: Float32Array, unit: Unit, step: number, n: number): ImageProgress {
    const moved = step + 1 < this.settings[n]!.iterations;
    const status = (Object.keys(STOP) as (keyof typeof STOP)[]).find((name) => STOP[name] === words[PROGRESS.status])!;
    return {
      score: words[PROGRESS.score]!,
      top: words[PROGRESS.top]!,
      argmax: words[PROGRESS.argmax]!,
      isArgmax: words[PROGRESS.argmax] === unitIndex(unit, this.runner.tensor('seed').shape),
      norm: words[PROGRESS.norm]!,
      distance: words[PROGRESS.distance]!,
      std: words[PROGRESS.std]!,
      gradient: moved ? words[PROGRESS.gradient]! : 0,
      rate: moved ? words[PROGRESS.rate]! : 0,
      status,
    };
  }

  /** The images [N, C, H, W] in pixel units, mean subtracted. `majority`: the first iteration as argmax. */
  read(snapshot: Snapshot = 'last'): Promise<Tensor> {
    return this.runner.read(snapshot === 'last' ? 'image' : snapshot);
  }

  /** The images as pictures. */
  async pictures(snapshot: Snapshot = 'best', contrast: Contrast = 'pixels'): Promise<Image[]> {
    const tensor = await this.read(snapshot);
    const { mean } = pixelUnits(this.preprocess);
    const pixels: Preprocess = { ...this.preprocess, range: 255, mean, std: mean.map(() => 1) };
    const draw = contrast === 'stretched' ? contrastStretch : deprocess;
    return this.units.map((_, n) => draw(tensor, pixels, n));
  }

  dispose(): void {
    this.runner.dispose();
  }
}
