/**
 * Synthesis: images that climb any objective, made from pixels or from a spectrum, and moved before each look so that they
 * show what survives it. N images are one batch: N objectives or N seeds side by side. The loop stays on the GPU: what
 * changes from step to step was decided beforehand, and the numbers of a step travel back late.
 *   parameters -> image -> transform -> network input -> forward -> objective -> backward -> the same way back, priors, step
 */
import { NOTE, NOTE_ROWS } from '../../shaders/note.wgsl.ts';
import { UnitscopeError } from '../errors.ts';
import type { Engine } from '../gpu/engine.ts';
import type { Image } from '../image/image.ts';
import { checkPreprocess } from '../image/preprocess.ts';
import { findNode } from '../network/lookup.ts';
import type { Network, Preprocess, Tensor } from '../network/network.ts';
import type { TensorRef } from '../ops/op.ts';
import { elements } from '../ops/shape.ts';
import { stage, type Stage } from '../scheduler/compile.ts';
import { recordScores, recordSeeds, type RecordedScores } from '../scheduler/objective.ts';
import { correctionsOf, momentsOf, recordUpdate, type Optimizer } from '../scheduler/optimizer.ts';
import { recordBackward } from '../scheduler/passes.ts';
import { recordPrior } from '../scheduler/prior.ts';
import { Runner } from '../scheduler/runner.ts';
import { recordLengths, recordNetworkInput, recordNetworkInputBackward, recordNote, recordRedirect, recordRow, recordStride, recordTick } from '../scheduler/synthesis.ts';
import { recordTransform, recordTransformBackward } from '../scheduler/transforms.ts';
import type { Method } from './method.ts';
import { assemble, type Assembly, type Objective } from './objectives/objective.ts';
import { parseObjective } from './objectives/text.ts';
import { imageParameterization, type ImageParameterization } from './parameterization.ts';
import { colorPicture, inputMap, pixelsOf } from './picture_input.ts';
import { runSlices } from './slices.ts';
import { pricesOf, synthesisSettings, type SynthesisSettings } from './synthesis_settings.ts';
import { drawTransforms, IDENTITY, LUCID, type DrawTransform, type Size } from './transform_choice.ts';

export const SYNTHESIZE_METHOD: Method = {
  name: 'synthesize',
  summary: 'make pictures that climb any objective: units, channels, layers, directions, sums of them',
  source: 'Olah, Mordvintsev and Schubert 2017, "Feature Visualization"; Mordvintsev et al. 2015, "Inceptionism"',
  takes: 'network',
};

export interface SynthesizeOptions {
  /** One per image, or one for all; text as `parseObjective` takes it. */
  readonly objectives: readonly (string | Objective)[];
  readonly settings?: SynthesisSettings;
  /** Of the start images and of their moves, one per image (0 by default). Their number is the batch where there is one objective. */
  readonly seeds?: readonly number[];
  /** Where pixels start; a spectrum starts from its seed. */
  readonly start?: Image;
  /** Overrides the network's own. */
  readonly preprocess?: Preprocess;
}

/** One image in one step, as it was before it. */
export interface SynthesisImage {
  readonly score: number;
  /** |gradient| at the network's input; negative where it is not finite. */
  readonly gradient: number;
  readonly status: 'running' | 'noGradient' | 'notFinite';
}

export interface SynthesisProgress {
  readonly step: number;
  readonly images: readonly SynthesisImage[];
}

const ADAM: Optimizer = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

/** How far an image is shifted by `jitter`, as in DeepDream. */
const JITTER = { firstJitter: 32, scales: [1], angles: [0], lastJitter: 0 };

export class Synthesizer {
  private iteration = 0;
  private running = false;

  private constructor(
    readonly runner: Runner,
    readonly settings: SynthesisSettings,
    readonly batch: number,
    private readonly preprocess: Preprocess,
  ) {}

  /** @throws usage, unknown-layer, no-gradient, model-*, limit, out-of-memory */
  static async create(engine: Engine, network: Network, options: SynthesizeOptions): Promise<Synthesizer> {
    const { seeds = [0], settings = synthesisSettings(), start } = options;
    const preprocess = options.preprocess ?? network.preprocess;
    if (!preprocess) throw new UnitscopeError('usage', `'${network.name}' does not say how its input is preprocessed`, {}, 'give mean, scale, channel order and range');
    if (start && settings.parameterization !== 'pixels') throw new UnitscopeError('usage', 'only pixels can start at a picture', {}, 'choose the parameterization pixels');
    const read = await Promise.all(options.objectives.map((one) => (typeof one === 'string' ? parseObjective(network, one) : one)));
    const batch = Math.max(read.length, seeds.length);
    const objectives = spread(read, batch, 'objectives');
    const assembly = assemble(network, objectives);
    const s = stage(network, { batch, layers: assembly.layers, capabilities: engine.capabilities, training: true });
    const [entry] = s.inputs;
    if (!entry || s.inputs.size !== 1 || entry[1].shape.length !== 4) throw new UnitscopeError('usage', 'the objective must depend on one input [N, C, H, W]');
    const [name, x] = entry;
    checkPreprocess(preprocess, x.shape[1]);
    const [height, width] = x.shape.slice(2) as [number, number];
    const kind = imageParameterization(settings.parameterization, settings);
    const moves = movesOf(settings, { height, width });
    record(s, { name, x, assembly, settings, preprocess, kind, moves: moves !== undefined });
    const one = kind.shape(1, height, width);
    const own = spread(seeds, batch, 'seeds');
    const runner = await Runner.create(engine, s.builder.build());
    try {
      for (const [tensor, content] of assembly.contents) runner.write(tensor, content);
      own.forEach((seed, n) => runner.write('parameters', start ? pixelsOf(start, height, width, preprocess, settings) : kind.initial(one, seed, settings.deviation), n * elements(one)));
      runner.write('rates', ratesOf(settings));
      if (moves) runner.write('moves', tableOf(moves, own, settings.steps));
    } catch (error) {
      runner.dispose();
      throw error;
    }
    return new Synthesizer(runner, settings, batch, preprocess);
  }

  /** Steps done so far. */
  get step(): number {
    return this.iteration;
  }

  private passes(step: number): string[] {
    const { transforms, redirected } = this.settings;
    return ['image', ...(transforms === 'none' ? [] : ['draw']), 'view', 'forward', 'objective', 'backward', 'note', ...(step < redirected ? ['redirect'] : []), 'step'];
  }

  /** Climbs to the end, one record per step; `signal` pauses it, another `run` goes on. @throws device-lost, gpu */
  async *run({ signal }: { readonly signal?: AbortSignal } = {}): AsyncGenerator<SynthesisProgress, void, void> {
    if (this.running) throw new UnitscopeError('usage', 'this synthesis is already running');
    this.running = true;
    try {
      const slices = runSlices({
        runner: this.runner,
        source: 'progress',
        rows: NOTE_ROWS,
        rowWords: this.batch * NOTE.words,
        first: this.iteration,
        last: () => this.settings.steps,
        passes: (step) => this.passes(step),
        submitted: (next) => (this.iteration = next),
        signal,
      });
      for await (const { step, row } of slices) {
        const images = Array.from({ length: this.batch }, (_, n) => progressOf(row.subarray(n * NOTE.words, (n + 1) * NOTE.words)));
        yield { step, images };
        if (images.every(({ status }) => status === 'notFinite')) return;
      }
    } finally {
      this.running = false;
    }
  }

  /** The images [N, 3, H, W] as they are now, red, green and blue in 0..1. */
  images(): Promise<Tensor> {
    this.runner.run(['image']);
    return this.runner.read('image');
  }

  /** The scores of the images as they are now, not moved. */
  async scores(): Promise<number[]> {
    if (this.settings.transforms !== 'none') this.runner.write('matrix', Float32Array.from({ length: 6 * this.batch }, (_, i) => IDENTITY[i % 6]!));
    this.runner.run(['image', 'view', 'forward', 'objective']);
    return [...(await this.runner.read('score')).data];
  }

  async pictures(): Promise<Image[]> {
    const images = await this.images();
    return Array.from({ length: this.batch }, (_, n) => colorPicture(images, this.preprocess, n));
  }

  dispose(): void {
    this.runner.dispose();
  }
}

function progressOf(words: Float32Array): SynthesisImage {
  const [score, gradient] = [words[NOTE.score]!, words[NOTE.gradient]!];
  const finite = Number.isFinite(score) && gradient >= 0 && gradient < Infinity;
  return { score, gradient, status: !finite ? 'notFinite' : gradient === 0 ? 'noGradient' : 'running' };
}

/** One value for every image. @throws usage */
function spread<T>(values: readonly T[], batch: number, name: string): T[] {
  if (values.length === 0) throw new UnitscopeError('usage', `no ${name} are given`);
  if (values.length !== 1 && values.length !== batch) throw new UnitscopeError('usage', `${values.length} ${name} for ${batch} images`);
  return Array.from({ length: batch }, (_, n) => values[n % values.length]!);
}

function movesOf({ transforms }: SynthesisSettings, size: Size): DrawTransform | undefined {
  return transforms === 'none' ? undefined : drawTransforms(transforms === 'lucid' ? LUCID : JITTER, size);
}

/** Rows [T, 4] of an optimizer's schedule. Adam goes down: its rate is negative. */
function ratesOf({ optimizer, rate, steps }: SynthesisSettings): Float32Array {
  return Float32Array.from({ length: 4 * steps }, (_, i) => {
    const adam = [-rate, ...correctionsOf(ADAM, Math.floor(i / 4) + 1), 0];
    return optimizer === 'adam' ? adam[i % 4]! : i % 4 === 0 ? rate : 0;
  });
}

/** Rows [T, N, 6]: the matrices of every step. */
function tableOf(moves: DrawTransform, seeds: readonly number[], steps: number): Float32Array {
  const table = new Float32Array(steps * seeds.length * 6);
  for (let step = 0; step < steps; step++) seeds.forEach((seed, n) => table.set(moves(seed, step), 6 * (step * seeds.length + n)));
  return table;
}

interface Parts {
  readonly name: string;
  readonly x: TensorRef;
  readonly assembly: Assembly;
  readonly settings: SynthesisSettings;
  readonly preprocess: Preprocess;
  readonly kind: ImageParameterization;
  readonly moves: boolean;
}

/** Records everything around the forward pass. */
function record(s: Stage, { name, x, assembly, settings, preprocess, kind, moves }: Parts): void {
  const { builder, recorded } = s;
  const [batch, , height, width] = x.shape as [number, number, number, number];
  const colors = [batch, 3, height, width];
  const shape = kind.shape(batch, height, width);
  const parameters = builder.persistent('parameters', shape);
  const image = builder.persistent('image', colors);
  const clock = builder.persistent('clock', [1], 'u32');
  const map = inputMap(preprocess);
  const at = (pass: string, op = pass) => builder.recorder(pass, 'image', op);

  kind.record(at('image'), { parameters, image });
  const matrix = moves ? builder.persistent('matrix', [batch, 6]) : undefined;
  if (matrix) recordRow(at('draw'), { table: builder.persistent('moves', [settings.steps, batch, 6]), clock, row: matrix });
  const view = matrix ? at('view').scratch('view', colors) : image;
  if (matrix) recordTransform(at('view'), { image, matrix, y: view });
  recordNetworkInput(at('view'), { image: view, x }, map);

  const tensorOf = (layer: string): TensorRef => recorded.tensors.get(layer)!;
  const scores = recordScores(builder, builder.recorder('objective', 'objective', 'score'), assembly.summands, tensorOf);
  const dx = builder.persistent('gradient', x.shape);
  recordPull(s, scores, name, dx, 'backward');
  const length = builder.persistent('length', [batch]);
  recordLengths(at('note'), dx, length);
  recordNote(at('note'), { score: scores.score, length, clock, progress: builder.persistent('progress', [NOTE_ROWS, batch, NOTE.words]) });
  if (settings.redirected > 0) {
    const open = builder.tensor('open gradient', x.shape);
    recordPull(s, scores, name, open, 'redirect');
    recordRedirect(at('redirect'), { dx, open, length });
  }

  const step = (op: string) => at('step', op);
  const dimage = step('input').scratch('d image', colors);
  if (matrix) {
    const dview = step('input').scratch('d view', colors);
    recordNetworkInputBackward(step('input'), { dx, dimage: dview }, map);
    recordTransformBackward(step('transform'), { dy: dview, matrix, dimage });
  } else recordNetworkInputBackward(step('input'), { dx, dimage }, map);
  for (const price of pricesOf(settings)) recordPrior(step('prior'), { image, dimage }, price);
  const g = step('image').scratch('d parameters', shape);
  kind.recordBackward(step('image'), { image, dimage, dparameters: g });
  const schedule = step('rate').scratch('schedule', [4]);
  recordRow(step('rate'), { table: builder.persistent('rates', [settings.steps, 4]), clock, row: schedule });
  if (settings.optimizer === 'ascent') recordStride(step('ascent'), { w: parameters, g, schedule });
  else {
    const moments = Object.fromEntries(momentsOf(ADAM).map((moment) => [moment, builder.persistent(`adam.${moment}`, shape)]));
    recordUpdate(step('adam'), ADAM, { w: parameters, g, moments, schedule, halt: builder.persistent('halt', [2], 'u32') }, { decay: 0 });
  }
  recordTick(step('clock'), clock);
}

/** Records the gradient of the scores down to the network's input, in a pass of its own; in that called `redirect`, every ReLU lets all of it through. */
function recordPull({ builder, recorded }: Stage, scores: RecordedScores, input: string, dx: TensorRef, pass: 'backward' | 'redirect'): void {
  const seeds = [...recordSeeds(builder.recorder(pass, 'objective', 'seed'), scores)];
  const [[from, dy], ...also] = seeds as [[string, TensorRef]];
  recordBackward(builder, recorded, from, dy, new Map([[input, dx]]), pass === 'backward' ? 'gradient' : 'linear', undefined, { also: new Map(also), pass });
}

/** The layers of an objective, for `withInputSize`. @throws unknown-layer */
export const layersOf = (network: Network, { terms }: Objective): string[] => [...new Set(terms.map(({ layer }) => findNode(network, layer).name))];
