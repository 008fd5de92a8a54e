/**
 * Which register tile the gradient of a convolution's weights takes (see conv2d_learn.wgsl.ts), and along which lines it
 * adds up: the candidate that is predicted to cost least.
 */
import type { LearnTile, LearnVariant } from '../../shaders/conv2d_learn.wgsl.ts';
import type { Capabilities } from '../gpu/capabilities.ts';
import type { Pair } from './conv2d_problem.ts';

/** The gradient of the weights as the kernels see it; channels and outputs are those of one group. */
export interface LearnLayer {
  readonly images: number;
  readonly groups: number;
  readonly channels: number;
  readonly outputs: number;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  /** Zeros above and left of x; negative crops. */
  readonly top: number;
  readonly left: number;
  /** Of x. */
  readonly height: number;
  readonly width: number;
  readonly outHeight: number;
  readonly outWidth: number;
}

/** Distances in one tensor from a term to the next, from a line, from a block. */
interface Distances {
  readonly step: number;
  readonly line: number;
  readonly block: number;
}

/** How the terms are ordered: blocks of lines. */
export interface Walk {
  readonly along: LearnVariant['along'];
  readonly length: number;
  readonly lines: number;
  readonly blocks: number;
  readonly dy: Distances;
  readonly x: Distances;
}

/** The ways to walk over dy and over x, which lies in planes of `plane` elements with rows of `width`; `aligned`: just as it came. */
export function walksOf(layer: LearnLayer, { plane, width, aligned }: { readonly plane: number; readonly width: number; readonly aligned: boolean }): Walk[] {
  const { images, groups, channels, outputs, kernel, stride, outHeight, outWidth } = layer;
  const dyImage = groups * outputs * outHeight * outWidth;
  const xImage = groups * channels * stride[0] * stride[1] * plane;
  // One tap over an image without a border sees no rows.
  const [lines, length] = aligned && kernel[0] * kernel[1] === 1 ? [1, outHeight * outWidth] : [outHeight, outWidth];
  const rows: Walk = {
    along: 'rows',
    length,
    lines,
    blocks: images,
    dy: { step: 1, line: length, block: dyImage },
    x: { step: 1, line: width, block: xImage },
  };
  const across: Walk = {
    along: 'images',
    length: images,
    lines: length,
    blocks: lines,
    dy: { step: dyImage, line: 1, block: length },
    x: { step: xImage, line: 1, block: width },
  };
  return images > 1 ? [rows, across] : [rows];
}

/** Units of one group. */
export function unitsOf({ channels, kernel }: LearnLayer, tile: LearnTile): number {
  return Math.ceil(channels / tile.channels) * (kernel[0] / tile.rows) * Math.ceil(kernel[1] / tile.columns);
}

/**
 * Instructions of a processor that plays the GPU, for four invocations (as in conv2d_choice.ts): a load or store, a
 * multiply-add, a variable that a turn of the loop carries, a swap, a bound, what a turn and an invocation cost besides; and
 * what it takes to compile a multiply-add of a turn, shared out among some thousand steps of training.
 */
const PRICE = { access: 95, multiplyAdd: 4, carry: 12, swap: 3, bound: 5, turn: 100, invocation: 150, compile: 300 } as const;

/** Accumulators of a tile, and multiply-adds of a turn: more would take long to compile. */
const MOST_ACCUMULATORS = 168;
const MOST_MULTIPLY_ADDS = 1400;
/** Of a GPU, whose registers are few. */
const GPU_ACCUMULATORS = 48;
/** Columns of a kernel that one unit covers. */
const MOST_COLUMNS = 16;

/** Columns of a unit: all, or a part after which phases repeat, or one. */
function columnsOf({ kernel, stride, dilation }: LearnLayer): number {
  if (kernel[1] <= MOST_COLUMNS) return kernel[1];
  const period = Array.from({ length: stride[1] }, (_, i) => i + 1).find((columns) => (columns * dilation[1]) % stride[1] === 0)!;
  return period > MOST_COLUMNS ? 1 : period * Math.floor(MOST_COLUMNS / period);
}

/** Loads of x in one turn. */
function samples({ stride, dilation }: LearnLayer, { channels, rows, columns, run }: LearnTile, along: Walk['along']): number {
  const inRow = new Set<string>();
  for (let column = 0; column < columns; column++) {
    const tap = column * dilation[1];
    for (let j = 0; j < run; j++) inRow.add(along === 'rows' ? `${tap % stride[1]} ${Math.floor(tap / stride[1]) + j}` : `${tap} ${j}`);
  }
  return channels * rows * inRow.size;
}

export interface LearnPlan {
  readonly tile: LearnTile;
  readonly walk: Walk;
  readonly spread: boolean;
  readonly units: number;
  /** Invocations of one group: whole quads where these share loads. */
  readonly padded: number;
  readonly cost: number;
}

/** What a tile costs along a walk. */
export function learnCost(layer: LearnLayer, walk: Walk, tile: LearnTile, spread: boolean): Pick<LearnPlan, 'units' | 'padded' | 'cost'> {
  const { tileM, channels, rows, columns, run } = tile;
  const units = unitsOf(layer, tile);
  const padded = spread ? 4 * Math.ceil(units / 4) : units;
  const quads = ((layer.groups * padded) / 4) * Math.ceil(layer.outputs / tileM);
  const accumulators = tileM * channels * rows * columns;
  const loaded = (tileM * run) / (spread ? 4 : 1);
  const ragged = walk.length % run > 0;
  const sampled = samples(layer, tile, walk.along);
  const turn =
    (loaded + sampled) * (PRICE.access + (ragged ? PRICE.bound : 0)) +
    (spread ? 3 * loaded * PRICE.swap : 0) +
    accumulators * (run * PRICE.multiplyAdd + PRICE.carry) +
    PRICE.turn;
  const turns = walk.blocks * walk.lines * Math.ceil(walk.length / run);
  return { units, padded, cost: quads * (turns * turn + accumulators * PRICE.access + PRICE.invocation) + accumulators * run * PRICE.compile };
}

/** The cheapest tile and walk. */
export function learnPlan(layer: LearnLayer, walks: readonly Walk[], { software, subgroups }: Pick<Capabilities, 'software' | 'subgroups'>): LearnPlan {
  const spread = software && subgroups && layer.outputs > 2;
  const [accumulators, multiplyAdds] = software ? [MOST_ACCUMULATORS, MOST_MULTIPLY_ADDS] : [GPU_ACCUMULATORS, 4 * GPU_ACCUMULATORS];
  const columns = columnsOf(layer);
  const plans: LearnPlan[] = [];
  for (const tileM of spread ? [4, 8, 12, 16, 24, 32] : [1, 2, 4, 8, 16]) {
    if (tileM >= 2 * layer.outputs && tileM > (spread ? 4 : 1)) continue;
    for (const channels of [1, 2, 4, 8]) {
      if (channels >= 2 * layer.channels) continue;
      for (const rows of new Set([1, layer.kernel[0]])) {
        for (const run of [1, 2, 3, 4, 6, 8, 12]) {
          const tile = { tileM, channels, rows, columns, run };
          const size = tileM * channels * rows * columns;
          // The smallest tile is always there.
          const smallest = run === 1 && rows === 1 && channels === 1 && tileM <= 4;
          if (!smallest && (size > accumulators || size * run > multiplyAdds)) continue;
          for (const walk of walks) {
            if (run === 1 || run < 2 * walk.length) plans.push({ tile, walk, spread, ...learnCost(layer, walk, tile, spread) });
          }
        }
      }
    }
  }
  return plans.reduce((best, plan) => (plan.cost < best.cost ? plan : best));
}
