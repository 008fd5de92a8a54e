/** The layers of Caffe: which of ours they become, with which shapes, and what is said of those that cannot. */
import { describe, expect, test } from 'vitest';
import type { UnitscopeError } from '../../src/errors.ts';
import { elementCount } from '../../src/network/validate.ts';
import { shapesOf } from '../../src/ops/check.ts';
import type { Blob } from './caffe-builder.ts';
import { blob, INPUT, layer, load, ramp } from './caffe-loading.ts';

/** A layer 'a' with its blobs on an input [1, 4, 6, 5]. */
const only = async (text: string, blobs: readonly Blob[] = []) => (await load(`${INPUT} ${text}`, { a: blobs })).nodes;

/** Two branches of the input: 'm' [1, 4, 1, 1] and 'v' [1, 4]. */
const VECTOR = `${INPUT} ${layer('m', 'Pooling', 'pooling_param { pool: AVE global_pooling: true }')} ${layer('v', 'Flatten', '', 'm')}`;
const two = (type: string, more = '', second = 'v', first = 'data'): string => `layer { name: "a" type: "${type}" bottom: "${first}" bottom: "${second}" top: "a" ${more} }`;

describe('convolution and pooling', () => {
  test('Convolution, with sizes for both axes or each', async () => {
    const [node] = await only(layer('a', 'Convolution', 'convolution_param { num_output: 6 kernel_h: 3 kernel_w: 2 stride: 2 pad_h: 1 pad_w: 0 dilation: 1 group: 2 weight_filler { type: "xavier" } }'), [blob(6, 2, 3, 2), { shape: [1, 1, 1, 6], data: ramp(6), legacy: true }]);
    expect(node).toMatchObject({ name: 'a', output: 'a', op: 'conv2d', attributes: { stride: [2, 2], padding: [1, 0, 1, 0], dilation: [1, 1], groups: 2 } });
    expect(node!.weights.weight!.shape).toEqual([6, 2, 3, 2]);
    expect(node!.weights.bias!.shape).toEqual([6]);
    const [plain] = await only(layer('a', 'Convolution', 'convolution_param { num_output: 2 kernel_size: 1 bias_term: false axis: -3 }'), [blob(2, 4, 1, 1)]);
    expect(Object.keys(plain!.weights)).toEqual(['weight']);
  });

  test('of depth, as forks call it', async () => {
    for (const type of ['DepthwiseConvolution', 'ConvolutionDepthwise']) {
      const [node] = await only(layer('a', type, 'convolution_param { num_output: 4 kernel_size: 3 bias_term: false }'), [blob(4, 1, 3, 3)]);
      expect(node).toMatchObject({ op: 'conv2d', attributes: { groups: 4 } });
    }
  });

  test('Pooling rounds up unless told otherwise', async () => {
    expect(await only(layer('a', 'Pooling', 'pooling_param { kernel_size: 3 stride: 2 pad: 1 }'))).toMatchObject([{ op: 'max_pool', attributes: { kernel: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1], ceil: true } }]);
    expect(await only(layer('a', 'Pooling', 'pooling_param { pool: AVE kernel_size: 2 round_mode: FLOOR }'))).toMatchObject([{ op: 'average_pool', attributes: { ceil: false, countIncludePad: true } }]);
    expect(await only(layer('a', 'Pooling', 'pooling_param { pool: AVE global_pooling: true }'))).toMatchObject([{ op: 'global_average_pool' }]);
    expect(await only(layer('a', 'Pooling', 'pooling_param { global_pooling: true stride: 1 pad: 0 }'))).toMatchObject([{ op: 'global_max_pool' }]);
  });
});

describe('every layer has the shape that the ops give it, for any batch', () => {
  test.each<[string, string, Record<string, Blob[]>, number[]]>([
    ['Convolution', layer('a', 'Convolution', 'convolution_param { num_output: 3 kernel_size: [3, 2] stride: 2 pad: 1 dilation: 2 }'), { a: [blob(3, 4, 3, 2), blob(3)] }, [1, 3, 2, 3]],
    ['Deconvolution', layer('a', 'Deconvolution', 'convolution_param { num_output: 6 kernel_size: [4, 3] stride: 2 pad: 1 group: 2 }'), { a: [blob(4, 3, 4, 3), blob(6)] }, [1, 6, 12, 9]],
    ['Pooling up', layer('a', 'Pooling', 'pooling_param { kernel_size: 3 stride: 2 }'), {}, [1, 4, 3, 2]],
    ['Pooling with a pad, a window dropped', layer('a', 'Pooling', 'pooling_param { kernel_size: 2 stride: 2 pad: 1 }'), {}, [1, 4, 4, 3]],
    ['Pooling down', layer('a', 'Pooling', 'pooling_param { pool: AVE kernel_size: 3 stride: 2 pad: 1 round_mode: FLOOR }'), {}, [1, 4, 3, 3]],
    ['Pooling, global', layer('a', 'Pooling', 'pooling_param { global_pooling: true }'), {}, [1, 4, 1, 1]],
    ['InnerProduct', layer('a', 'InnerProduct', 'inner_product_param { num_output: 3 }'), { a: [blob(3, 120), blob(3)] }, [1, 3]],
    ['InnerProduct over the last axes', layer('a', 'InnerProduct', 'inner_product_param { num_output: 3 axis: 2 }'), { a: [blob(3, 30), blob(3)] }, [1, 4, 3]],
    ['InnerProduct over the last axis, turned', layer('a', 'InnerProduct', 'inner_product_param { num_output: 3 axis: -1 transpose: true }'), { a: [blob(5, 3), blob(3)] }, [1, 4, 6, 3]],
    ['Slice in equal parts', 'layer { name: "s" type: "Slice" bottom: "data" top: "b" top: "a" slice_param { axis: -2 } }', {}, [1, 4, 3, 5]],
    ['Slice at points', 'layer { name: "s" type: "Slice" bottom: "data" top: "b" top: "a" top: "c" slice_param { slice_point: 1 slice_point: 3 } }', {}, [1, 2, 6, 5]],
    ['Slice of old', 'layer { name: "s" type: "Slice" bottom: "data" top: "b" top: "a" slice_param { slice_dim: 2 slice_point: 4 } }', {}, [1, 4, 2, 5]],
    ['Crop by one offset', `${layer('b', 'Pooling', 'pooling_param { kernel_size: 3 }')} ${two('Crop', 'crop_param { offset: 1 }', 'b')}`, {}, [1, 4, 4, 3]],
    ['Crop of channels too', `${layer('b', 'Convolution', 'convolution_param { num_output: 2 kernel_size: 3 bias_term: false }')} ${two('Crop', 'crop_param { axis: 1 offset: [2, 0, 1] }', 'b')}`, { b: [blob(2, 4, 3, 3)] }, [1, 2, 4, 3]],
    ['Concat', two('Concat', 'concat_param { axis: -1 }', 'data'), {}, [1, 4, 6, 10]],
    ['Tile', layer('a', 'Tile', 'tile_param { axis: 2 tiles: 3 }'), {}, [1, 4, 18, 5]],
    ['Flatten', layer('a', 'Flatten'), {}, [1, 120]],
    ['Flatten some axes', layer('a', 'Flatten', 'flatten_param { axis: 1 end_axis: -2 }'), {}, [1, 24, 5]],
    ['Reshape', layer('a', 'Reshape', 'reshape_param { shape { dim: 0 dim: 2 dim: -1 dim: 5 } }'), {}, [1, 2, 12, 5]],
    ['Reshape from an axis on', layer('a', 'Reshape', 'reshape_param { axis: -3 shape { dim: 3 dim: -1 } }'), {}, [1, 4, 3, 10]],
    ['Reshape some axes', layer('a', 'Reshape', 'reshape_param { axis: 1 num_axes: 2 shape { dim: -1 } }'), {}, [1, 24, 5]],
    ['Reshape with an axis put in', layer('a', 'Reshape', 'reshape_param { axis: 1 num_axes: 0 shape { dim: 1 } }'), {}, [1, 1, 4, 6, 5]],
    ['Reshape with the batch written out', layer('a', 'Reshape', 'reshape_param { shape { dim: 1 dim: 120 } }'), {}, [1, 120]],
    ['Permute', layer('a', 'Permute', 'permute_param { order: 0 order: 2 order: 3 }'), {}, [1, 6, 5, 4]],
    ['ShuffleChannel', layer('a', 'ShuffleChannel', 'shuffle_channel_param { group: 2 }'), {}, [1, 4, 6, 5]],
    ['Interp by factors', layer('a', 'Interp', 'interp_param { shrink_factor: 2 zoom_factor: 3 }'), {}, [1, 4, 7, 7]],
    ['Interp to a size', layer('a', 'Interp', 'interp_param { height: 9 width: 4 }'), {}, [1, 4, 9, 4]],
    ['Upsample', layer('a', 'Upsample', 'upsample_param { scale: 3 }'), {}, [1, 4, 18, 15]],
    ['Reduction', layer('a', 'Reduction', 'reduction_param { axis: 2 operation: MEAN }'), {}, [1, 4]],
    ['Scale over all axes behind the batch', layer('a', 'Scale', 'scale_param { num_axes: -1 bias_term: true }'), { a: [blob(4, 6, 5), blob(4, 6, 5)] }, [1, 4, 6, 5]],
    ['Scale of rows', layer('a', 'Scale', 'scale_param { axis: 2 }'), { a: [blob(6)] }, [1, 4, 6, 5]],
    ['Scale by one number', layer('a', 'Scale', 'scale_param { num_axes: 0 }'), { a: [blob()] }, [1, 4, 6, 5]],
    ['Bias', layer('a', 'Bias'), { a: [blob(4)] }, [1, 4, 6, 5]],
    ['PReLU', layer('a', 'PReLU'), { a: [blob(4)] }, [1, 4, 6, 5]],
    ['PReLU, one slope', layer('a', 'PReLU', 'prelu_param { channel_shared: true }'), { a: [blob()] }, [1, 4, 6, 5]],
  ])('%s', async (_, text, blobs, shape) => {
    // What the loader believes shows in the product behind, whose weights it checks.
    const count = elementCount(shape);
    const net = await load(`${INPUT} ${text} ${layer('z', 'InnerProduct', 'inner_product_param { num_output: 1 bias_term: false }', 'a')}`, { ...blobs, z: [blob(1, count)] });
    expect(shapesOf(net).get('a')).toEqual(shape);
    expect(shapesOf(net, 3).get('a')).toEqual([3, ...shape.slice(1)]);
  });

  test.each<[string, string, number[]]>([
    ['Scale by a vector', two('Scale', 'scale_param { axis: 0 }'), [1, 4, 6, 5]],
    ['Bias by a vector', two('Bias', 'bias_param { axis: 0 }'), [1, 4, 6, 5]],
    ['Scale by a tensor of the same shape', two('Scale', 'scale_param { axis: 0 }', 'data'), [1, 4, 6, 5]],
    ['Axpy', 'layer { name: "a" type: "Axpy" bottom: "m" bottom: "data" bottom: "data" top: "a" }', [1, 4, 6, 5]],
    ['a vector, rank 2', `${layer('b', 'PReLU', '', 'v')} ${two('Eltwise', 'eltwise_param { operation: PROD }', 'v', 'b')}`, [1, 4]],
  ])('%s', async (_, text, shape) => {
    const net = await load(`${VECTOR} ${text}`, { b: [blob(4)] });
    expect(shapesOf(net).get('a')).toEqual(shape);
    expect(shapesOf(net, 3).get('a')).toEqual([3, ...shape.slice(1)]);
  });
});

describe('weights', () => {
  test('InnerProduct, also transposed and as four sizes', async () => {
    const [node] = await only(layer('a', 'InnerProduct', 'inner_product_param { num_output: 2 bias_term: false }'), [{ shape: [1, 1, 2, 120], data: ramp(240), legacy: true }]);
    expect(node!.weights.weight).toEqual({ shape: [2, 120], data: Float32Array.from(ramp(240)) });
    const [turned] = await only(layer('a', 'InnerProduct', 'inner_product_param { num_output: 2 bias_term: false transpose: true }'), [blob(120, 2)]);
    expect([...turned!.weights.weight!.data.slice(0, 3)]).toEqual([ramp(5)[0], ramp(5)[2], ramp(5)[4]]);
  });

  test('BatchNorm divides its sums, Scale follows it', async () => {
    const [norm] = await only(layer('a', 'BatchNorm', 'batch_norm_param { eps: 0.001 use_global_stats: true }'), [{ shape: [4], data: [2, 4, 6, 8] }, { shape: [4], data: [4, 4, 4, 4] }, { shape: [1], data: [2] }]);
    expect(norm).toMatchObject({ op: 'batch_norm', attributes: { epsilon: 0.001 } });
    expect([...norm!.weights.mean!.data]).toEqual([1, 2, 3, 4]);
    expect([...norm!.weights.variance!.data]).toEqual([2, 2, 2, 2]);
    const [scale] = await only(layer('a', 'Scale', 'scale_param { bias_term: true }'), [blob(4), blob(4)]);
    expect(scale).toMatchObject({ op: 'batch_norm', attributes: { epsilon: 0 } });
    expect(scale!.weights.shift!.data).toEqual(Float32Array.from(ramp(4)));
  });

  test('LRN across and within channels', async () => {
    expect(await only(layer('a', 'LRN', 'lrn_param { local_size: 3 alpha: 0.5 k: 2 }'))).toMatchObject([{ op: 'lrn', attributes: { size: 3, alpha: 0.5, beta: 0.75, k: 2 } }]);
    expect(await only(layer('a', 'LRN', 'lrn_param { local_size: 3 norm_region: WITHIN_CHANNEL k: 2 }'))).toMatchObject([{ op: 'lrn_within', attributes: { size: 3, alpha: 1, beta: 0.75 } }]);
  });
});

test('in place, split, joined, added, cut: names stay what a person expects', async () => {
  const net = await load(`${INPUT}
    ${layer('conv', 'Pooling', 'pooling_param { kernel_size: 1 }', 'data', 'conv')}
    ${layer('relu', 'ReLU', '', 'conv', 'conv')}
    layer { name: "split" type: "Split" bottom: "conv" top: "left" top: "right" }
    ${layer('drop', 'Dropout', 'dropout_param { dropout_ratio: 0.5 }', 'left', 'left')}
    layer { name: "sum" type: "Eltwise" bottom: "left" bottom: "right" bottom: "conv" top: "sum" }
    layer { name: "cat" type: "Concat" bottom: "sum" bottom: "right" top: "cat" }
    layer { name: "cut" type: "Slice" bottom: "cat" top: "first" top: "second" }
    layer { name: "fit" type: "Crop" bottom: "first" bottom: "second" top: "fit" }
    ${layer('flat', 'Flatten', '', 'fit')}
    ${layer('prob', 'Softmax', 'softmax_param { axis: -1 }', 'flat')}`);
  expect(net.nodes.map(({ name, output, inputs }) => [name, output, ...inputs])).toEqual([
    ['conv', 'conv', 'data'], ['relu', 'relu', 'conv'], ['drop', 'left', 'relu'], ['sum/sum1', 'sum/sum1', 'left', 'relu'],
    ['sum', 'sum', 'sum/sum1', 'relu'], ['cat', 'cat', 'sum', 'relu'], ['cut/first', 'first', 'cat'], ['cut/second', 'second', 'cat'],
    ['fit', 'fit', 'first'], ['flat', 'flat', 'fit'], ['prob', 'prob', 'flat'],
  ]);
  expect(net.outputs).toEqual(['prob']); // not 'second', whose size was asked for
  expect(shapesOf(net).get('prob')).toEqual([1, 120]);
});

describe('what is refused', () => {
  const reasonsOf = async (text: string, blobs: Readonly<Record<string, readonly Blob[]>> = {}): Promise<string[]> => {
    const error = (await load(`${INPUT}\n${text}`, blobs).catch((thrown: unknown) => thrown)) as UnitscopeError;
    expect(error).toMatchObject({ code: 'model-unsupported' });
    return error.message.split('\n').slice(1).map((line) => line.trim());
  };

  test('everything is said at once, with its line; what the layers behind contradict is not', async () => {
    const reasons = await reasonsOf(`${layer('a', 'ArgMax')}
      ${layer('b', 'InnerProduct', 'inner_product_param { num_output: 2 }', 'a')}
      ${layer('c', 'Pooling', 'pooling_param { pool: STOCHASTIC kernel_size: 2 }', 'b')}
      ${layer('d', 'LRN', 'lrn_param { flavour: 3 }', 'c')}
      ${layer('e', 'Relu', '', 'd')}
      ${layer('f', 'MVN', '', 'e')}`, { b: [blob(2, 1), blob(2)] });
    expect(reasons).toEqual([
      expect.stringMatching(/^- layer 'a' \('ArgMax', line 2\).*no gradient; take it out/),
      expect.stringMatching(/^- layer 'c' .*stochastic/),
      expect.stringMatching(/^- layer 'd' .*'lrn_param.flavour' is not supported/),
      expect.stringMatching(/^- layer 'e' .*ReLU/),
      expect.stringMatching(/^- layer 'f' .*MVN/),
    ]);
  });

  test.each<[string, string, RegExp]>([
    ['Threshold', layer('a', 'Threshold', 'threshold_param { threshold: 1 }'), /a step has no gradient/],
    ['a reduction of the batch, as is the default', layer('a', 'Reduction'), /reducing along the batch/],
    ['a slice of the batch', 'layer { name: "a" type: "Slice" bottom: "data" top: "b" top: "c" slice_param { axis: 0 } }', /slicing along the batch/],
    ['a fixed batch', layer('a', 'Reshape', 'reshape_param { shape { dim: 2 dim: 60 } }'), /fixed batch \(2\)/],
    ['statistics of the batch', layer('a', 'BatchNorm', 'batch_norm_param { use_global_stats: false }'), /statistics of the batch/],
    ['an array of windows', layer('a', 'Convolution', 'convolution_param { num_output: 1 kernel_size: [1, 1, 1] }'), /kernel_size for 3 axes/],
    ['a window past the image', layer('a', 'Pooling', 'pooling_param { kernel_size: 1 stride: 2 }'), /last window lies outside/],
    ['a program', layer('a', 'Python', 'python_param { module: "m" }'), /a program in Python/],
    ['a bottom without a batch', two('Scale', '', 'data').replace('bottom: "data" top', 'bottom: "b" top').replace(/^/, 'layer { name: "b" type: "Reshape" bottom: "data" top: "b" reshape_param { shape { dim: -1 dim: 6 dim: 5 } } } '), /no axis for the batch/],
  ])('%s', async (_, text, message) => expect(await reasonsOf(text)).toEqual([expect.stringMatching(message)]));

  test.each<[string, string, Blob[], RegExp]>([
    ['blobs that the layer does not have', layer('a', 'Convolution', 'convolution_param { num_output: 2 kernel_size: 1 bias_term: false }'), [blob(2, 4, 1, 1), blob(2)], /has 2 blobs of it; by the prototxt it has 1/],
    ['blobs of a layer without any', layer('a', 'ReLU'), [blob(2)], /has 1 blobs of it; by the prototxt it has 0/],
    ['operands of different shapes', `${layer('b', 'Pooling', 'pooling_param { kernel_size: 2 }')} ${two('Eltwise', '', 'b')}`, [], /different shapes: \[1,4,6,5\], \[1,4,5,4\]/],
    ['a window larger than the image', layer('a', 'Convolution', 'convolution_param { num_output: 2 kernel_size: 7 bias_term: false }'), [blob(2, 4, 7, 7)], /makes \[1,2,0,-1\] of \[1,4,6,5\]: nothing is left/],
    ['parts that are not equal', 'layer { name: "a" type: "Slice" bottom: "data" top: "b" top: "c" top: "d" }', [], /axis 1 of \[1,4,6,5\] cannot be cut into 3 equal parts/],
    ['points that fall', 'layer { name: "a" type: "Slice" bottom: "data" top: "b" top: "c" top: "d" slice_param { slice_point: 3 slice_point: 2 } }', [], /slice_point \[3,2\] must rise/],
    ['a crop that is too large', `${layer('b', 'Pooling', 'pooling_param { kernel_size: 2 }')} ${two('Crop', 'crop_param { offset: 2 }', 'b')}`, [], /does not lie in \[1,4,6,5\]/],
    ['an axis that is not there', layer('a', 'Softmax', 'softmax_param { axis: 4 }'), [], /axis 4 of a bottom \[1,4,6,5\]/],
    ['a pad of a whole window', layer('a', 'Pooling', 'pooling_param { kernel_size: 2 pad: 2 }'), [], /pad \[2,2\] must be smaller/],
    ['a global window with a stride', layer('a', 'Pooling', 'pooling_param { global_pooling: true stride: 2 }'), [], /no meaning beside global_pooling/],
    ['a base that is none', layer('a', 'Log', 'log_param { base: 1 }'), [], /logarithm to the base 1/],
    ['another number of elements', layer('a', 'Reshape', 'reshape_param { shape { dim: 0 dim: 7 } }'), [], /\[1,4,6,5\] cannot be reshaped to \[1,7\]/],
    ['too many elements', layer('a', 'Tile', 'tile_param { axis: 1 tiles: 250 }').concat([...'bcd'].map((name, i) => layer(name, 'Tile', 'tile_param { axis: 1 tiles: 250 }', 'abc'[i])).join(' ')), [], /too large/],
  ])('%s', async (_, text, blobs, message) => {
    await expect(load(`${INPUT} ${text}`, { a: blobs })).rejects.toMatchObject({ code: 'model-invalid', message: expect.stringMatching(message) });
  });
});
