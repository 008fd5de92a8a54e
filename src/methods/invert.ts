/**
 * Code inversion: what a layer still knows of a picture, shown by pictures that give the layer the same values.
 *   minimize |Phi(x) - Phi0|^2 / |Phi0|^2 + alpha sum |x / B|^6 / (C H W) + variation TV_beta(z)
 * x: pixels 0..255 without the mean; z = x / sigma, sigma being the norm of a natural picture, so that |z| is about 1 and one
 * step size serves all networks. Several starts climb side by side, the closest is kept. Phi0 is the code of one picture, or
 * the mean of the codes of several.
 * Source: Mahendran and Vedaldi 2015, equations 2 to 7, with the schedule of their program deep-goggle.
 */
import { NOTE, NOTE_ROWS } from '../../shaders/note.wgsl.ts';
import { throwIfAborted, UnitscopeError } from '../errors.ts';
import type { Engine } from '../gpu/engine.ts';
import { deprocess } from '../image/deprocess.ts';
import type { Image } from '../image/image.ts';
import { NumpyRandom } from '../image/numpy_random.ts';
import { checkPreprocess } from '../image/preprocess.ts';
import { findNode } from '../network/lookup.ts';
import type { Network, Preprocess, Shape, Tensor } from '../network/network.ts';
import { elements } from '../ops/shape.ts';
import { stage } from '../scheduler/compile.ts';
import { recordScores, recordSeeds } from '../scheduler/objective.ts';
import { recordUpdate, type Optimizer } from '../scheduler/optimizer.ts';
import { recordBackward } from '../scheduler/passes.ts';
import { recordPrior, type Prior } from '../scheduler/prior.ts';
import { Runner } from '../scheduler/runner.ts';
import { recordLengths, recordNetworkInput, recordNetworkInputBackward, recordNote, recordRow, recordTick } from '../scheduler/synthesis.ts';
import { recordCopy } from '../scheduler/watch.ts';
import { activations } from './activations.ts';
import { inversionRate, inversionSettings, stableRate, variationAt, type InversionSettings } from './inversion_settings.ts';
import type { Method } from './method.ts';
import { codeObjective } from './objectives/code.ts';
import { assemble } from './objectives/objective.ts';
import { runSlices } from './slices.ts';

export const INVERT_METHOD: Method = {
  name: 'invert',
  summary: 'show what a layer still knows of a picture: another one with the same code',
  source: 'Mahendran and Vedaldi 2015, "Understanding Deep Image Representations by Inverting Them"',
  takes: 'picture',
};

export interface InvertOptions {
  readonly layer: string;
  readonly settings?: Partial<InversionSettings>;
  /** Of the first start; the next ones follow. */
  readonly seed?: number;
  /** Overrides the network's own. */
  readonly preprocess?: Preprocess;
  readonly signal?: AbortSignal;
}

export interface Inversion {
  /** The closest picture, network units [1, C, H, W], and as a picture. */
  readonly x: Tensor;
  readonly picture: Image;
  /** |Phi(x) - Phi0| / |Phi0| of the closest start, and of every one. */
  readonly error: number;
  readonly errors: readonly number[];
  /** Weight of the total variation, and step size at first, that were used. */
  readonly variation: number;
  readonly rate: number;
}

export interface InversionProgress {
  readonly step: number;
  /** |Phi(x) - Phi0| / |Phi0| of every start, before the step. */
  readonly errors: readonly number[];
  /** With the last record. */
  readonly result?: Inversion;
}

/** Root mean square of a natural picture without its mean, and what few pixels are beyond: levels. */
const TYPICAL = 60;
const BOUND = 128;

const MOMENTUM: Optimizer = { kind: 'sgd', momentum: 0.9 };

/**
 * Pictures whose code at a layer is that of x [K, C, H, W], or the mean of their codes where there are several.
 * The last record holds the result.
 * @throws usage, unknown-layer, no-gradient, not-finite where every start has diverged, aborted, model-*, limit, out-of-memory
 */
export async function* invert(engine: Engine, network: Network, x: Tensor, options: InvertOptions): AsyncGenerator<InversionProgress, void, void> {
  const settings = inversionSettings(options.settings);
  const { seed = 0, signal } = options;
  const preprocess = options.preprocess ?? network.preprocess;
  if (!preprocess) throw new UnitscopeError('usage', `'${network.name}' does not say how its input is preprocessed`, {}, 'give mean, scale, channel order and range');
  checkPreprocess(preprocess, x.shape[1]);
  const layer = findNode(network, options.layer).name;
  const variation = settings.variation ?? variationAt(network, layer);
  const schedule = { rate: settings.rate ?? stableRate(variation), steps: settings.steps };
  const code = meanCode((await activations(engine, network, x, { layers: [layer], ...(signal && { signal }) })).get(layer)!);
  const { plan, contents } = planOf(engine, network, layer, code, { preprocess, settings, variation });
  const runner = await Runner.create(engine, plan);
  try {
    for (const [name, content] of contents) runner.write(name, content);
    runner.write('image', starts(runner.tensor('image').shape, seed));
    runner.write('rates', Float32Array.from({ length: 4 * settings.steps }, (_, i) => (i % 4 === 0 ? -inversionRate(schedule, i / 4).rate : 0)));
    const { restarts, steps } = settings;
    const slices = runSlices({
      runner,
      source: 'progress',
      rows: NOTE_ROWS,
      rowWords: restarts * NOTE.words,
      first: 0,
      last: () => steps,
      passes: (step) => ['view', 'forward', 'objective', 'backward', 'note', ...(inversionRate(schedule, step).fresh ? ['rest'] : []), 'step'],
      submitted: () => undefined,
      signal,
    });
    const errorOf = (score: number): number => Math.sqrt(Math.max(-score, 0));
    for await (const { step, row } of slices) yield { step, errors: Array.from({ length: restarts }, (_, n) => errorOf(row[n * NOTE.words + NOTE.score]!)) };
    throwIfAborted(signal);
    runner.run(['view', 'forward', 'objective']);
    const all = await runner.read('shown');
    const size = all.data.length / restarts;
    const image = (n: number): Float32Array => all.data.slice(n * size, (n + 1) * size);
    // A layer can answer to a picture that is not finite any more as if nothing were wrong.
    const errors = [...(await runner.read('score')).data].map((score, n) => (image(n).every(Number.isFinite) ? errorOf(score) : Infinity));
    const error = errors.reduce((least, value) => (value < least ? value : least), Infinity);
    if (error === Infinity) throw new UnitscopeError('not-finite', `every start has diverged on the way to the code of '${layer}'`, { layer }, 'take a smaller rate');
    const closest: Tensor = { shape: [1, ...all.shape.slice(1)], data: image(errors.indexOf(error)) };
    yield { step: steps, errors, result: { x: closest, picture: deprocess(closest, preprocess), error, errors, variation, rate: schedule.rate } };
  } finally {
    runner.dispose();
  }
}

/** The mean over the images of a batch. */
function meanCode({ shape, data }: Tensor): Float32Array {
  const batch = shape[0]!;
  const size = data.length / batch;
  return Float32Array.from({ length: size }, (_, i) => Array.from({ length: batch }, (_unused, n) => data[n * size + i]!).reduce((sum, value) => sum + value, 0) / batch);
}

/** Normal noise of norm 1 for each image, each from its own seed. */
function starts(shape: Shape, seed: number): Float32Array {
  const [batch, ...rest] = shape as [number, ...number[]];
  const size = elements(rest);
  const images = new Float32Array(batch * size);
  for (let n = 0; n < batch; n++) {
    const random = new NumpyRandom((seed + n) % 2 ** 32);
    const noise = Float64Array.from({ length: size }, () => random.normal());
    const norm = Math.sqrt(noise.reduce((sum, value) => sum + value * value, 0));
    images.set(noise.map((value) => value / norm), n * size);
  }
  return images;
}

interface Choices {
  readonly preprocess: Preprocess;
  readonly settings: InversionSettings;
  readonly variation: number;
}

function planOf(engine: Engine, network: Network, layer: string, code: Float32Array, { preprocess, settings, variation }: Choices) {
  const batch = settings.restarts;
  const { summands, layers, contents } = assemble(network, Array.from({ length: batch }, () => codeObjective(network, layer, code)));
  const s = stage(network, { batch, layers, capabilities: engine.capabilities, training: true });
  const { builder, recorded } = s;
  const [entry] = s.inputs;
  if (!entry || s.inputs.size !== 1 || entry[1].shape.length !== 4) throw new UnitscopeError('usage', `'${layer}' must depend on one input [N, C, H, W]`, { layer });
  const [input, x] = entry;
  builder.keep('shown', x);
  const image = builder.persistent('image', x.shape);
  const clock = builder.persistent('clock', [1], 'u32');
  const at = (pass: string, op = pass) => builder.recorder(pass, 'image', op);
  const count = elements(x.shape) / batch;
  const sigma = TYPICAL * Math.sqrt(count);
  const map = {
    matrix: preprocess.std.map((std, c) => preprocess.std.map((_, k) => (c === k ? (sigma * preprocess.range) / (255 * std) : 0))),
    offset: preprocess.std.map(() => 0),
  };
  recordNetworkInput(at('view'), { image, x }, map);

  const scores = recordScores(builder, builder.recorder('objective', 'objective', 'score'), summands, (name) => recorded.tensors.get(name)!);
  const dx = builder.persistent('gradient', x.shape);
  const [[from, dy]] = [...recordSeeds(builder.recorder('backward', 'objective', 'seed'), scores)] as [[string, typeof dx]];
  recordBackward(builder, recorded, from, dy, new Map([[input, dx]]), 'gradient');
  const length = builder.tensor('length', [batch]);
  recordLengths(at('note'), dx, length);
  recordNote(at('note'), { score: scores.score, length, clock, progress: builder.persistent('progress', [NOTE_ROWS, batch, NOTE.words]) });

  const v = builder.persistent('momentum', x.shape);
  recordCopy(at('rest'), builder.persistent('nothing', x.shape), v);
  const g = at('step').scratch('d image', x.shape);
  recordNetworkInputBackward(at('step', 'input'), { dx, dimage: g }, map);
  const prices: Prior[] = [
    { kind: 'alpha_norm', alpha: 6, weight: (-settings.alpha * (sigma / BOUND) ** 6) / count },
    { kind: 'total_variation', beta: settings.beta, weight: -variation },
  ];
  for (const price of prices) if (price.weight !== 0) recordPrior(at('step', 'prior'), { image, dimage: g }, price);
  const schedule = at('step', 'rate').scratch('schedule', [4]);
  recordRow(at('step', 'rate'), { table: builder.persistent('rates', [settings.steps, 4]), clock, row: schedule });
  // Its rate is negative: it goes up.
  recordUpdate(at('step', 'momentum'), MOMENTUM, { w: image, g, moments: { v }, schedule, halt: builder.persistent('halt', [2], 'u32') }, { decay: 0 });
  recordTick(at('step', 'clock'), clock);
  return { plan: builder.build(), contents };
}
