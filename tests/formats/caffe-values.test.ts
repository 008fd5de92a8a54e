/** What the layers of Caffe compute: each against a plain loop of its definition, through the loader and the engine. */
import { describe, expect, test } from 'vitest';
import { feed } from '../../src/methods/activations.ts';
import { compile } from '../../src/scheduler/compile.ts';
import { Runner } from '../../src/scheduler/runner.ts';
import { useEngine } from '../gpu.ts';
import type { Blob } from './caffe-builder.ts';
import { INPUT, layer, load, ramp } from './caffe-loading.ts';

const engine = useEngine();

/** [1, 4, 6, 5] of numbers of both signs, none at a kink. */
const SHAPE = [1, 4, 6, 5];
const COUNT = 120;
const x = Float32Array.from({ length: COUNT }, (_, i) => Math.fround(Math.sin(1.7 * i) + 0.03 * (i % 7)));
const at = (c: number, h: number, w: number): number => x[(c * 6 + h) * 5 + w]!;
const map = (f: (value: number, channel: number, index: number) => number): number[] => Array.from(x, (value, i) => f(value, Math.floor(i / 30), i));
const blobOf = (shape: number[], data: ArrayLike<number>): Blob => ({ shape, data });

/** Layers that end in 'a'. */
async function run(text: string, blobs: Readonly<Record<string, readonly Blob[]>>): Promise<Float32Array> {
  const net = await load(`${INPUT} ${text}`, blobs);
  const runner = await Runner.create(engine(), compile(net, { layers: ['a'], capabilities: engine().capabilities }));
  feed(runner, net, { shape: SHAPE, data: x });
  runner.run(['forward']);
  const { data } = await runner.read('a');
  runner.dispose();
  return data;
}

const branches = (type: string, more: string): string => `${layer('b', 'Power', 'power_param { scale: -2 shift: 0.5 }')} ${layer('c', 'Sigmoid')} layer { name: "a" type: "${type}" bottom: "data" bottom: "b" bottom: "c" top: "a" ${more} }`;
const second = (value: number): number => 0.5 - 2 * value;
const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));

/** y[m, oy, ox]: every number of x is spread over a window, as the gradient of a convolution is. */
function deconvolved(weight: readonly number[], bias: readonly number[], groups: number, outputs: number, [kernelH, kernelW]: [number, number], stride: number, pad: number): number[] {
  const [height, width] = [5 * stride + kernelH - 2 * pad, 4 * stride + kernelW - 2 * pad];
  const y = Array.from({ length: outputs * height * width }, (_, i) => bias[Math.floor(i / (height * width))]!);
  const each = outputs / groups;
  for (let c = 0; c < 4; c++) for (let m = 0; m < each; m++) for (let h = 0; h < 6; h++) for (let w = 0; w < 5; w++) for (let ky = 0; ky < kernelH; ky++) for (let kx = 0; kx < kernelW; kx++) {
    const [oy, ox] = [h * stride + ky - pad, w * stride + kx - pad];
    if (oy < 0 || ox < 0 || oy >= height || ox >= width) continue;
    const output = Math.floor(c / (4 / groups)) * each + m;
    y[(output * height + oy) * width + ox]! += at(c, h, w) * weight[((c * each + m) * kernelH + ky) * kernelW + kx]!;
  }
  return y;
}

const slopes = [0.25, -0.5, 0, 2];
const ROWS = [0.5, -1, 2, 0.25, 3, -2];
const planeOf = (c: number): Float32Array => x.subarray(30 * c, 30 * (c + 1));
const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);

describe('a layer of Caffe computes what Caffe does', () => {
  test.each<[string, string, Record<string, Blob[]>, number[]]>([
    ['ReLU with a slope', layer('a', 'ReLU', 'relu_param { negative_slope: 0.1 }'), {}, map((v) => (v > 0 ? v : 0.1 * v))],
    ['PReLU', layer('a', 'PReLU'), { a: [blobOf([4], slopes)] }, map((v, c) => (v > 0 ? v : slopes[c]! * v))],
    ['PReLU, one slope', layer('a', 'PReLU', 'prelu_param { channel_shared: true }'), { a: [blobOf([], [0.3])] }, map((v) => (v > 0 ? v : 0.3 * v))],
    ['ELU', layer('a', 'ELU', 'elu_param { alpha: 0.7 }'), {}, map((v) => (v > 0 ? v : 0.7 * (Math.exp(v) - 1)))],
    ['Sigmoid, TanH', `${layer('b', 'Sigmoid')} ${layer('a', 'TanH', '', 'b')}`, {}, map((v) => Math.tanh(sigmoid(v)))],
    ['Swish', layer('a', 'Swish', 'swish_param { beta: 1.5 }'), {}, map((v) => v * sigmoid(1.5 * v))],
    ['BNLL of AbsVal', `${layer('b', 'AbsVal')} ${layer('a', 'BNLL', '', 'b')}`, {}, map((v) => Math.log(1 + Math.exp(Math.abs(v))))],
    ['Exp to a base', layer('a', 'Exp', 'exp_param { base: 2 scale: 3 shift: -1 }'), {}, map((v) => 2 ** (3 * v - 1))],
    ['Exp', layer('a', 'Exp'), {}, map((v) => Math.exp(v))],
    ['Log to a base', layer('a', 'Log', 'log_param { base: 10 scale: 0.5 shift: 2 }'), {}, map((v) => Math.log10(0.5 * v + 2))],
    ['Power', layer('a', 'Power', 'power_param { power: 3 scale: 0.5 shift: -1 }'), {}, map((v) => (0.5 * v - 1) ** 3)],
    ['Clip', layer('a', 'Clip', 'clip_param { min: -0.5 max: 0.25 }'), {}, map((v) => Math.min(0.25, Math.max(-0.5, v)))],
    ['Eltwise, a weighted sum', branches('Eltwise', 'eltwise_param { coeff: 2 coeff: -1 coeff: 0.5 }'), {}, map((v) => 2 * v - second(v) + 0.5 * sigmoid(v))],
    ['Eltwise, a product', branches('Eltwise', 'eltwise_param { operation: PROD }'), {}, map((v) => v * second(v) * sigmoid(v))],
    ['Eltwise, a maximum', branches('Eltwise', 'eltwise_param { operation: 2 }'), {}, map((v) => Math.max(v, second(v), sigmoid(v)))],
    ['Deconvolution in groups', layer('a', 'Deconvolution', 'convolution_param { num_output: 6 kernel_size: [4, 3] stride: 2 pad: 1 group: 2 }'), { a: [blobOf([4, 3, 4, 3], ramp(144).map(Math.cos)), blobOf([6], ramp(6))] }, deconvolved(ramp(144).map(Math.cos), ramp(6), 2, 6, [4, 3], 2, 1)],
    ['Scale of rows, with addends', layer('a', 'Scale', 'scale_param { axis: 2 bias_term: true }'), { a: [blobOf([6], ROWS), blobOf([6], ramp(6))] }, map((v, _, i) => v * ROWS[Math.floor(i / 5) % 6]! + ramp(6)[Math.floor(i / 5) % 6]!)],
    ['Bias by channel', layer('a', 'Bias'), { a: [blobOf([4], slopes)] }, map((v, c) => v + slopes[c]!)],
    ['the second of three slices', 'layer { name: "s" type: "Slice" bottom: "data" top: "b" top: "a" top: "c" slice_param { axis: 2 slice_point: 1 slice_point: 3 } }', {}, [0, 1, 2, 3].flatMap((c) => [1, 2].flatMap((h) => [0, 1, 2, 3, 4].map((w) => at(c, h, w))))],
    ['Crop', `${layer('b', 'Pooling', 'pooling_param { kernel_size: 3 }')} layer { name: "a" type: "Crop" bottom: "data" bottom: "b" top: "a" crop_param { offset: 2 offset: 1 } }`, {}, [0, 1, 2, 3].flatMap((c) => [2, 3, 4, 5].flatMap((h) => [1, 2, 3].map((w) => at(c, h, w))))],
    ['Tile', layer('a', 'Tile', 'tile_param { tiles: 2 }'), {}, [...x, ...x]],
    ['ShuffleChannel', layer('a', 'ShuffleChannel', 'shuffle_channel_param { group: 2 }'), {}, [0, 2, 1, 3].flatMap((c) => [...planeOf(c)])],
    ['Permute', layer('a', 'Permute', 'permute_param { order: 0 order: 3 order: 1 order: 2 }'), {}, [0, 1, 2, 3, 4].flatMap((w) => [0, 1, 2, 3].flatMap((c) => [0, 1, 2, 3, 4, 5].map((h) => at(c, h, w))))],
    ['InnerProduct of every channel', layer('a', 'InnerProduct', 'inner_product_param { num_output: 1 axis: 2 }'), { a: [blobOf([1, 30], ramp(30)), blobOf([1], [0.5])] }, [0, 1, 2, 3].map((c) => 0.5 + sum(ramp(30).map((value, i) => value * planeOf(c)[i]!)))],
    ['Upsample', layer('a', 'Upsample'), {}, [0, 1, 2, 3].flatMap((c) => Array.from({ length: 120 }, (_, i) => at(c, Math.floor(i / 20), Math.floor((i % 10) / 2))))],
    ['Interp, twice the gaps', layer('a', 'Interp', 'interp_param { zoom_factor: 2 }'), {}, [0, 1, 2, 3].flatMap((c) => Array.from({ length: 99 }, (_, i) => {
      const [y, x] = [Math.floor(i / 9) / 2, (i % 9) / 2];
      const between = (h: number): number => (at(c, h, Math.floor(x)) + at(c, h, Math.ceil(x))) / 2;
      return (between(Math.floor(y)) + between(Math.ceil(y))) / 2;
    }))],
    ['global maximum', layer('a', 'Pooling', 'pooling_param { global_pooling: true }'), {}, [0, 1, 2, 3].map((c) => Math.max(...planeOf(c)))],
    ['Reduction, a mean', layer('a', 'Reduction', 'reduction_param { axis: 2 operation: MEAN coeff: 4 }'), {}, [0, 1, 2, 3].map((c) => (4 * sum(planeOf(c))) / 30)],
    ['Reduction, a sum of squares', layer('a', 'Reduction', 'reduction_param { axis: -2 operation: SUMSQ }'), {}, [0, 1, 2, 3].map((c) => sum(planeOf(c).map((v) => v * v)))],
    ['Reduction, a sum of absolute values', layer('a', 'Reduction', 'reduction_param { axis: 1 operation: 2 }'), {}, [sum(x.map(Math.abs))]],
    [
      'Scale by a vector that the network computes',
      `${layer('m', 'Pooling', 'pooling_param { pool: AVE global_pooling: true }')} ${layer('v', 'Flatten', '', 'm')} layer { name: "a" type: "Scale" bottom: "data" bottom: "v" top: "a" scale_param { axis: 0 } }`,
      {},
      map((v, c) => (v * sum(planeOf(c))) / 30),
    ],
    [
      'Axpy',
      `${layer('m', 'Pooling', 'pooling_param { pool: AVE global_pooling: true }')} ${layer('t', 'TanH')} layer { name: "a" type: "Axpy" bottom: "m" bottom: "data" bottom: "t" top: "a" }`,
      {},
      map((v, c) => (v * sum(planeOf(c))) / 30 + Math.tanh(v)),
    ],
  ])('%s', async (_, text, blobs, expected) => {
    const y = await run(text, blobs);
    expect(y.length).toBe(expected.length);
    const largest = Math.max(...expected.map(Math.abs));
    const errors = expected.map((value, i) => Math.abs(y[i]! - value));
    expect(Math.max(...errors)).toBeLessThanOrEqual(4e-6 * Math.max(largest, 1)); // a few roundings, and functions of the adapter's own
  });
});
