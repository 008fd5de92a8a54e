/**
 * Attribution: where in a picture the evidence for a unit lies. Every form that goes by the gradient of the unit's score: the gradient in
 * its eight modes, times the input, averaged over noise or over a path, and the maps of a layer weighed by it.
 * The score of a class is its logit: a probability's gradient also says what speaks against all other classes.
 */
import { throwIfAborted, UnitscopeError } from '../errors.ts';
import type { Engine } from '../gpu/engine.ts';
import { resizePlane } from '../image/plane.ts';
import { findNode } from '../network/lookup.ts';
import type { Network, Preprocess, Shape, Tensor } from '../network/network.ts';
import { classLayers } from './activations.ts';
import { alone, between, checked, noisy, type AttributionInputs } from './attribution_inputs.ts';
import { AttributionRun } from './attribution_run.ts';
import { CLASSIC_MODES, rulesOf, type BackwardMode } from './backward_mode.ts';
import { baselineOf, type Baseline } from './baseline.ts';
import { camOf, evidenceLayer } from './cam.ts';
import type { Method } from './method.ts';
import { targetName, type Target } from './target.ts';

export const ATTRIBUTE_METHOD: Method = {
  name: 'attribute',
  summary: 'show where in a picture the evidence for a unit lies, by its gradient in every classic form',
  source: 'Simonyan et al. 2013; Zeiler and Fergus 2014; Springenberg et al. 2015; Selvaraju et al. 2017; Smilkov et al. 2017; Sundararajan et al. 2017',
  takes: 'picture',
};

/**
 * gradient          d score / d x
 * gradient-input    x times it, in network units
 * smoothgrad        its mean over pictures with noise (Smilkov et al. 2017)
 * integrated        (x - baseline) times its mean on the straight path from the baseline to x (Sundararajan et al. 2017)
 * grad-cam          the maps of a layer, weighed by their mean gradients, at the size of the picture (Selvaraju et al. 2017)
 * guided-grad-cam   the guided gradient times that
 */
export const ATTRIBUTIONS = ['gradient', 'gradient-input', 'smoothgrad', 'integrated', 'grad-cam', 'guided-grad-cam'] as const;
export type AttributionForm = (typeof ATTRIBUTIONS)[number];

export interface AttributeOptions {
  readonly form: AttributionForm;
  /** What is explained; the class with the largest logit, where it is not said. */
  readonly target?: Target | undefined;
  /** How the gradient goes back to the input: the true one, and guided in guided-grad-cam. Grad-CAM itself takes the true one. */
  readonly mode?: BackwardMode | undefined;
  /** smoothgrad: pictures with noise (50), its standard deviation as a share of the input's range (0.15), its seed (0). */
  readonly samples?: number | undefined;
  readonly sigma?: number | undefined;
  readonly seed?: number | undefined;
  /** integrated: points on the path (50), where it starts (zero), the standard deviation of a blurred start in pixels. */
  readonly steps?: number | undefined;
  readonly baseline?: Baseline | undefined;
  readonly baselineSigma?: number | undefined;
  /** grad-cam: the layer whose maps are weighed; the last one with maps before the target. */
  readonly evidence?: string | undefined;
  /** Says what black and white are; the network's own unless given. */
  readonly preprocess?: Preprocess | undefined;
  /** Inputs that run at once, at most (8). */
  readonly batch?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((done: number, total: number) => void) | undefined;
}

/** Whether what integrated gradients found adds up to what it explains. */
export interface Completeness {
  /** Of all attributions. */
  readonly sum: number;
  /** score(x) - score(baseline). */
  readonly difference: number;
  /** |sum - difference| / |difference|. */
  readonly gap: number;
}

export interface Attribution {
  /** [1, C, H, W], in the order of the network's channels; of grad-cam [1, 1, H, W]. */
  readonly values: Tensor;
  readonly target: Target;
  /** The target as it is written. */
  readonly name: string;
  /** Of x. */
  readonly score: number;
  /** Gradients that were computed. */
  readonly gradients: number;
  readonly completeness?: Completeness;
  /** grad-cam: the layer whose maps are weighed, and the map [1, 1, h, w] before it is enlarged. */
  readonly evidence?: string;
  readonly map?: Tensor;
}

/** Inputs at once, at most, where nothing is said. A processor gains nothing from more, and whoever stops it would wait for them. */
const MOST_AT_ONCE = { software: 2, gpu: 8 } as const;

/** Samples and steps where nothing is said, and the noise that Smilkov et al. found best, 10 to 20 % of the range. */
const [SAMPLES, STEPS, SIGMA] = [50, 50, 0.15];

/** @throws usage, unknown-layer, no-gradient, model-*, limit, out-of-memory, aborted */
export async function attribute(engine: Engine, network: Network, x: Tensor, options: AttributeOptions): Promise<Attribution> {
  const { form } = options;
  if (x.shape.length !== 4 || x.shape[0] !== 1) throw new UnitscopeError('usage', `one picture [1, C, H, W] is explained, this is [${x.shape.join(', ')}]`);
  const layer = options.target?.unit.layer ?? findNode(network, classLayers(network).logits).name;
  const weighs = form === 'grad-cam' || form === 'guided-grad-cam';
  const evidence = weighs ? evidenceLayer(network, layer, options.evidence) : undefined;
  const preprocess = options.preprocess ?? network.preprocess;
  const baseline = form === 'integrated' ? baselineOf(options.baseline ?? 'zero', x, { preprocess, sigma: options.baselineSigma }) : undefined;
  const inputs = inputsOf(x, baseline, options);
  const run = await AttributionRun.create(engine, network, {
    batch: Math.ceil(inputs.total / Math.ceil(inputs.total / checked('batch', options.batch ?? MOST_AT_ONCE[engine.capabilities.software ? 'software' : 'gpu']))),
    layer,
    wholeChannel: options.target?.wholeChannel ?? false,
    rules: form === 'grad-cam' ? undefined : rulesOf(options.mode ?? (weighs ? CLASSIC_MODES.guided : CLASSIC_MODES.saliency)),
    evidence,
  });
  try {
    throwIfAborted(options.signal);
    checkShape(x, run.inputShape);
    const target = options.target ?? (await run.top(x));
    run.aim(target);
    const facts = { target, name: targetName(target, run.targetShape), gradients: inputs.total };
    if (form === 'grad-cam') {
      run.run([x.data]);
      const [score] = await run.scores();
      return { ...facts, score: score!, ...(await weighedMaps(run, x, evidence!)) };
    }
    const { mean, scores } = await meanGradient(run, inputs, options);
    const score = scores.at(baseline ? -2 : -1)!;
    if (weighs) {
      const maps = await weighedMaps(run, x, evidence!);
      const size = maps.values.data.length;
      return { ...facts, score, ...maps, values: { shape: x.shape, data: Float32Array.from(mean, (g, i) => g * maps.values.data[i % size]!) } };
    }
    const start = form === 'gradient-input' ? new Float32Array(x.data.length) : baseline;
    const values = start ? mean.map((g, i) => g * (x.data[i]! - start[i]!)) : mean;
    return {
      ...facts,
      score,
      values: { shape: x.shape, data: Float32Array.from(values) },
      ...(baseline && { completeness: completeness(values, score - scores.at(-1)!) }),
    };
  } finally {
    run.dispose();
  }
}

function inputsOf(x: Tensor, baseline: Float32Array | undefined, options: AttributeOptions): AttributionInputs {
  const { form, samples = SAMPLES, sigma = SIGMA, seed = 0, steps = STEPS } = options;
  if (baseline) return between(x, baseline, steps);
  return form === 'smoothgrad' ? noisy(x, samples, sigma, seed) : alone(x);
}

/** The mean over the inputs that are to be averaged, [C, H, W], and the scores of all. */
async function meanGradient(
  run: AttributionRun,
  inputs: AttributionInputs,
  { signal, progress }: AttributeOptions,
): Promise<{ mean: Float64Array; scores: number[] }> {
  const scores: number[] = [];
  let sum: Float64Array | undefined;
  for await (const { gradient, score } of run.gradients(inputs.each(), signal)) {
    sum ??= new Float64Array(gradient.length);
    if (scores.length < inputs.averaged) gradient.forEach((g, i) => (sum![i]! += g));
    scores.push(score);
    progress?.(scores.length, inputs.total);
  }
  return { mean: sum!.map((value) => value / inputs.averaged), scores };
}

/** Grad-CAM of the input that was run last, and that at the size of x. */
async function weighedMaps(run: AttributionRun, x: Tensor, evidence: string): Promise<Required<Pick<Attribution, 'values' | 'evidence' | 'map'>>> {
  const { activations, gradient } = await run.evidence();
  const cam = camOf(activations, gradient);
  const [, , h, w] = activations.shape as [number, number, number, number];
  const [, , height, width] = x.shape as [number, number, number, number];
  return {
    evidence,
    map: { shape: [1, 1, h, w], data: Float32Array.from(cam) },
    values: { shape: [1, 1, height, width], data: resizePlane(cam, w, h, width, height) },
  };
}

function completeness(values: Float64Array, difference: number): Completeness {
  const sum = values.reduce((total, value) => total + value, 0);
  const missing = Math.abs(sum - difference);
  return { sum, difference, gap: missing === 0 ? 0 : missing / Math.abs(difference) };
}

function checkShape(x: Tensor, wanted: Shape): void {
  if (x.shape.slice(1).join() === wanted.slice(1).join()) return;
  throw new UnitscopeError('usage', `the input must be [1, ${wanted.slice(1).join(', ')}], got [${x.shape.join(', ')}]`);
}
