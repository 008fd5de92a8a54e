/** Records objectives: the score of every image of a batch, and the gradients with which they pull at their layers. */
import { diversityPull, diversityScore, diversitySeed, gram, gramProducts } from '../../shaders/objective_diversity.wgsl.ts';
import { objectivePlaces, placesGrid, placesSplit, type PlacesParameters } from '../../shaders/objective_places.wgsl.ts';
import { objectiveScore } from '../../shaders/objective_score.wgsl.ts';
import { objectiveSeed, seedReadsLayer } from '../../shaders/objective_seed.wgsl.ts';
import { linearGrid } from '../../shaders/prelude.wgsl.ts';
import type { Recorder, TensorRef } from '../ops/op.ts';
import { elements } from '../ops/shape.ts';
import type { PlanBuilder } from './builder.ts';

/** One summand of the scores of a batch: what is the same for all of its images. What differs lies in tensors, see `recordScores`. */
export interface Summand {
  readonly kind: PlacesParameters['kind'] | 'diversity';
  /** Name of the tensor that it looks at. */
  readonly layer: string;
  /** Of directions: the exponent of the cosine similarity. */
  readonly power: number;
}

/** What the scores leave for the gradients. */
export interface RecordedScores {
  readonly score: TensorRef;
  readonly parts: readonly Part[];
}

interface Part {
  readonly summand: Summand;
  readonly y: TensorRef;
  /** The summand's own tensors: see the shaders. */
  readonly found: TensorRef;
  readonly v?: TensorRef;
}

/** A layer as [N, C, P]. */
function sizesOf({ shape }: TensorRef): { batch: number; channels: number; plane: number } {
  const [batch, channels = 1, ...rest] = shape as [number, ...number[]];
  return { batch, channels, plane: elements(rest) };
}

/**
 * Records the scores, in the pass of the recorder; the plan then keeps `score` [N], and for each summand k
 *   weight.k [N]      its factor, per image
 *   v.k               of a direction the vector [N, C], of a distance the values [N, C, P] that it is taken from
 *   place.k [N] u32   of a direction the place in the map, EVERYWHERE for the mean over all
 */
export function recordScores(builder: PlanBuilder, recorder: Recorder, summands: readonly Summand[], layer: (name: string) => TensorRef): RecordedScores {
  const score = builder.persistent('score', [builder.batch]);
  const parts = summands.map((summand, k): Part => {
    const y = layer(summand.layer);
    const weight = builder.persistent(`weight.${k}`, [builder.batch]);
    const accumulate = k > 0;
    if (summand.kind === 'diversity') return recordDiversity(recorder, summand, k, { y, weight, score, accumulate });
    const sizes = sizesOf(y);
    const { batch, channels, plane } = sizes;
    const v = summand.kind === 'energy' ? undefined : builder.persistent(`v.${k}`, summand.kind === 'distance' ? [batch, channels, plane] : [batch, channels]);
    const place = summand.kind === 'direction' ? builder.persistent(`place.${k}`, [batch], 'u32') : undefined;
    const p = { ...sizes, kind: summand.kind, power: summand.power, split: placesSplit(sizes, recorder.capabilities.software) };
    const found = recorder.scratch(`places.${k}`, [batch, plane, 4]);
    recorder.dispatch({
      kernel: 'objective_places',
      part: `${k}.places`,
      code: objectivePlaces(p),
      tensors: { y, weight, places: found, ...(v && { v }), ...(place && { place }) },
      grid: placesGrid(p),
      flops: 3 * elements(y.shape),
    });
    recorder.dispatch({
      kernel: 'objective_score',
      part: `${k}.score`,
      code: objectiveScore({ plane, accumulate }),
      tensors: { places: found, score },
      grid: [batch, 1, 1],
      flops: batch * plane,
    });
    return { summand, y, found, ...(v && { v }) };
  });
  return { score, parts };
}

function recordDiversity(
  recorder: Recorder,
  summand: Summand,
  k: number,
  { y, weight, score, accumulate }: { readonly y: TensorRef; readonly weight: TensorRef; readonly score: TensorRef; readonly accumulate: boolean },
): Part {
  const p = sizesOf(y);
  const { batch, channels, plane } = p;
  const size = batch * channels * channels;
  const grams = recorder.scratch(`grams.${k}`, [batch, channels, channels]);
  const products = recorder.scratch(`products.${k}`, [batch, batch]);
  const found = recorder.scratch(`pulls.${k}`, [batch, channels, channels]);
  const record = (part: string, code: string, tensors: Record<string, TensorRef>, grid: [number, number, number], flops: number): void =>
    recorder.dispatch({ kernel: 'objective_diversity', part: `${k}.${part}`, code, tensors, grid, flops });
  record('gram', gram(p), { y, grams }, linearGrid(size), 2 * size * plane);
  record('products', gramProducts(p), { grams, products }, [batch, batch, 1], 2 * size * batch);
  record('score', diversityScore({ batch, accumulate }), { products, weight, score }, linearGrid(batch), 3 * batch * batch);
  record('pull', diversityPull(p), { grams, products, weight, pulls: found }, linearGrid(size), 8 * size * batch);
  return { summand, y, found };
}

/**
 * Records the gradient of the scores' sum with respect to every layer that they look at, by the name of its tensor. Each
 * call makes tensors of its own: a backward pass may add to them.
 */
export function recordSeeds(recorder: Recorder, { parts }: RecordedScores): Map<string, TensorRef> {
  const seeds = new Map<string, TensorRef>();
  parts.forEach(({ summand, y, found, v }, k) => {
    const { kind, layer, power } = summand;
    const sizes = sizesOf(y);
    const known = seeds.get(layer);
    const dy = known ?? recorder.scratch(`d ${layer}`, y.shape);
    const accumulate = known !== undefined;
    seeds.set(layer, dy);
    const grid = linearGrid(elements(y.shape));
    if (kind === 'diversity') {
      const flops = 2 * elements(y.shape) * sizes.channels;
      recorder.dispatch({ kernel: 'objective_diversity', part: `${k}.seed`, code: diversitySeed({ ...sizes, accumulate }), tensors: { y, pulls: found, dy }, grid, flops });
      return;
    }
    const tensors = { places: found, dy, ...(seedReadsLayer({ kind, power }) && { y }), ...(v && { v }) };
    recorder.dispatch({ kernel: 'objective_seed', part: `${k}.seed`, code: objectiveSeed({ ...sizes, kind, power, accumulate }), tensors, grid, flops: 2 * elements(y.shape) });
  });
  return seeds;
}
