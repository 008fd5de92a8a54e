/**
 * Which kernel a convolution takes: the one place where that is decided. Every candidate has a predicted cost; a
 * measurement of the same shape on the same adapter, or a person's wish, overrules the prediction.
 */
import { conv2dPositions } from '../../shaders/conv2d.wgsl.ts';
import type { SharedTile } from '../../shaders/conv2d_shared.wgsl.ts';
import type { Capabilities } from '../gpu/capabilities.ts';
import { depthwisePlan, recordDepthwise } from './conv2d_depthwise.ts';
import { layoutOf, LOOP_STORES, recordDirect } from './conv2d_direct.ts';
import { gpuDirectCost, gpuElementCost, gpuSharedCost, gpuTransformCost, partsFor, type Work } from './conv2d_gpu_price.ts';
import { factorOf, isCalled, isShared, sharedName, withTile } from './conv2d_kernels.ts';
import type { Problem } from './conv2d_problem.ts';
import { recordShared, SHARED_TILES, sharedLayer } from './conv2d_shared.ts';
import { tilesFor, workgroupFor, type Tile } from './conv2d_tile.ts';
import { recordWinograd, winogradShape, type WinogradShape } from './conv2d_winograd.ts';
import type { Choice, Recorder } from './op.ts';
import { elements } from './shape.ts';
import { WINOGRAD_EXACT, WINOGRAD_SIZES } from './winograd.ts';

export interface Candidate {
  /** e.g. `direct` or `winograd 4x4, 3x3`: the kernel, without its tile. */
  readonly variant: string;
  readonly tile: Tile;
  /** Predicted, in the unit of the adapter's class; only ratios count. */
  readonly cost: number;
  /** Rounds a few times more than the direct sum: not where decisions of ReLU and max pooling are to be differentiated. */
  readonly coarse?: boolean;
  record(recorder: Recorder, choice: Choice): void;
}

/**
 * Prices of a software adapter, in instructions of a processor that runs four invocations at once (read off the code
 * that SwiftShader makes of these kernels): a load or store is checked and gathered lane by lane, a multiply-add is a
 * load, a multiply and an add, and a loop blends every variable that it carries.
 */
const SOFTWARE = { access: 95, multiplyAdd: 4, carry: 12, swap: 3, select: 40, invocation: 120 } as const;

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
  return (invocations / 4) * (w.channels * w.rows * perRow + tileM * tileP * (price.access + (tileM * tileP >= LOOP_STORES ? price.select : 0)) + price.invocation);
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
  if (c.moved) return [];
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
      coarse: size > WINOGRAD_EXACT,
      record: (recorder, choice) => recordWinograd(recorder, p, shape, tile, choice),
    });
    return [
      ...tilesFor(p.outputs, tiles, 1, c.software).map((tile) => one(variant, tile, tileCost(tile, work, c))),
      ...SHARED_TILES.map((tile) => one(`${variant}, shared`, tile, gpuSharedCost(tile, work, 1))),
    ];
  });
}

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
      variant: sharedName(tile),
      tile: { tileM: tile.rows, tileP: tile.columns },
      cost: gpuSharedCost(tile, work, parts),
      record: (recorder: Recorder, choice: Choice) => recordShared(recorder, p, layer, tile, parts, choice),
    })),
  );
}

/** What a measurement is filed under: everything that the speed depends on. */
export function conv2dKey(p: Problem, { f16 }: Capabilities): string {
  const { pass, groups, channels, outputs, kernel, stride, dilation, insert, top, left, outHeight, outWidth, gate, accumulate, decides } = p;
  const [n, , height, width] = p.x.shape as [number, number, number, number];
  const marks = [
    insert[0] * insert[1] > 1 && `spread ${insert}`,
    p.shuffle && `phases ${p.shuffle.phase}`,
    gate && 'gated',
    accumulate && 'added',
    decides && 'decides',
    f16 && 'f16',
  ].filter(Boolean);
  const window = `k${kernel} s${stride} d${dilation} p${top},${left}`;
  return ['conv2d', pass, `n${n} g${groups}`, `${channels}>${outputs}`, window, `${height}x${width}>${outHeight}x${outWidth}`, ...marks].join(' ');
}

/** One filter a channel: loads are all that counts, on any adapter. */
function depthwiseCandidates(p: Problem, c: Capabilities): Candidate[] {
  const plan = depthwisePlan(p);
  if (!plan) return [];
  const { vertical, horizontal, sizes, accesses } = plan;
  const results = vertical.results * horizontal.results;
  const multiplyAdds = results * vertical.taps * horizontal.taps;
  const cost = c.software
    ? (sizes.count / 4) * (accesses * SOFTWARE.access + multiplyAdds * SOFTWARE.multiplyAdd + SOFTWARE.invocation)
    : gpuElementCost(sizes.count, accesses - results, results, multiplyAdds);
  return [{ variant: 'depthwise', tile: { tileM: vertical.results, tileP: horizontal.results }, cost, record: (recorder, choice) => recordDepthwise(recorder, p, plan, choice) }];
}

/**
 * 0 for what predictions choose among; more for what is taken only by who asks: rounding that may decide a ReLU or a
 * maximum otherwise in a forward pass whose gradient will be asked for; workgroup memory and barriers on a software
 * adapter, which is slowest at them, and whose prices they do not have.
 */
const reserve = ({ variant, coarse = false }: Candidate, p: Problem, { software }: Capabilities): number =>
  Number(p.decides && coarse) + 2 * Number(software && isShared(variant));

/** The predicted cost, corrected by what was measured. */
const price = ({ variant, cost }: Candidate, { kernels }: Capabilities): number => cost * factorOf(variant, kernels);

/** Every kernel that can do the work, the best tile of each, in the order in which they are taken. */
export function conv2dCandidates(p: Problem, c: Capabilities): Candidate[] {
  const best = new Map<string, Candidate>();
  for (const candidate of [...depthwiseCandidates(p, c), ...directCandidates(p, c), ...winogradCandidates(p, c), ...sharedCandidates(p, c)]) {
    const known = best.get(candidate.variant);
    if (!known || candidate.cost < known.cost) best.set(candidate.variant, candidate);
  }
  return [...best.values()].sort((a, b) => reserve(a, p, c) - reserve(b, p, c) || price(a, c) - price(b, c));
}

/** Records the kernel that is chosen for the problem. */
export function recordChosen(recorder: Recorder, p: Problem): void {
  const { capabilities } = recorder;
  const { forced, measured, factors } = capabilities.kernels ?? {};
  const candidates = conv2dCandidates(p, capabilities);
  const key = conv2dKey(p, capabilities);
  const wished = forced === undefined ? undefined : candidates.find(({ variant }) => isCalled(variant, forced));
  const timed = candidates.find((candidate) => candidate.variant === measured?.get(key) && !(p.decides && candidate.coarse));
  const chosen = wished ?? timed ?? candidates[0]!;
  const other = candidates.find((candidate) => candidate !== chosen && reserve(candidate, p, capabilities) === 0);
  const why = wished
    ? 'asked for'
    : timed
      ? 'the fastest when measured on this adapter'
      : other
        ? `predicted ${(price(other, capabilities) / price(chosen, capabilities)).toFixed(1)}x faster than ${other.variant}${factors ? ', corrected by measurements of this adapter' : ''}`
        : `the only kernel for ${elements(p.kernel) === 1 ? 'one tap' : 'this shape'}`;
  const { variant, tile, cost } = chosen;
  chosen.record(recorder, { variant: withTile(variant, tile), why, key, cost, ...(reserve(chosen, p, capabilities) > 0 && { onRequest: true }) });
}
