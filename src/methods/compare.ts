/**
 * Two networks, or two checkpoints of one, side by side: what differs in their layers and weights, what the same units prefer under
 * the same settings from the same seeds, and what the same layers answer to one picture.
 */
import { throwIfAborted, UnitscopeError } from '../errors.ts';
import type { Engine } from '../gpu/engine.ts';
import { planeRange, type ColorMapName } from '../image/colormap.ts';
import type { Image } from '../image/image.ts';
import { findNode } from '../network/lookup.ts';
import type { Network, Node, Preprocess, Tensor } from '../network/network.ts';
import { attributesOf, opOf, shapesOf } from '../ops/check.ts';
import { activations } from './activations.ts';
import { Maximizer, type ImageProgress } from './maximize.ts';
import type { Method } from './method.ts';
import type { AscentSettings } from './settings.ts';
import type { Start } from './start_image.ts';
import { parseUnit, type Unit } from './unit.ts';

export const COMPARE_METHOD: Method = {
  name: 'compare',
  summary: 'set two networks side by side: layers, weights, what the same units prefer',
  source: 'Yosinski et al. 2015 (the pictures), Liu et al. 2017 (networks side by side)',
  takes: 'network',
};

export interface LayerSummary {
  readonly layer: string;
  readonly op: string;
  /** Of its output, without the batch axis. */
  readonly shape: readonly number[];
}

/** A layer that both have, and in what it is not the same. */
export interface LayerChange {
  readonly layer: string;
  readonly what: readonly ('op' | 'shape' | 'attributes' | 'inputs' | 'weights')[];
  readonly a: LayerSummary;
  readonly b: LayerSummary;
}

export interface StructureDifference {
  readonly onlyA: readonly LayerSummary[];
  readonly onlyB: readonly LayerSummary[];
  readonly changed: readonly LayerChange[];
  /** Layers that are the same but for the values of their weights. */
  readonly same: number;
}

/** One tensor of weights that both have, in one shape. Lengths are Euclidean. */
export interface WeightDifference {
  readonly layer: string;
  /** What it is in its layer, e.g. `weight`, `bias`. */
  readonly role: string;
  readonly shape: readonly number[];
  readonly normA: number;
  readonly normB: number;
  /** |b - a|, and that of |a|; the share is null where |a| is 0 and |b| is not. */
  readonly distance: number;
  readonly relative: number | null;
}

function summaries(network: Network): Map<string, { readonly node: Node; readonly summary: LayerSummary }> {
  const shapes = shapesOf(network);
  return new Map(network.nodes.map((node) => [node.name, { node, summary: { layer: node.name, op: node.op, shape: shapes.get(node.output)!.slice(1) } }]));
}

const text = (value: unknown): string => JSON.stringify(value);
const sortedText = (record: object): string => text(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));

/** Layers by name, in the order of their network. @throws model-invalid */
export function compareStructure(a: Network, b: Network): StructureDifference {
  const [ours, theirs] = [summaries(a), summaries(b)];
  const only = (own: typeof ours, other: typeof ours): LayerSummary[] => [...own.values()].filter(({ summary }) => !other.has(summary.layer)).map(({ summary }) => summary);
  // Inputs are compared by the layers that make them: the names of tensors are the loader's business.
  const makers = ({ nodes }: Network): ReadonlyMap<string, string> => new Map(nodes.map(({ name, output }) => [output, name]));
  const [makersA, makersB] = [makers(a), makers(b)];
  const sources = (node: Node, from: ReadonlyMap<string, string>): string => text(node.inputs.map((input) => from.get(input) ?? null));
  const changed: LayerChange[] = [];
  let same = 0;
  for (const [layer, one] of ours) {
    const other = theirs.get(layer);
    if (!other) continue;
    const sameOp = one.node.op === other.node.op;
    const differs: Record<LayerChange['what'][number], boolean> = {
      op: !sameOp,
      shape: text(one.summary.shape) !== text(other.summary.shape),
      attributes: sameOp && sortedText(attributesOf(one.node, opOf(one.node))) !== sortedText(attributesOf(other.node, opOf(other.node))),
      inputs: sources(one.node, makersA) !== sources(other.node, makersB),
      weights: sortedText(weightShapes(one.node)) !== sortedText(weightShapes(other.node)),
    };
    const what = (Object.keys(differs) as (keyof typeof differs)[]).filter((name) => differs[name]);
    if (what.length > 0) changed.push({ layer, what, a: one.summary, b: other.summary });
    else same++;
  }
  return { onlyA: only(ours, theirs), onlyB: only(theirs, ours), changed, same };
}

const weightShapes = ({ weights }: Node): Record<string, readonly number[]> => Object.fromEntries(Object.entries(weights).map(([role, { shape }]) => [role, shape]));

/** Every tensor of weights whose layer, role and shape both networks have. */
export function compareWeights(a: Network, b: Network): WeightDifference[] {
  const theirs = new Map(b.nodes.map((node) => [node.name, node]));
  return a.nodes.flatMap((node) =>
    Object.entries(node.weights).flatMap(([role, ours]) => {
      const other = theirs.get(node.name)?.weights[role];
      if (!other || text(other.shape) !== text(ours.shape)) return [];
      let [squaresA, squaresB, squares] = [0, 0, 0];
      for (let i = 0; i < ours.data.length; i++) {
        const [p, q] = [ours.data[i]!, other.data[i]!];
        squaresA += p * p;
        squaresB += q * q;
        squares += (q - p) ** 2;
      }
      const [normA, normB, distance] = [squaresA, squaresB, squares].map(Math.sqrt) as [number, number, number];
      return [{ layer: node.name, role, shape: ours.shape, normA, normB, distance, relative: distance === 0 ? 0 : normA > 0 ? distance / normA : null }];
    }),
  );
}

/** A network as one side of a comparison, with its preprocessing where it is not its own. */
export interface Side {
  readonly network: Network;
  readonly preprocess?: Preprocess | undefined;
}

/** The same unit of each side. @throws usage, unknown-layer, naming the network */
export function commonUnit(sides: readonly Side[], address: string): Unit[] {
  return sides.map(({ network }) => within(network, () => parseUnit(network, address)));
}

function within<T>(network: Network, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof UnitscopeError)) throw error;
    throw new UnitscopeError(error.code, `in '${network.name}': ${error.message}`, error.address, error.hint, { cause: error });
  }
}

export interface PreferredOptions {
  /** Of one layer. */
  readonly units: readonly string[];
  readonly seeds: readonly number[];
  readonly settings: AscentSettings;
  readonly start?: Start;
  readonly signal?: AbortSignal | undefined;
}

/** What one unit of one side climbed to. */
export interface Preferred {
  readonly unit: string;
  readonly seed: number;
  readonly image: Image;
  /** The best score. */
  readonly score: number;
  readonly status: ImageProgress['status'];
}

export interface PreferredProgress {
  /** Index of the side under way. */
  readonly side: number;
  readonly step: number;
  readonly iterations: number;
  /** Unit by unit, seed by seed; in the last one of a side. */
  readonly result?: readonly Preferred[];
}

/**
 * The pictures that the same units prefer, one side after the other, all units and seeds of a side as one batch.
 * @throws usage, unknown-layer, no-gradient, aborted, limit, out-of-memory, device-lost
 */
export async function* comparePreferred(engine: Engine, sides: readonly Side[], options: PreferredOptions): AsyncGenerator<PreferredProgress, void, undefined> {
  const { settings, start, signal } = options;
  const { iterations } = settings;
  for (const { network } of sides) within(network, () => options.units.map((unit) => parseUnit(network, unit)));
  const units = options.units.flatMap((unit) => options.seeds.map(() => unit));
  const seeds = options.units.flatMap(() => options.seeds);
  for (const [side, { network, preprocess }] of sides.entries()) {
    throwIfAborted(signal);
    const maximizer = await Maximizer.create(engine, network, { units, seeds, settings, ...(start && { start }), ...(preprocess && { preprocess }) });
    try {
      const scores = units.map(() => -Infinity);
      let status: ImageProgress['status'][] = units.map(() => 'running');
      for await (const { step, images } of maximizer.run(signal ? { signal } : {})) {
        images.forEach(({ score }, n) => (scores[n] = score > scores[n]! ? score : scores[n]!));
        status = images.map((image) => image.status);
        yield { side, step: step + 1, iterations };
      }
      throwIfAborted(signal);
      const images = await maximizer.pictures('best');
      yield { side, step: iterations, iterations, result: units.map((unit, n) => ({ unit, seed: seeds[n]!, image: images[n]!, score: scores[n]!, status: status[n]! })) };
    } finally {
      maximizer.dispose();
    }
  }
}

export interface ComparedMaps {
  /** The layer's answer on each side, [1, ...]. */
  readonly tensors: readonly Tensor[];
  /** One range of colours for all maps of all sides. */
  readonly map: ColorMapName;
  readonly range: readonly [number, number];
}

/** What a layer of each side answers to its x. Layers that have negative values are shown around 0. @throws unknown-layer, aborted */
export async function compareMaps(engine: Engine, sides: readonly (Side & { readonly x: Tensor })[], layer: string, signal?: AbortSignal): Promise<ComparedMaps> {
  for (const { network } of sides) within(network, () => findNode(network, layer));
  const tensors: Tensor[] = [];
  for (const { network, x } of sides) tensors.push((await activations(engine, network, x, { layers: [layer], ...(signal && { signal }) })).get(layer)!);
  const map = tensors.some(({ data }) => data.some((value) => value < 0)) ? 'diverging' : 'ember';
  const ranges = tensors.map(({ data }) => planeRange(data, map));
  return { tensors, map, range: [Math.min(...ranges.map(([low]) => low)), Math.max(...ranges.map(([, high]) => high))] };
}
