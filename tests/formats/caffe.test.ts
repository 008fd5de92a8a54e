/** Caffe's two files: the text, the weights, the layers that they become, and what is said of bad ones. */
import { describe, expect, test } from 'vitest';
import type { UnitscopeError } from '../../src/errors.ts';
import { isMessage, parseText, type Message } from '../../src/formats/caffe/text.ts';
import { isCaffeModel, readCaffeModel } from '../../src/formats/caffe/weights.ts';
import { loadNetwork, type LoadOptions } from '../../src/formats/loader.ts';
import { encodeText } from '../../src/formats/text.ts';
import type { Network } from '../../src/network/network.ts';
import { shapesOf } from '../../src/ops/check.ts';
import { blobProto, caffeModel, type Blob } from './caffe-builder.ts';

/** The message as nested lists: what a parser made of a text. */
const tree = ({ fields }: Message): unknown[] => fields.map(({ name, value }) => [name, isMessage(value) ? tree(value) : value.text]);

const ramp = (count: number): number[] => Array.from({ length: count }, (_, i) => i / 8 - 1);
const blob = (...shape: number[]): Blob => ({ shape, data: ramp(shape.reduce((a, b) => a * b, 1)) });

const load = (text: string, layers: Readonly<Record<string, readonly Blob[]>> = {}, options: LoadOptions = {}, ...more: { name: string; bytes: Uint8Array }[]): Promise<Network> =>
  loadNetwork([{ name: 'net.prototxt', bytes: encodeText(text) }, { name: 'net.caffemodel', bytes: caffeModel({ ...layers, unused: [blob(1)] }) }, ...more], options);

const INPUT = 'input: "data" input_shape { dim: 1 dim: 4 dim: 6 dim: 5 }';
const layer = (name: string, type: string, more = '', bottom = 'data', top = name): string => `layer { name: "${name}" type: "${type}" bottom: "${bottom}" top: "${top}" ${more} }`;

describe('the text', () => {
  test.each<[string, string, unknown[]]>([
    ['fields, with and without a colon before braces', 'a: 1 b { c: "x" } d: { e: -2.5e3 }', [['a', '1'], ['b', [['c', 'x']]], ['d', [['e', '-2.5e3']]]]],
    ['comments, commas, semicolons', '# first\na: 1, b: TRAIN; # rest\n c: true', [['a', '1'], ['b', 'TRAIN'], ['c', 'true']]],
    ['lists, also of messages', 'a: [1, 2] b [{ c: 3 }, { }]', [['a', '1'], ['a', '2'], ['b', [['c', '3']]], ['b', []]]],
    ['angle brackets', 'a < b: 1 >', [['a', [['b', '1']]]]],
    ['strings: quotes, escapes, several in a row', String.raw`a: 'it"s' b: "x\n\"\101" "y"`, [['a', 'it"s'], ['b', 'x\n"Ay']]],
    ['numbers as C writes them', 'a: 1f b: .5 c: 0x1F d: -inf', [['a', '1f'], ['b', '.5'], ['c', '0x1F'], ['d', '-inf']]],
    ['nothing', ' # only a comment', []],
  ])('%s', (_, text, expected) => expect(tree(parseText(text, 'f'))).toEqual(expected));

  test.each<[string, string, RegExp]>([
    ['a brace that is not closed', 'a {\n  b: 1\n', /line 3, column 1: .*'}' is missing at the end of the file/],
    ['a brace too many', 'a: 1\n}', /line 2, column 1: a name is expected, not '}'/],
    ['a value that is missing', 'a: 1\n b:\n}', /line 3, column 1: a value is expected/],
    ['a name without a value', 'a b: 1', /line 1, column 3: ':' or '{' is expected/],
    ['a string that does not end', 'a: "x\n', /line 1, column 4/],
    ['a sign of another language', 'a: 1 = 2', /line 1, column 6: '=' is not expected/],
    ['braces without end', 'a{'.repeat(100_000), /more than 32 levels/],
    ['a list that does not end', 'a: [1, 2', /']' is missing/],
  ])('%s is told with its place', (_, text, expected) => {
    expect(() => parseText(text, 'f')).toThrow(expected);
    expect(() => parseText(text, 'f')).toThrow(expect.objectContaining({ code: 'model-format' }));
  });

  test('where a value stands is kept', () => {
    const [field] = parseText('\n\n  a:\n    17', 'f').fields;
    expect(field).toMatchObject({ line: 3, column: 3, value: { line: 4, column: 5 } });
  });
});

describe('the weights', () => {
  test.each([1, 2] as const)('of version %d, by layer', (version) => {
    const bytes = caffeModel({ one: [blob(2, 3), { shape: [1, 1, 1, 3], data: [1, 2, 3], legacy: true }], two: [{ ...blob(4), double: true }] }, version);
    expect(isCaffeModel(bytes)).toBe(true);
    const layers = readCaffeModel({ file: 'f', bytes });
    expect([...layers.keys()]).toEqual(['one', 'two']);
    expect(layers.get('one')).toEqual([{ shape: [2, 3], data: Float32Array.from(ramp(6)) }, { shape: [1, 1, 1, 3], data: Float32Array.of(1, 2, 3) }]);
    expect(layers.get('two')![0]!.data).toEqual(Float32Array.from(ramp(4)));
  });

  test('whose shape and data disagree, or whose layers share a name, are refused', () => {
    expect(() => readCaffeModel({ file: 'f', bytes: caffeModel({ a: [{ shape: [2, 2], data: [1, 2, 3] }] }) })).toThrow(/\[2,2\] has 3 numbers/);
    const twice = caffeModel({ a: [blob(1)] });
    expect(() => readCaffeModel({ file: 'f', bytes: Uint8Array.from([...twice, ...twice]) })).toThrow(/two layers with weights are called 'a'/);
  });
});

describe('layers', () => {
  const only = async (text: string, blobs: readonly Blob[] = []) => (await load(`${INPUT} ${text}`, { a: blobs })).nodes;

  test('Convolution, with sizes for both axes or each', async () => {
    const [node] = await only(layer('a', 'Convolution', 'convolution_param { num_output: 6 kernel_h: 3 kernel_w: 2 stride: 2 pad_h: 1 pad_w: 0 dilation: 1 group: 2 weight_filler { type: "xavier" } }'), [blob(6, 2, 3, 2), { shape: [1, 1, 1, 6], data: ramp(6), legacy: true }]);
    expect(node).toMatchObject({ name: 'a', output: 'a', op: 'conv2d', attributes: { stride: [2, 2], padding: [1, 0, 1, 0], dilation: [1, 1], groups: 2 } });
    expect(node!.weights.weight!.shape).toEqual([6, 2, 3, 2]);
    expect(node!.weights.bias!.shape).toEqual([6]);
    const [plain] = await only(layer('a', 'Convolution', 'convolution_param { num_output: 2 kernel_size: 1 bias_term: false }'), [blob(2, 4, 1, 1)]);
    expect(Object.keys(plain!.weights)).toEqual(['weight']);
  });

  test('Pooling rounds up unless told otherwise', async () => {
    expect(await only(layer('a', 'Pooling', 'pooling_param { kernel_size: 3 stride: 2 pad: 1 }'))).toMatchObject([{ op: 'max_pool', attributes: { kernel: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1], ceil: true } }]);
    expect(await only(layer('a', 'Pooling', 'pooling_param { pool: AVE kernel_size: 2 round_mode: FLOOR }'))).toMatchObject([{ op: 'average_pool', attributes: { ceil: false, countIncludePad: true } }]);
    expect(await only(layer('a', 'Pooling', 'pooling_param { pool: AVE global_pooling: true }'))).toMatchObject([{ op: 'global_average_pool' }]);
  });

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
    expect(await only(layer('a', 'LRN', 'lrn_param { local_size: 3 norm_region: WITHIN_CHANNEL }'))).toMatchObject([{ op: 'lrn_within', attributes: { size: 3, alpha: 1, beta: 0.75 } }]);
  });

  test('in place, split, joined, added: names stay what a person expects', async () => {
    const net = await load(`${INPUT}
      ${layer('conv', 'Pooling', 'pooling_param { kernel_size: 1 }', 'data', 'conv')}
      ${layer('relu', 'ReLU', '', 'conv', 'conv')}
      layer { name: "split" type: "Split" bottom: "conv" top: "left" top: "right" }
      ${layer('drop', 'Dropout', 'dropout_param { dropout_ratio: 0.5 }', 'left', 'left')}
      layer { name: "sum" type: "Eltwise" bottom: "left" bottom: "right" bottom: "conv" top: "sum" }
      layer { name: "cat" type: "Concat" bottom: "sum" bottom: "right" top: "cat" }
      ${layer('flat', 'Flatten', '', 'cat')}
      ${layer('prob', 'Softmax', '', 'flat')}`);
    expect(net.nodes.map(({ name, output, inputs }) => [name, output, ...inputs])).toEqual([
      ['conv', 'conv', 'data'], ['relu', 'relu', 'conv'], ['drop', 'left', 'relu'], ['sum/sum1', 'sum/sum1', 'left', 'relu'],
      ['sum', 'sum', 'sum/sum1', 'relu'], ['cat', 'cat', 'sum', 'relu'], ['flat', 'flat', 'cat'], ['prob', 'prob', 'flat'],
    ]);
    expect(net.outputs).toEqual(['prob']);
    expect(shapesOf(net).get('prob')).toEqual([1, 240]);
  });

  test('everything that is not supported is said at once, with its line', async () => {
    const wrong = load(`${INPUT}
      ${layer('a', 'Sigmoid')}
      ${layer('b', 'ReLU', 'relu_param { negative_slope: 0.1 }', 'a')}
      ${layer('c', 'Pooling', 'pooling_param { pool: STOCHASTIC kernel_size: 2 }', 'b')}
      ${layer('d', 'LRN', 'lrn_param { flavour: 3 }', 'c')}
      ${layer('e', 'Relu', '', 'd')}`);
    await expect(wrong).rejects.toMatchObject({ code: 'model-unsupported' });
    const { message } = (await wrong.catch((error: unknown) => error)) as UnitscopeError;
    expect(message.split('\n').slice(1).map((line) => line.trim())).toEqual([
      expect.stringMatching(/^- layer 'a' \('Sigmoid', line 2\)/),
      expect.stringMatching(/^- layer 'b' .*negative_slope 0.1/),
      expect.stringMatching(/^- layer 'c' .*stochastic/),
      expect.stringMatching(/^- layer 'd' .*'lrn_param.flavour' is not supported/),
      expect.stringMatching(/^- layer 'e' .*ReLU/),
    ]);
  });
});

describe('the network', () => {
  const relu = layer('a', 'ReLU');

  test('layers of the training phase, of data and of losses are left out', async () => {
    const net = await load(`
      layer { name: "train" type: "Data" top: "data" top: "label" include { phase: TRAIN } transform_param { mirror: true } data_param { source: "x" } }
      layer { name: "input" type: "Input" top: "data" input_param { shape { dim: 10 dim: 3 dim: 8 dim: 8 } } }
      layer { name: "a" type: "ReLU" bottom: "data" top: "a" exclude { phase: TRAIN } }
      layer { name: "loss" type: "SoftmaxWithLoss" bottom: "a" bottom: "label" top: "loss" }`);
    expect(net.nodes.map(({ name }) => name)).toEqual(['a']);
    expect(net.inputs).toEqual([{ name: 'data', shape: [1, 3, 8, 8] }]);
    expect(net.notes).toEqual(expect.arrayContaining([expect.stringMatching(/left out.*loss/), expect.stringMatching(/batch of 10/), expect.stringMatching(/weights of layers .* 'unused'/)]));
  });

  test('version 1: words for types, four input_dim', async () => {
    const net = await load('input: "x" input_dim: 2 input_dim: 3 input_dim: 4 input_dim: 4 layers { name: "r" type: RELU bottom: "x" top: "x" blobs_lr: 1 }');
    expect(net.inputs[0]!.shape).toEqual([1, 3, 4, 4]);
    expect(net.nodes).toMatchObject([{ name: 'r', op: 'relu', output: 'r' }]);
  });

  test('the preprocessing is what the files say', async () => {
    const data = (transform: string): string => `layer { name: "d" type: "MemoryData" top: "data" memory_data_param { batch_size: 1 channels: 3 height: 4 width: 4 } transform_param { ${transform} } } ${relu}`;
    expect((await load(data('mean_value: 104 mean_value: 117 mean_value: 123 scale: 0.5'))).preprocess).toEqual({ channels: 'BGR', range: 255, mean: [104, 117, 123], std: [2, 2, 2], fit: 'crop' });
    expect((await load(data('mirror: true'))).preprocess).toBeUndefined();
    const mean = { name: 'mean.binaryproto', bytes: blobProto({ shape: [1, 3, 2, 2], data: [1, 1, 3, 3, 5, 5, 5, 5, 0, 0, 0, 4], legacy: true }) };
    const net = await load(data(''), {}, {}, mean);
    expect(net.preprocess!.mean).toEqual([2, 5, 1]);
    expect(net.notes).toEqual(expect.arrayContaining([expect.stringMatching(/mean image is reduced/), expect.stringMatching(/blue, green, red/)]));
    expect((await load(`${INPUT} ${relu}`, {}, {}, mean)).preprocess).toBeUndefined(); // four channels
    const bare = await load(`input: "data" input_shape { dim: [1, 3, 4, 4] } ${relu}`, {}, {}, mean);
    expect(bare.preprocess).toBeUndefined();
    expect(bare.notes).toEqual(expect.arrayContaining([expect.stringMatching(/in an order that no file states: give it, e.g. --preprocess 'channels=BGR;range=255;mean=2,5,1;std=1'/)]));
  });

  test.each<[string, string, Record<string, Blob[]>, string, RegExp]>([
    ['weights that are not in the file', layer('a', 'InnerProduct', 'inner_product_param { num_output: 2 }'), {}, 'model-invalid', /net.caffemodel has no weights of it/],
    ['weights of another size', layer('a', 'Convolution', 'convolution_param { num_output: 3 kernel_size: 3 }'), { a: [blob(4, 4, 3, 3)] }, 'model-invalid', /the weight is \[4,4,3,3\] .* makes it \[3,\?,3,3\]/],
    ['a bias that is missing', layer('a', 'Convolution', 'convolution_param { num_output: 4 kernel_size: 1 }'), { a: [blob(4, 4, 1, 1)] }, 'model-invalid', /the bias is missing/],
    ['a bottom that nothing makes', layer('a', 'ReLU', '', 'dat'), {}, 'model-invalid', /reads 'dat', which nothing makes before it/],
    ['a word that is none', layer('a', 'Pooling', 'pooling_param { pool: MIN kernel_size: 2 }'), {}, 'model-invalid', /line 1, column \d+, in pooling_param: pool must be one of MAX, AVE, STOCHASTIC/],
    ['a number that is none', layer('a', 'Pooling', 'pooling_param { kernel_size: "2" }'), {}, 'model-invalid', /kernel_size must be a number, not '2'/],
    ['the oldest form', 'layers { layer { name: "a" type: "relu" } bottom: "data" top: "a" }', {}, 'model-unsupported', /oldest form/],
    ['a field of its own', `${relu} surprise: 1`, {}, 'model-invalid', /'surprise' is not known/],
  ])('%s', async (_, text, layers, code, message) => {
    await expect(load(`${INPUT} ${text}`, layers)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test('an open size is asked for, and may be given', async () => {
    const text = `input: "data" ${relu}`;
    await expect(load(text)).rejects.toMatchObject({ code: 'model-unsupported', hint: expect.stringContaining('inputShape') });
    expect((await load(text, {}, { inputShape: [1, 3, 8, 8] })).inputs[0]!.shape).toEqual([1, 3, 8, 8]);
  });

  test('a text without weights, and weights twice', async () => {
    const main = { name: 'net.prototxt', bytes: encodeText(`${INPUT} ${relu}`) };
    const weights = { name: 'a.caffemodel', bytes: caffeModel({ a: [blob(1)] }) };
    await expect(loadNetwork([main])).rejects.toMatchObject({ code: 'usage', message: 'the weights are missing' });
    await expect(loadNetwork([main, weights, { ...weights, name: 'b.caffemodel' }])).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining('a.caffemodel, b.caffemodel') });
  });
});
