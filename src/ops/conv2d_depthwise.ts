/** Depthwise convolution: a tile of results from the samples around it, without a copy of the input. */
import {
  backwardAxis,
  depthwise,
  DEPTHWISE_WORDS,
  depthwiseGrid,
  depthwiseSizes,
  forwardAxis,
  type DepthwiseAxis,
  type DepthwiseSizes,
} from '../../shaders/depthwise.wgsl.ts';
import type { Problem } from './conv2d_problem.ts';
import type { Choice, Recorder } from './op.ts';

/** Tiles that are tried, the largest first: results of a row and of a column forward, windows of them backward. */
const TILES = [
  [4, 4],
  [2, 4],
  [2, 2],
  [1, 2],
  [1, 1],
] as const;
/** Samples of a tile; more would take long to compile. */
const MOST_SAMPLES = 50;
/** Results and taps of a tile: every one is written out, so a large stride or filter is left to other kernels. */
const MOST_RESULTS = 256;
const MOST_TAPS = 225;

export interface DepthwisePlan {
  readonly vertical: DepthwiseAxis;
  readonly horizontal: DepthwiseAxis;
  readonly sizes: DepthwiseSizes;
  /** Loads and stores of one invocation. */
  readonly accesses: number;
}

/** The tile for a layer with one filter a channel, of moderate size; undefined for other layers. */
export function depthwisePlan(p: Problem): DepthwisePlan | undefined {
  const { layer, x, y, gate } = p;
  if (layer.weight.shape[1] !== 1 || layer.weight.shape[0] !== p.groups || p.groups === 1) return undefined;
  const [n, channels, inHeight, inWidth] = x.shape as [number, number, number, number];
  const [, , outHeight, outWidth] = y.shape as [number, number, number, number];
  const make = layer.transposed ? backwardAxis : forwardAxis;
  const axis = (i: 0 | 1, size: number): DepthwiseAxis =>
    make({ kernel: layer.weight.shape[2 + i]!, stride: layer.stride[i], dilation: layer.dilation[i], before: layer.padding[i] }, size);
  const options = TILES.map(([rows, columns]) => ({ vertical: axis(0, rows), horizontal: axis(1, columns) })).filter(
    (option) => option.vertical.results * option.horizontal.results <= MOST_RESULTS,
  );
  if (options.length === 0 || layer.weight.shape[2]! * layer.weight.shape[3]! > MOST_TAPS) return undefined;
  const loads = ({ vertical, horizontal }: (typeof options)[number]): number => vertical.samples.length * horizontal.samples.length * (gate ? 2 : 1);
  const { vertical, horizontal } = options.find((option) => loads(option) <= MOST_SAMPLES) ?? options.at(-1)!;
  const tiles = (a: DepthwiseAxis, size: number): number => Math.ceil((size - a.resultOffset) / a.results);
  const tilesY = tiles(vertical, outHeight);
  const tilesX = tiles(horizontal, outWidth);
  const results = vertical.results * horizontal.results * (p.accumulate ? 2 : 1);
  return {
    vertical,
    horizontal,
    sizes: { count: n * channels * tilesY * tilesX, channels, tilesY, tilesX, inHeight, inWidth, outHeight, outWidth },
    accesses: loads({ vertical, horizontal }) + vertical.taps * horizontal.taps + results,
  };
}

export function recordDepthwise(recorder: Recorder, p: Problem, { vertical, horizontal, sizes }: DepthwisePlan, choice: Choice): void {
  const { gate, bias, layer } = p;
  const s = recorder.constant(`${p.pass}.depthwise.sizes`, [DEPTHWISE_WORDS], () => depthwiseSizes(sizes));
  const w = recorder.constant('depthwise.weight', layer.weight.shape, () => layer.weight.data);
  // One value a channel: phases of a transposed layer share it.
  const b = bias && recorder.constant('channel bias', [p.groups], () => bias.filter((_, row) => row % p.outputs === 0));
  recorder.dispatch({
    kernel: 'depthwise',
    code: depthwise({ vertical, horizontal, bias: b !== undefined, activation: p.activation, ...(gate && { gate }), accumulate: p.accumulate }),
    tensors: { sizes: s, x: p.x, ...(gate && { gateBy: gate.by }), w, ...(b && { bias: b }), y: p.y },
    grid: depthwiseGrid(sizes),
    flops: p.flops,
    choice,
  });
}
