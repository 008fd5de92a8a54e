/**
 * What a convolution kernel costs on a GPU, in cycles of one core: a roofline with the cores that stay idle.
 *   time = max(turns x max(issue / busy, fetched / CACHE), moved / MEMORY) + LAUNCH
 *   turns: workgroups of one core, 1 where there are fewer than cores;  busy = warps / (warps + HALF / sqrt(accumulators)),
 *   warps in flight there: a warp with many accumulators has more multiply-adds that do not wait for each other
 *   issue: a warp's multiply-adds and, partly hidden behind them, its accesses;  fetched: what a workgroup reads through
 *   the cache;  moved: every tensor once, to or from memory
 * WebGPU does not tell a page how many cores there are. The numbers are those of the GPUs that most people have (64 cores
 * of 128 multiply-adds a cycle); what counts is that kernels are ranked right, and a measurement overrules them.
 */
import { sharedWorkgroup, type SharedTile } from '../../shaders/conv2d_shared.wgsl.ts';
import type { Problem } from './conv2d_problem.ts';
import { workgroupFor, type Tile } from './conv2d_tile.ts';
import type { WinogradShape } from './conv2d_winograd.ts';

const CORES = 64;
const WARP = 32;
/** Cycles of a core for one multiply-add of each invocation of a warp. */
const FMA = 1 / 4;
/** For 128 bytes that a warp reads at once: half of it hides behind multiply-adds. */
const ACCESS = 1 / 2;
/** For four gathered values with their bounds, and for four that lie in a row. */
const GATHER = 12;
const QUAD = 4;
/** Warps of one accumulator that keep a core half busy; registers of a core. */
const HALF = 16;
const REGISTERS = 65536;
/** Bytes per cycle: of one core through the shared cache, of the whole GPU from memory. */
const CACHE = 24;
const MEMORY = 1024;
/** Starting a dispatch and waiting for the one before: 2 or 3 us. */
const LAUNCH = 4000;

interface Launch {
  readonly workgroups: number;
  /** Of one workgroup. */
  readonly invocations: number;
  /** Accumulators of one invocation. */
  readonly accumulators: number;
  /** Cycles of one warp. */
  readonly issue: number;
  /** Bytes of one workgroup, and of all tensors. */
  readonly fetched: number;
  readonly moved: number;
}

function launchCost({ workgroups, invocations, accumulators, issue, fetched, moved }: Launch): number {
  const turns = Math.max(1, workgroups / CORES);
  const warps = Math.ceil(invocations / WARP);
  const fit = Math.max(1, REGISTERS / (1.5 * accumulators + 40) / (warps * WARP));
  const inFlight = warps * Math.min(turns, fit);
  const busy = inFlight / (inFlight + HALF / Math.sqrt(accumulators));
  return Math.max(turns * Math.max((warps * issue) / busy, fetched / CACHE), moved / MEMORY) + LAUNCH;
}

/** A product of matrices with gathered columns: what both kernels compute. */
export interface Work {
  readonly groups: number;
  /** Of one group. */
  readonly channels: number;
  readonly outputs: number;
  /** Of one image. */
  readonly positions: number;
  readonly images: number;
  readonly rows: number;
  readonly columns: number;
}

/** Bytes of x, w and y. */
function bytesOf({ groups, channels, outputs, positions, images, rows, columns }: Work): number {
  return 4 * groups * (images * positions * (channels + outputs) + outputs * channels * rows * columns);
}

/** Reads in pieces of 128 bytes that a warp needs where neighbours lie so many words apart. */
const pieces = (words: number): number => Math.min(WARP, Math.max(1, words));

/** The kernel of register tiles without workgroup memory, over an input that is laid out. */
export function gpuDirectCost({ tileM, tileP }: Tile, w: Work): number {
  const across = Math.ceil(w.positions / tileP);
  const invocations = workgroupFor(across, false);
  const inputs = tileP + w.columns - 1;
  const perRow = (w.columns * tileM * tileP) * FMA + ((w.columns * tileM) / 4 + inputs * pieces(tileP)) * ACCESS;
  const turns = w.channels * w.rows;
  return launchCost({
    workgroups: Math.ceil(across / invocations) * w.groups * Math.ceil(w.outputs / tileM) * w.images,
    invocations,
    accumulators: tileM * tileP,
    issue: turns * perRow + tileM * tileP,
    fetched: 4 * turns * (w.columns * tileM + invocations * tileP),
    moved: bytesOf(w),
  });
}

/** The kernel of tiles in workgroup memory, its terms divided among `parts` workgroups. */
export function gpuSharedCost(tile: SharedTile, w: Work, parts: number): number {
  const { tileM, tileP, rows, columns, depth } = tile;
  const invocations = sharedWorkgroup(tile);
  const taps = w.rows * w.columns;
  const positions = w.images * w.positions;
  const terms = Math.ceil(Math.ceil((w.channels * taps) / depth) / parts) * depth;
  // A warp reads as many different quads of x as it has columns of invocations; quads of w are the same for most of it.
  const reads = rows / 4 + (columns / 4) * Math.max(1, Math.min(WARP, tileP / columns) / 8);
  const perTerm = rows * columns * FMA + reads * ACCESS + ((tileP * (taps > 1 ? GATHER : GATHER / 2)) / 4 + (tileM * QUAD) / 4) / invocations;
  const made = 4 * w.groups * w.outputs * positions;
  const product = launchCost({
    workgroups: Math.ceil(positions / tileP) * w.groups * Math.ceil(w.outputs / tileM) * parts,
    invocations,
    accumulators: rows * columns,
    issue: terms * perTerm + rows * columns,
    // Neighbouring taps of a window find most of their input in the first cache.
    fetched: 4 * terms * (tileM + tileP / (taps > 1 ? 2 : 1)),
    moved: bytesOf(w) + (parts > 1 ? (parts - 1) * made : 0),
  });
  return parts === 1 ? product : product + gpuElementCost(w.groups * w.outputs * positions, parts, 1);
}

/** A kernel of one invocation per element: so many words that each reads and writes, and multiply-adds. */
export function gpuElementCost(count: number, reads: number, writes: number, multiplyAdds = 0): number {
  return launchCost({
    workgroups: count / 64,
    invocations: 64,
    accumulators: writes,
    issue: multiplyAdds * FMA + 2 * (reads + writes) * ACCESS + 10,
    fetched: 0,
    moved: 4 * count * (reads + writes),
  });
}

/** Both transforms of Winograd convolution. */
export function gpuTransformCost(p: Problem, { products, outputs, tiles, channels }: WinogradShape): number {
  const adds = 2 * products ** 1.5;
  // A tile overlaps its neighbours: what they share is in a cache.
  const read = outputs ** 2 * (p.gate ? 2 : 1);
  return (
    gpuElementCost(p.groups * channels * tiles, read, products, adds) +
    gpuElementCost(p.groups * p.outputs * tiles, products + (p.accumulate ? outputs ** 2 : 0), outputs ** 2, adds)
  );
}

/** Numbers of parts worth a try: each long enough to be worth its start. */
export function partsFor(terms: number): number[] {
  return [1, 2, 4, 8, 16].filter((parts) => parts === 1 || terms >= 64 * parts);
}
