/**
 * Which kernel a convolution takes: the one place where that is decided. Every candidate has a predicted cost; a
 * measurement of the same shape on the same adapter, or a person's wish, overrules the prediction.
 */
import { conv2dPositions } from '../../shaders/conv2d.wgsl.ts';
import type { SharedTile } from '../../shaders/conv2d_shared.wgsl.ts';
import type { Capabilities } from '../gpu/capabilities.ts';
import { depthwisePlan, recordDepthwise } from './conv2d_depthwise.ts';
import { layoutOf, recordDirect } from './conv2d_direct.ts';
import { gpuDirectCost, gpuElementCost, gpuSharedCost, gpuTransformCost, partsFor, type Work } from './conv2d_gpu_price.ts';
import type { Problem } from './conv2d_problem.ts';
import { recordShared, SHARED_TILES, sharedLayer } from './conv2d_shared.ts';
import { tilesFor, workgroupFor, type Tile } from './conv2d_tile.ts';
import { recordWinograd, winogradShape, type WinogradShape } from './conv2d_winograd.ts';
import type { Choice, Recorder } from './op.ts';
import { elements } from './shape.ts';
import { WINOGRAD_SIZES } from './winograd.ts';

export interface Candidate {
  /** e.g. `direct` or `winograd 4x4`: the family, without its tile. */
  readonly variant: string;
  readonly tile: Tile;
  /** Predicted, in the unit of the adapter's class; only ratios count. */
  readonly cost: number;
  record(recorder: Recorder, choice: Choice): void;
}

/**
 * Prices of a software adapter, in instructions of a processor that runs four invocations at once (read off the code
 * that SwiftShader makes of these kernels): a load or store is checked and gathered lane by lane, a multiply-add is a
 * load, a multiply and an add, and a loop blends every variable that it carries.
 */
const SOFTWARE = { access: 95, multiplyAdd: 4, carry: 12, swap: 3, invocation: 120 } as const;

/** The register-tile kernel over an input that is laid out. */
function tileCost({ tileM, tileP }: Tile, w: Work, c: Capabilities): number {
  if (!c.software) return gpuDirectCost({ tileM, tileP }, w);
  const price = SOFTWARE;
  const across = Math.ceil(w.positions / tileP);
  const workgroup = workgroupFor(across, c.software);
  const invocations = Math.ceil(across / workgroup) * workgroup * w.groups * Math.ceil(w.outputs / tileM) * w.images;
  // Multiply-adds of one accumulator per turn of the loop: a row of taps, a small kernel, or four channels.
  const taps = w.rows * w.columns;
  const unroll = taps === 1 ? 4 : taps <= 4 ? taps : w.columns;
  const weights = (w.columns * tileM) / 4;
  const accesses = weights + tileP + w.columns - 1;
  const perRow =
    accesses * price.access + 3 * weights * price.swap + w.columns * tileM * tileP * price.multiplyAdd + (tileM * tileP * price.carry * w.columns) / unroll;
  return (invocations / 4) * (w.channels * w.rows * perRow + tileM * tileP * price.access + price.invocation);
}

function directCandidates(p: Problem, c: Capabilities): Candidate[] {
  const layout = layoutOf(p);
  const positions = conv2dPositions({ outHeight: p.outHeight, outWidth: p.outWidth, width: layout.width });
  const [n, channels] = p.x.shape as [number, number];
  const copied = layout.aligned && !p.gate ? 0 : n * channels * p.stride[0] * p.stride[1] * layout.height * layout.width;
  const [reads, writes] = [p.gate ? 2 : 1, 1];
  const copying = c.software ? (copied / 4) * ((reads + writes) * SOFTWARE.access + SOFTWARE.invocation) : gpuElementCost(copied, reads, writes);
  const copies = copied === 0 ? 0 : copying;
  const work = { groups: p.groups, channels: p.channels, outputs: p.outputs, positions, images: n, rows: p.kernel[0], columns: p.kernel[1] };
  return tilesFor(p.outputs, positions, p.kernel[0] * p.kernel[1], c.software).map((tile) => ({
    variant: 'direct',
    tile,
    cost: copies + tileCost(tile, work, c),
    record: (recorder, choice) => recordDirect(recorder, p, tile, choice),
  }));
}

/** Transforms of Winograd convolution on a software adapter. */
function transformCost(p: Problem, { products, outputs, channels, tiles }: WinogradShape): number {
  const price = SOFTWARE;
  const inputs = (p.groups * channels * tiles) / 4;
  const made = (p.groups * p.outputs * tiles) / 4;
  const adds = 2 * products ** 1.5;
  return (
    inputs * (products * (p.gate ? 3 : 2) * (price.access + 6) + adds + price.invocation) +
    made * ((products + outputs ** 2 * (p.accumulate ? 2 : 1)) * price.access + adds + price.invocation)
  );
}

function winogradCandidates(p: Problem, c: Capabilities): Candidate[] {
  return WINOGRAD_SIZES.flatMap((size) => {
    const shape = winogradShape(p, size);
    if (!shape || Math.max(...shape.bytes) > c.maxBinding) return [];
    const { products, outputs, tiles, channels, taps } = shape;
    const transforms = c.software ? transformCost(p, shape) : gpuTransformCost(p, shape);
    const work = { groups: products * p.groups, channels, outputs: p.outputs, positions: tiles, images: 1, rows: 1, columns: 1 };
    const variant = `winograd ${outputs}x${outputs}, ${taps}x${taps}`;
    const one = (name: string, tile: Tile | SharedTile, cost: number): Candidate => ({
      variant: name,
      tile: 'depth' in tile ? { tileM: tile.rows, tileP: tile.columns } : tile,
      cost: transforms + cost,
      record: (recorder, choice) => recordWinograd(recorder, p, shape, tile, choice),
    });
    return [
      ...tilesFor(p.outputs, tiles, 1, c.software).map((tile) => one(variant, tile, tileCost(tile, work, c))),
      ...(sharedTiles(c) ? SHARED_TILES.map((tile) => one(`${variant}, shared`, tile, gpuSharedCost(tile, work, 1))) : []),
    ];
  });
}

/** Workgroup memory and barriers are what a software adapter is slowest at: there only a person asks for them. */
const sharedTiles = (c: Capabilities): boolean => !c.software || (c.kernels?.forced?.includes('shared') ?? false);

/** Tiles in workgroup memory, each in as many parts of its terms as are predicted to cost least. */
function sharedCandidates(p: Problem, c: Capabilities): Candidate[] {
  const layer = sharedLayer(p);
  if (!layer) return [];
  const positions = p.outHeight * p.outWidth;
  const work = { groups: p.groups, channels: p.channels, outputs: p.outputs, positions, images: layer.images, rows: p.kernel[0], columns: p.kernel[1] };
  const fits = (parts: number): boolean => parts === 1 || 4 * parts * p.groups * p.outputs * layer.images * positions <= c.maxBinding;
  const counts = partsFor(p.channels * elements(p.kernel)).filter(fits);
  return SHARED_TILES.flatMap((tile) =>
    counts.map((parts) => ({
      variant: `shared ${tile.tileM}x${tile.tileP}`,
      tile: { tileM: tile.rows, tileP: tile.columns },
      cost: gpuSharedCost(tile, work, parts),
      record: (recorder: Recorder, choice: Choice) => recordShared(recorder, p, layer, tile, parts, choice),
    })),
  );
}

/** What a measurement is filed under: everything that the speed depends on. */
export function conv2dKey(p: Problem): string {
  const { pass, groups, channels, outputs, kernel, stride, dilation, outHeight, outWidth, gate, accumulate } = p;
  const marks = [gate && 'gated', p.shuffle && `phases ${p.shuffle.phase}`, accumulate && 'added'].filter(Boolean).join(' ');
  return `conv2d ${pass} n${p.x.shape[0]} g${groups} ${channels}>${outputs} k${kernel} s${stride} d${dilation} ${outHeight}x${outWidth} ${marks}`.trim();
}

/** One filter a channel: loads are all that counts, on any adapter. */
function depthwiseCandidates(p: Problem, c: Capabilities): Candidate[] {
  const plan = depthwisePlan(p);
  if (!plan) return [];
  const { vertical, horizontal, sizes, accesses } = plan;
  const multiplyAdds = vertical.results * horizontal.results * vertical.taps * horizontal.taps;
  const cost = c.software
    ? (sizes.count / 4) * (accesses * SOFTWARE.access + multiplyAdds * SOFTWARE.multiplyAdd + SOFTWARE.invocation)
    : gpuElementCost(sizes.count, accesses, 0);
  return [{ variant: 'depthwise', tile: { tileM: vertical.results, tileP: horizontal.results }, cost, record: (recorder, choice) => recordDepthwise(recorder, p, plan, choice) }];
}

/** Every kernel that can do the work, the best tile of each family, cheapest first. */
export function conv2dCandidates(p: Problem, c: Capabilities): Candidate[] {
  const families = new Map<string, Candidate>();
  for (const candidate of [...depthwiseCandidates(p, c), ...directCandidates(p, c), ...winogradCandidates(p, c), ...(sharedTiles(c) ? sharedCandidates(p, c) : [])]) {
    const known = families.get(candidate.variant);
    if (!known || candidate.cost < known.cost) families.set(candidate.variant, candidate);
  }
  return [...families.values()].sort((a, b) => a.cost - b.cost);
}

/** Records the kernel that is chosen for the problem. */
export function recordChosen(recorder: Recorder, p: Problem): void {
  const { capabilities } = recorder;
  const candidates = conv2dCandidates(p, capabilities);
  const { forced, measured } = capabilities.kernels ?? {};
  const named = (variant: string | undefined): Candidate | undefined => candidates.find((candidate) => variant !== undefined && candidate.variant.startsWith(variant));
  const wished = named(forced);
  const timed = named(measured?.get(conv2dKey(p)));
  const chosen = wished ?? timed ?? candidates[0]!;
  const other = candidates.find((candidate) => candidate !== chosen);
  const { tileM, tileP } = chosen.tile;
  const why = wished
    ? 'asked for'
    : timed
      ? 'the fastest when measured on this adapter'
      : other
        ? `predicted ${(other.cost / chosen.cost).toFixed(1)}x faster than ${other.variant}`
        : `the only kernel for ${elements(p.kernel) === 1 ? 'one tap' : 'this shape'}`;
  chosen.record(recorder, { variant: `${chosen.variant}, tile ${tileM}x${tileP}`, why });
}
