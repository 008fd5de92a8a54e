/** Caffe's two files: the text, the weights, the network that they make, and what is said of bad ones. */
import { describe, expect, test } from 'vitest';
import { isMessage, parseText, type Message } from '../../src/formats/caffe/text.ts';
import { isCaffeModel, readCaffeModel } from '../../src/formats/caffe/weights.ts';
import { loadNetwork } from '../../src/formats/loader.ts';
import { encodeText } from '../../src/formats/text.ts';
import { blobProto, caffeModel, type Blob } from './caffe-builder.ts';
import { blob, INPUT, layer, load, ramp } from './caffe-loading.ts';

/** The message as nested lists: what a parser made of a text. */
const tree = ({ fields }: Message): unknown[] => fields.map(({ name, value }) => [name, isMessage(value) ? tree(value) : value.text]);

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
    expect(net.notes).toEqual(expect.arrayContaining([expect.stringMatching(/mean image is 2.00, 5.00, 1.00 by channel; the rest, .* up to 3.0 of 255 away from that, is left out: the mean image is smaller than the input/), expect.stringMatching(/blue, green, red/)]));
    const absent = await load(data('mean_file: "train.binaryproto" scale: 2'));
    expect(absent.preprocess).toBeUndefined();
    expect(absent.notes).toEqual(expect.arrayContaining([expect.stringMatching(/mean image of 3 channels \('train.binaryproto'\) is not among the files/)]));
    expect((await load(`${INPUT} ${relu}`, {}, {}, mean)).preprocess).toBeUndefined(); // four channels
    const bare = await load(`input: "data" input_shape { dim: [1, 3, 4, 4] } ${relu}`, {}, {}, mean);
    expect(bare.preprocess).toBeUndefined();
    expect(bare.notes).toEqual(expect.arrayContaining([expect.stringMatching(/in an order that no file states: give it, e.g. --preprocess 'channels=BGR;range=255;mean=2,5,1;std=1'; the rest/)]));
  });

  test('of several mean images none is taken, and that is told', async () => {
    const mean = (name: string, value: number) => ({ name, bytes: blobProto({ shape: [1, 4, 6, 5], data: new Array<number>(120).fill(value) }) });
    const net = await load(`${INPUT} ${relu}`, {}, {}, mean('a.binaryproto', 1), mean('b.binaryproto', 2));
    expect(net.notes).toEqual(expect.arrayContaining(["several mean images beside it, of which none is taken: 'a.binaryproto', 'b.binaryproto'"]));
  });

  test('of a mean image that is larger than the input, the middle counts', async () => {
    const text = `layer { name: "d" type: "MemoryData" top: "data" memory_data_param { batch_size: 1 channels: 1 height: 2 width: 3 } transform_param { mean_file: "m" } } ${relu}`;
    const plane = Array.from({ length: 25 }, (_, i) => (Math.floor(i / 5) === 1 || Math.floor(i / 5) === 2 ? i % 5 : 200));
    const net = await load(text, {}, {}, { name: 'mean.binaryproto', bytes: blobProto({ shape: [1, 1, 5, 5], data: plane }) });
    expect(net.preprocess).toMatchObject({ channels: 'gray', mean: [2] });
    expect(net.notes).toEqual(expect.arrayContaining([expect.stringMatching(/up to 1.0 of 255 away from that, is subtracted by the first layer/)]));
    expect(net.nodes.map(({ name, op, inputs }) => [name, op, inputs])).toEqual([['data/mean_image', 'subtract', ['data']], ['a', 'relu', ['data/mean_image']]]);
    expect(net.nodes[0]!.weights.operand).toEqual({ shape: [1, 2, 3], data: Float32Array.of(-1, 0, 1, -1, 0, 1) });
  });

  test.each<[string, string, Record<string, Blob[]>, string, RegExp]>([
    ['weights that are not in the file', layer('a', 'InnerProduct', 'inner_product_param { num_output: 2 }'), {}, 'model-invalid', /net.caffemodel has no weights of it/],
    ['weights of another size', layer('a', 'Convolution', 'convolution_param { num_output: 3 kernel_size: 3 }'), { a: [blob(4, 4, 3, 3)] }, 'model-invalid', /the weight is \[4,4,3,3\] in net.caffemodel; the prototxt makes it \[3,4,3,3\]/],
    ['a bias that is missing', layer('a', 'Convolution', 'convolution_param { num_output: 4 kernel_size: 1 }'), { a: [blob(4, 4, 1, 1)] }, 'model-invalid', /the bias is missing/],
    ['a bottom that nothing makes', layer('a', 'ReLU', '', 'dat'), {}, 'model-invalid', /reads 'dat', which nothing makes before it/],
    ['a word that is none', layer('a', 'Pooling', 'pooling_param { pool: MIN kernel_size: 2 }'), {}, 'model-invalid', /line 1, column \d+, in pooling_param: pool must be one of MAX, AVE, STOCHASTIC/],
    ['a number that is none', layer('a', 'Pooling', 'pooling_param { kernel_size: "2" }'), {}, 'model-invalid', /kernel_size must be a number, not '2'/],
    ['the oldest form', 'layers { layer { name: "a" type: "relu" } bottom: "data" top: "a" }', {}, 'model-unsupported', /oldest form/],
    ['a type that is like no other', layer('a', 'Zq', ''), {}, 'model-unsupported', /\('Zq', line 1\): this type of layer is not supported$/],
    ['a field of its own', `${relu} surprise: 1`, {}, 'model-invalid', /'surprise' is not known/],
  ])('%s', async (_, text, layers, code, message) => {
    await expect(load(`${INPUT} ${text}`, layers)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test('an open size is asked for, and may be given', async () => {
    const text = `input: "data" ${relu}`;
    await expect(load(text)).rejects.toMatchObject({ code: 'model-unsupported', hint: expect.stringContaining('inputShape') });
    expect((await load(text, {}, { inputShape: [1, 3, 8, 8] })).inputs[0]!.shape).toEqual([1, 3, 8, 8]);
  });

  test('weights without the text', async () => {
    for (const name of ['net.caffemodel', 'downloaded']) {
      const alone = loadNetwork([{ name, bytes: caffeModel({ a: [blob(1)] }) }]);
      await expect(alone).rejects.toMatchObject({ code: 'model-unsupported', message: 'this is a part of a network of Caffe (its weights), not a network', hint: expect.stringContaining('Caffe needs its .prototxt too: give both together') });
    }
  });

  test('a text without weights, and weights twice', async () => {
    const main = { name: 'net.prototxt', bytes: encodeText(`${INPUT} ${relu}`) };
    const weights = { name: 'a.caffemodel', bytes: caffeModel({ a: [blob(1)] }) };
    await expect(loadNetwork([main])).rejects.toMatchObject({ code: 'usage', message: 'the weights are missing' });
    await expect(loadNetwork([main, weights, { ...weights, name: 'b.caffemodel' }])).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining('a.caffemodel, b.caffemodel'), hint: 'give one of them with the .prototxt' });
  });
});
