/**
 * Receptive fields: which part of the input image a unit of a layer sees, for every layer of any graph, from the shapes
 * and attributes alone. A layer that mixes all places (dense, a global pool, a softmax over places) sees what they see
 * together. Fields are those of an image without borders: a unit near the border sees the part that lies inside.
 * Source: Araujo, Norris, Sim, Computing Receptive Fields of Convolutional Neural Networks, Distill 2019, made exact for
 * strides that are fractions.
 */
import type { Attributes, Network, NetworkInput, Node, Shape } from '../network/network.ts';
import { quote } from '../network/spelling.ts';
import { attributesOf, opOf, shapesOf } from './check.ts';
import { contains, measured, PIXELS, sampledMap, through, together, transposedMap, united, windowMap, type IndexMap, type Reach } from './reach.ts';

type Pair = readonly [number, number];

/** Rows and columns of the image, in pixels. */
export interface ReceptiveField {
  /** Pixels that a unit sees from the first to the last; the largest, where units differ by a pixel. */
  readonly size: Pair;
  /** Pixels from a unit to the next; 0 where all units see the same. */
  readonly stride: Pair;
  /** Centre of the first unit; pixel i is at i, and the centre may lie outside of the image. */
  readonly offset: Pair;
}

/** Why a layer has no field that could be stated. */
export interface NoReceptiveField {
  readonly reason: string;
}

/** One axis of the image. */
export interface Sight {
  readonly reach: Reach;
  /** The axis of the tensor along which it is seen; undefined: every element sees the same. */
  readonly along?: number | undefined;
}

/** Rows and columns, or why that is not known. */
export type View = readonly [Sight, Sight] | string;

/** What a rule knows of its layer, for one axis of the image. */
interface Place {
  readonly node: Node;
  readonly attributes: Attributes;
  readonly shapes: readonly Shape[];
  readonly output: Shape;
  /** Pixels along the axis of the image. */
  readonly size: number;
}

/** The sight of a layer from those of its operands, undefined for those that do not see the image; or a reason. */
type Rule = (sights: readonly (Sight | undefined)[], place: Place) => Sight | string;

/**
 * The receptive field of every layer by the name of its tensor, in every image that the network takes (inputs
 * [N, C, H, W]) and the layer depends on.
 * @throws as shapesOf
 */
export function receptiveFields(network: Network): Map<string, Map<string, ReceptiveField | NoReceptiveField>> {
  const shapes = shapesOf(network);
  const fields = new Map<string, Map<string, ReceptiveField | NoReceptiveField>>(network.nodes.map(({ output }) => [output, new Map()]));
  for (const input of network.inputs.filter(({ shape }) => shape.length === 4)) {
    for (const [output, view] of views(network, shapes, input)) fields.get(output)?.set(input.name, fieldOf(view));
  }
  return fields;
}

/** What every tensor that depends on an image sees of it, unit by unit. */
export function views(network: Network, shapes: ReadonlyMap<string, Shape>, { name, shape }: NetworkInput): Map<string, View> {
  const found = new Map<string, View>([[name, [{ reach: PIXELS, along: 2 }, { reach: PIXELS, along: 3 }]]]);
  for (const node of network.nodes) {
    const view = viewOf(node, found, shapes, shape.slice(2) as [number, number]);
    if (view !== undefined) found.set(node.output, view);
  }
  return found;
}

function viewOf(node: Node, found: ReadonlyMap<string, View>, shapes: ReadonlyMap<string, Shape>, image: Pair): View | undefined {
  const seen = node.inputs.map((input) => found.get(input));
  if (seen.every((view) => view === undefined)) return undefined;
  const unknown = seen.find((view) => typeof view === 'string');
  if (unknown !== undefined) return unknown;
  const rule = RULES[node.op];
  if (!rule) return `what a unit of ${quote(node.name)} (${node.op}) sees is not known`;
  const op = opOf(node);
  const place = { node, attributes: attributesOf(node, op), shapes: node.inputs.map((input) => shapes.get(input)!), output: shapes.get(node.output)! };
  const sights = ([0, 1] as const).map((axis) => rule(seen.map((view) => view?.[axis] as Sight | undefined), { ...place, size: image[axis] }));
  return sights.find((sight) => typeof sight === 'string') ?? (sights as [Sight, Sight]);
}

function fieldOf(view: View): ReceptiveField | NoReceptiveField {
  if (typeof view === 'string') return { reason: view };
  const [y, x] = [measured(view[0].reach), measured(view[1].reach)];
  return { size: [y.size, x.size], stride: [y.stride, x.stride], offset: [y.offset, x.offset] };
}

/** Elements keep their places. */
const pointwise: Rule = (sights) => sights.find((sight) => sight !== undefined)!;

/** All elements along the axes that `mixes` are one to those behind; along the others they keep their places. */
const mixing =
  (mixes: (axis: number, place: Place) => boolean): Rule =>
  (sights, place) => {
    const { reach, along } = sights[0]!;
    return along !== undefined && mixes(along, place) ? { reach: together(reach, place.shapes[0]![along]!, place.size) } : { reach, along };
  };

const mixesChannels = ({ node }: Place): string => `${quote(node.name)} takes an axis of the image for its channels`;

/** An operation along the last two axes of [N, C, H, W]; those that mix channels cannot follow an axis of the image there. */
const moving =
  (map: (axis: 0 | 1, place: Place) => IndexMap | string, channels = false): Rule =>
  (sights, place) => {
    const { reach, along } = sights[0]!;
    if (channels && along === 1) return mixesChannels(place);
    const axis = (along ?? 0) - (place.output.length - 2);
    if (along === undefined || (axis !== 0 && axis !== 1)) return { reach, along };
    const step = map(axis, place);
    return typeof step === 'string' ? step : moved(reach, step, along, place);
  };

function moved(reach: Reach, map: IndexMap, along: number, { node }: Place): Sight | string {
  const behind = through(reach, map);
  return behind ? { reach: behind, along } : `the strides up to ${quote(node.name)} repeat too late`;
}

/** An attribute that lists numbers. */
const list = ({ attributes }: Place, name: string): readonly number[] => attributes[name] as readonly number[];

const pool = moving((axis, place) => windowMap(list(place, 'kernel')[axis]!, list(place, 'stride')[axis]!, list(place, 'padding')[axis]!, list(place, 'dilation')[axis]!));

/** Slices and pads may cut any axis. */
const cut =
  (map: (axis: number, place: Place) => IndexMap): Rule =>
  (sights, place) => {
    const { reach, along } = sights[0]!;
    return along === undefined ? { reach } : moved(reach, map(along, place), along, place);
  };

/** Operands side by side, broadcast as numpy does. */
const joining: Rule = (sights, { node, shapes, output, size }) => {
  const placed = sights.flatMap((sight, index) => {
    if (!sight || sight.along === undefined) return sight ? [sight] : [];
    const along = sight.along + output.length - shapes[index]!.length;
    const count = shapes[index]![sight.along]!;
    return [count === 1 && output[along]! > 1 ? { reach: together(sight.reach, 1, size) } : { reach: sight.reach, along }];
  });
  return placed.reduce<Sight | string>((sum, sight) => (typeof sum === 'string' ? sum : unitedSights(sum, sight, output, size)) ?? `units of ${quote(node.name)} see fields that move apart`, placed[0]!);
};

function unitedSights(a: Sight, b: Sight, output: Shape, size: number): Sight | undefined {
  if (a.along === b.along) {
    const reach = united(a.reach, b.reach);
    return reach && { reach, along: a.along };
  }
  // One sees the same everywhere: nothing is added to it where that is all the other sees.
  const [fixed, moved] = a.along === undefined ? [a, b] : [b, a];
  if (fixed.along !== undefined) return undefined;
  return contains(fixed.reach, together(moved.reach, output[moved.along!]!, size)) ? fixed : undefined;
}

const concat: Rule = (sights, place) => {
  const axis = place.attributes.axis as number;
  if (place.shapes.length > 1 && sights.some((sight) => sight?.along === axis)) return `${quote(place.node.name)} joins maps side by side: its units see fields of different places`;
  return joining(sights, { ...place, shapes: place.shapes.map(() => place.output) });
};

/** Axes that a reshape leaves alone keep their places; sizes of 1 come and go. */
const reshape: Rule = (sights, { shapes, output, size }) => {
  const { reach, along } = sights[0]!;
  if (along === undefined) return { reach };
  const kept = keptAxes(shapes[0]!, output).get(along);
  return kept === undefined ? { reach: together(reach, shapes[0]![along]!, size) } : { reach, along: kept };
};

/** Which axis of `to` each axis of `from` becomes, where it neither splits nor merges. */
function keptAxes(from: Shape, to: Shape): Map<number, number> {
  const wide = (shape: Shape): { axis: number; size: number }[] => shape.map((size, axis) => ({ axis, size })).filter(({ size }) => size > 1);
  const [before, after] = [wide(from), wide(to)];
  const kept = new Map<number, number>();
  for (let i = 0, j = 0; i < before.length && j < after.length; ) {
    let [a, b] = [before[i]!.size, after[j]!.size];
    if (a === b) kept.set(before[i]!.axis, after[j]!.axis);
    while (a !== b && i < before.length && j < after.length) {
      if (a < b) a *= before[++i]?.size ?? NaN;
      else b *= after[++j]?.size ?? NaN;
    }
    i++;
    j++;
  }
  return kept;
}

const transpose: Rule = (sights, place) => {
  const { reach, along } = sights[0]!;
  return { reach, along: along === undefined ? undefined : list(place, 'order').indexOf(along) };
};

/** The reduced axes are one element each, or are gone. */
const reduce: Rule = (sights, place) => {
  const axes = list(place, 'axes').length > 0 ? list(place, 'axes') : place.shapes[0]!.map((_, axis) => axis);
  const sight = mixing((axis) => axes.includes(axis))(sights, place) as Sight;
  if (sight.along === undefined || place.attributes.keep === true) return sight;
  return { ...sight, along: sight.along - axes.filter((axis) => axis < sight.along!).length };
};

const ROUNDED: Readonly<Record<string, (numerator: number, denominator: number) => number>> = {
  round_prefer_floor: (n, d) => Math.ceil((2 * n - d) / (2 * d)),
  round_prefer_ceil: (n, d) => Math.floor((2 * n + d) / (2 * d)),
  floor: (n, d) => Math.floor(n / d),
  ceil: (n, d) => Math.ceil(n / d),
};

/** Where the pixels of a resized image lie in the one before. */
const resize = moving((axis, place) => {
  const { mode, coordinates, rounding } = place.attributes as { mode: string; coordinates: string; rounding: string };
  const [from, to] = [place.shapes[0]![2 + axis]!, place.output[2 + axis]!];
  const stated = list(place, 'scale')[axis]!;
  if (stated !== 0 && coordinates !== 'align_corners' && Math.abs((stated * from) / to - 1) > 1e-6) return `${quote(place.node.name)} resizes by ${stated}, which is not the ratio of its sizes`;
  const nearest = mode === 'nearest' ? ROUNDED[rounding] : undefined;
  if (coordinates === 'asymmetric') return sampledMap(from, 0, to, nearest);
  if (to === 1 && coordinates !== 'half_pixel') return sampledMap(0, 0, 1, nearest);
  return coordinates === 'align_corners' ? sampledMap(from - 1, 0, to - 1, nearest) : sampledMap(2 * from, from - to, 2 * to, nearest);
});

const POINTWISE = [
  'abs', 'batch_norm', 'clip', 'dropout', 'elu', 'erf', 'exp', 'gelu', 'hard_sigmoid', 'hard_swish', 'identity', 'leaky_relu', 'log', 'power', 'prelu', 'relu', 'selu',
  'sigmoid', 'softplus', 'softsign', 'sqrt', 'swish', 'tanh',
];
const JOINING = ['add', 'divide', 'maximum', 'minimum', 'multiply', 'subtract'];
const along = mixing((axis, { attributes }) => axis === attributes.axis);

/** Every op of the list has its rule. */
export const RULES: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(POINTWISE.map((op) => [op, pointwise])),
  ...Object.fromEntries(JOINING.map((op) => [op, joining])),
  average_pool: pool,
  concat,
  conv2d: moving((axis, place) => windowMap(place.node.weights.weight!.shape[2 + axis]!, list(place, 'stride')[axis]!, list(place, 'padding')[axis]!, list(place, 'dilation')[axis]!), true),
  conv_transpose2d: moving((axis, place) => transposedMap(place.node.weights.weight!.shape[2 + axis]!, list(place, 'stride')[axis]!, list(place, 'padding')[axis]!, list(place, 'dilation')[axis]!), true),
  dense: mixing((axis) => axis > 0),
  flatten: reshape,
  global_average_pool: mixing((axis) => axis > 1),
  global_max_pool: mixing((axis) => axis > 1),
  layer_norm: mixing((axis, { attributes }) => axis >= (attributes.axis as number)),
  log_softmax: along,
  lp_pool: pool,
  lrn: (sights, place) => (sights[0]!.along === 1 ? mixesChannels(place) : sights[0]!),
  lrn_within: moving((_, { attributes }) => windowMap(attributes.size as number, 1, ((attributes.size as number) - 1) / 2)),
  max_pool: pool,
  pad: cut((axis, place) => windowMap(1, 1, list(place, 'before')[axis]!)),
  reduce_mean: reduce,
  reduce_sum: reduce,
  reshape,
  resize,
  slice: cut((axis, place) => windowMap(1, list(place, 'step')[axis]!, -list(place, 'start')[axis]!)),
  softmax: along,
  transpose,
};
