/** TensorFlow.js' files: the weights, the forms that a model may have, what is said of a picture, and of bad files. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UnitscopeError } from '../../src/errors.ts';
import { loadNetwork } from '../../src/formats/loader.ts';
import type { Network } from '../../src/network/network.ts';
import { asFile, build, called, files, float32, graph, input, layer, load, sequence, tensor, type Facts, type WeightFacts } from './tfjs-builder.ts';

const dense = (name: string, units: number, more: Facts = {}): Facts => layer('Dense', name, { units, use_bias: false, ...more });
const weightOf = (network: Network, name: string, role = 'weight'): number[] => [...network.nodes.find((node) => node.name === name)!.weights[role]!.data];
const opsOf = ({ nodes }: Network): string[] => nodes.map(({ name, op }) => `${name}: ${op}`);
const rows = (count = 2): Facts => input('x', count);

async function errorOf(promise: Promise<unknown>): Promise<UnitscopeError> {
  const error = await promise.then(() => undefined, (reason: unknown) => reason);
  expect(error).toBeInstanceOf(UnitscopeError);
  return error as UnitscopeError;
}

describe('the weights', () => {
  const model = sequence(rows(), dense('d', 2));
  const kernel = { 'd/kernel': { shape: [2, 2] } };

  test('are turned from [inputs, outputs] to [outputs, inputs]', async () => {
    expect(weightOf(await load(model, kernel), 'd')).toEqual([1, 3, 2, 4]);
  });

  test.each<[string, WeightFacts]>([
    ['uint8', { shape: [2, 2], quantization: { dtype: 'uint8', scale: 0.5, min: -1, original_dtype: 'float32' }, bytes: Uint8Array.of(0, 2, 4, 255) }],
    ['uint16', { shape: [2, 2], quantization: { dtype: 'uint16', scale: 0.5, min: -1 }, bytes: new Uint8Array(Uint16Array.of(0, 2, 4, 255).buffer) }],
  ])('may be quantized: %s', async (_, weight) => {
    expect(weightOf(await load(model, { 'd/kernel': weight }), 'd')).toEqual([-1, 1, 0, 126.5]);
  });

  test.each<[string, WeightFacts]>([
    ['as a quantization', { shape: [2, 2], quantization: { dtype: 'float16', original_dtype: 'float32' } }],
    ['as they are', { shape: [2, 2], dtype: 'float16' }],
  ])('may be 16-bit floats %s', async (_, weight) => {
    const bytes = new Uint8Array(Uint16Array.of(0x3c00, 0x4000, 0xc200, 0x3555).buffer);
    expect(weightOf(await load(model, { 'd/kernel': { ...weight, bytes } }), 'd')).toEqual([1, -3, 2, 0.333251953125]);
  });

  test('whole numbers become numbers, quantized ones are rounded', async () => {
    const whole = { shape: [2, 2], dtype: 'int32', bytes: new Uint8Array(Int32Array.of(1, -2, 3, 4).buffer) };
    expect(weightOf(await load(model, { 'd/kernel': whole }), 'd')).toEqual([1, 3, -2, 4]);
    const rounded = { shape: [2, 2], dtype: 'int32', quantization: { dtype: 'uint8', scale: 0.4, min: 0 }, bytes: Uint8Array.of(0, 1, 2, 3) };
    expect(weightOf(await load(model, { 'd/kernel': rounded }), 'd')).toEqual([0, 1, 0, 1]);
  });

  test('lie in several groups, and in files that cut them anywhere', async () => {
    const { json, bytes } = build(sequence(rows(), dense('d', 2), dense('e', 1)));
    const weights = [float32(1, 2, 3, 4), float32(5, 6)];
    const manifest = [
      { paths: ['a/one.bin', './two.bin', 'https://example.org/three.bin'], weights: [{ name: 'd/kernel', shape: [2, 2], dtype: 'float32' }] },
      { paths: ['four'], weights: [{ name: 'e/kernel', shape: [2, 1], dtype: 'float32' }] },
    ];
    const network = await loadNetwork([
      asFile('some/folder/three.bin', weights[0]!.slice(9)), asFile('one.bin', weights[0]!.slice(0, 3)), asFile('four', weights[1]), asFile('two.bin', weights[0]!.slice(3, 9)),
      asFile('model.json', { ...json, weightsManifest: manifest }), asFile('notes.txt', bytes),
    ]);
    expect([weightOf(network, 'd'), weightOf(network, 'e')]).toEqual([[1, 3, 2, 4], [5, 6]]);
  });

  test.each<[string, string]>([
    ['as TensorFlow.js and Keras 2 call them', 'd/kernel'],
    ['with the number of an output', 'd/kernel:0'],
    ['under the name of the model', 'net/d/kernel'],
    ['under a scope that nobody knows', 'scope/net/d/kernel'],
    ['by their place in the layer', 'd/0'],
    ['as Keras 3 stores them', 'layers/d/vars/0'],
    ['as Keras 3 stores them, with their place in the model', '_layers/d/vars/0'],
  ])('are found %s: %s', async (_, name) => {
    expect(weightOf(await load(model, { [name]: { shape: [2, 2] } }), 'd')).toEqual([1, 3, 2, 4]);
  });

  test('of layers of one name in several models are told apart by the models', async () => {
    const inner = (name: string): Facts => ({ class_name: 'Sequential', config: { name, layers: [dense('d', 2)] } });
    const network = await load(sequence(rows(), inner('a'), inner('b'), dense('d', 1)), {
      'd/kernel': { shape: [2, 1], bytes: float32(8, 9) }, 'a/d/kernel': { shape: [2, 2] }, 'net/b/d/kernel': { shape: [2, 2], bytes: float32(5, 6, 7, 8) },
    });
    expect(opsOf(network)).toEqual(['a/d: dense', 'b/d: dense', 'd: dense']);
    expect(['a/d', 'b/d', 'd'].map((name) => weightOf(network, name))).toEqual([[1, 3, 2, 4], [5, 7, 6, 8], [8, 9]]);
    const twice = sequence(rows(), dense('d', 2));
    expect((await errorOf(load(twice, { 'u/d/kernel': { shape: [2, 2] }, 'v/d/kernel': { shape: [2, 2] } }))).message).toMatch(/its kernel may be 'u\/d\/kernel' or 'v\/d\/kernel'/);
  });

  test('that no layer reads are noted, those of an optimizer are not', async () => {
    const network = await load(model, { ...kernel, 'other/bias': { shape: [1] }, 'Adam/m': { shape: [1], group: 'optimizer' } });
    expect(network.notes).toEqual(["weights of layers that the model does not have: 'other/bias'"]);
  });

  test('that are missing are told all at once', async () => {
    const { code, message } = await errorOf(load(sequence(rows(), layer('Dense', 'd', { units: 2 }), layer('BatchNormalization', 'n'), dense('e', 1)), { 'd/bias': { shape: [2] } }));
    expect(code).toBe('model-invalid');
    expect(message).toBe("3 weights are missing: 'd/kernel', 'n/gamma', 'e/kernel'");
  });

  test('files that are missing are told all at once', async () => {
    const { json, bytes } = build(model, kernel);
    const manifest = [{ paths: ['dir/a.bin', 'b.bin'], weights: [] }, { paths: ['c.bin'], weights: [] }];
    const error = await errorOf(loadNetwork([asFile('model.json', { ...json, weightsManifest: manifest }), asFile('b.bin', bytes), asFile('folder/d.bin', bytes)]));
    expect(error).toMatchObject({ code: 'io', message: "2 of 3 files of weights are missing: 'a.bin', 'c.bin'", hint: expect.stringContaining("'b.bin', 'd.bin'") as string });
    const twice = await errorOf(loadNetwork([...files({ json, bytes }), asFile('other/group1-shard1of1.bin', bytes)]));
    expect(twice.message).toMatch(/several files of weights are called 'group1-shard1of1.bin'/);
  });

  test.each<[string, Readonly<Record<string, WeightFacts>>, RegExp]>([
    ['a file that is cut', { 'd/kernel': { shape: [2, 2], bytes: float32(1, 2, 3) } }, /'d\/kernel' \[2,2\] needs 16 bytes from byte 0 on; 'group1-shard1of1.bin' end at 12/],
    ['a file that is too long', { 'd/kernel': { shape: [2, 2], bytes: float32(1, 2, 3, 4, 5) } }, /they take 16 bytes, 'group1-shard1of1.bin' has 20/],
    ['a shape that is huge', { 'd/kernel': { shape: [2 ** 40, 2 ** 40], bytes: float32(1) } }, /needs 4\.8\d+e\+24 bytes/],
    ['a shape that is none', { 'd/kernel': { shape: [-2, 2], bytes: float32() } }, /sizes are whole numbers/],
    ['numbers of a type that nobody knows', { 'd/kernel': { shape: [2, 2], dtype: 'complex64' } }, /numbers of the type 'complex64' are not supported/],
    ['a quantization that nobody knows', { 'd/kernel': { shape: [2, 2], quantization: { dtype: 'int4', scale: 1, min: 0 } } }, /the type 'int4'/],
    ['a quantization without its scale', { 'd/kernel': { shape: [2, 2], quantization: { dtype: 'uint8', min: 0 }, bytes: new Uint8Array(4) } }, /quantization\.scale: must be a finite number/],
    ['another shape than the layer needs', { 'd/kernel': { shape: [4, 1] } }, /its kernel has the shape \[4,1\], \[2,2\] is needed/],
  ])('are refused: %s', async (_, weights, expected) => {
    expect((await errorOf(load(model, weights))).message).toMatch(expected);
  });
});

describe('a model', () => {
  const kernels = { 'd/kernel': { shape: [2, 2] }, 'e/kernel': { shape: [2, 2] } };
  const layers3 = (more: Facts[]): Facts[] => [
    layer('InputLayer', 'x', { batch_shape: [null, 2], dtype: 'float32', sparse: false, ragged: false, optional: false }, { name: 'x', inbound_nodes: [] }),
    ...more,
  ];
  const policy = { module: 'keras', class_name: 'DTypePolicy', config: { name: 'mixed_float16' }, registered_name: null };
  const called3 = (type: string, name: string, config: Facts, args: unknown[], kwargs: Facts = {}): Facts =>
    layer(type, name, { dtype: policy, ...config }, { name, module: 'keras.layers', registered_name: null, build_config: { input_shape: [null, 2] }, inbound_nodes: [{ args, kwargs }] });

  test('of Keras 2 and of Keras 3 is the same', async () => {
    const two = graph([rows(), called('Dense', 'd', { units: 2, use_bias: false }, 'x'), called('Dense', 'e', { units: 2, use_bias: false }, 'd'), called('Add', 's', {}, 'd', 'e', 'x')], ['x'], ['s']);
    const three = graph(layers3([
      called3('Dense', 'e', { units: 2, use_bias: false, quantization_config: null }, [tensor('d')], { training: false, mask: null }),
      called3('Dense', 'd', { units: 2, use_bias: false, lora_rank: null }, [tensor('x')]),
      called3('Add', 's', {}, [[tensor('d'), tensor('e'), tensor('x')]]),
    ]), ['x'], ['s']);
    const expected = await load(two, kernels);
    expect(opsOf(expected)).toEqual(['d: dense', 'e: dense', 's/add: add', 's: add']);
    expect(await load(three, kernels, { keras: '3.5.0' })).toEqual(expected);
    const single = { ...three, config: { ...(three.config as Facts), input_layers: ['x', 0, 0], output_layers: ['s', 0, 0] } };
    expect(await load(single, kernels, { keras: '3.5.0' })).toEqual(expected);
  });

  test('may be a list of layers, as in files of old, or lie in modelTopology itself', async () => {
    const list = [layer('Dense', 'd', { units: 2, use_bias: false, batch_input_shape: [null, 2] }), layer('Activation', 'a', { activation: 'relu' })];
    const expected = [{ name: 'd_input', shape: [1, 2] }];
    const old = await load({ class_name: 'Sequential', config: list }, kernels);
    expect(old).toMatchObject({ name: 'sequential', inputs: expected, outputs: ['a'] });
    const { json, bytes } = build(null, kernels);
    const own = await loadNetwork(files({ json: { ...json, modelTopology: { ...sequence(...list), keras_version: 'tfjs-layers 4.22.0', backend: 'tensor_flow.js' } }, bytes }));
    expect(own).toMatchObject({ name: 'net', inputs: expected, outputs: ['a'] });
    const built = { class_name: 'Sequential', config: { name: 'net', build_input_shape: [null, 2], layers: [dense('d', 2)] } };
    expect(await load(built, kernels)).toMatchObject({ inputs: expected });
  });

  test('with arithmetic between its layers: constants on either side, as numbers and for each channel', async () => {
    const x = input('x', 2, 2, 3);
    const array = { class_name: '__numpy__', config: { value: [[[[1, 2, 3]]]], dtype: 'float32' } };
    const three = graph([
      x,
      called3('TrueDivide', 'div', {}, [tensor('x'), 127.5]),
      called3('Subtract', 'sub', {}, [1, tensor('div')]),
      called3('Multiply', 'mul', {}, [tensor('sub'), array]),
      called3('Add', 'add', {}, [tensor('mul'), tensor('sub')]),
    ], ['x'], ['add']);
    const network = await load(three, {}, { keras: '3.5.0' });
    expect(opsOf(network)).toEqual(['div: divide', 'sub: subtract', 'mul: multiply', 'add: add']);
    const [div, sub, mul] = network.nodes;
    expect([div!.weights.operand, div!.attributes, sub!.attributes, mul!.weights.operand]).toEqual([
      { shape: [1], data: Float32Array.of(127.5) }, {}, { reversed: true }, { shape: [1, 3, 1, 1], data: Float32Array.of(1, 2, 3) },
    ]);
    expect(network.preprocess).toEqual({ channels: 'RGB', range: 255, mean: [0, 0, 0], std: [1, 1, 1], fit: 'stretch' });

    const lambda = (name: string, from: string, given: Facts): Facts => layer('TFOpLambda', name, { function: `math.${name}` }, { name, inbound_nodes: [[from, 0, 0, { name: null, ...given }]] });
    const two = graph([x, lambda('truediv', 'x', { y: 127.5 }), lambda('multiply', 'truediv', { y: ['x', 0, 0] }), layer('TFOpLambda', 'r', { function: 'nn.relu6' }, { name: 'r', inbound_nodes: [['multiply', 0, 0, {}]] })], ['x'], ['r']);
    expect(opsOf(await load(two))).toEqual(['truediv: divide', 'multiply: multiply', 'r: clip']);
  });

  test('says which Keras made it where that changes a function', async () => {
    const model = sequence(rows(), layer('Activation', 'a', { activation: 'hard_sigmoid' }));
    expect((await load(model)).nodes[0]!.attributes).toEqual({ alpha: 0.2, beta: 0.5 });
    expect((await load(model, {}, { keras: '3.1.0' })).nodes[0]!.attributes).toEqual({ alpha: 1 / 6, beta: 0.5 });
    const wrapped = { module: 'builtins', class_name: 'function', config: 'relu6', registered_name: 'function' };
    expect((await load(sequence(rows(), layer('Activation', 'a', { activation: wrapped })))).nodes[0]!.op).toBe('clip');
  });

  test('has settings of layers that TensorFlow.js does not know', async () => {
    const network = await load(sequence(
      input('x', 5, 4, 3),
      layer('Conv2D', 'c', { filters: 3, kernel_size: 3, groups: 3, use_bias: false }),
      layer('ReLU', 'r', { max_value: 6, negative_slope: 0.1, threshold: 0 }),
      layer('LeakyReLU', 'l', { negative_slope: 0.2 }),
      layer('ELU', 'e', { alpha: 0.5 }),
      layer('GlobalAveragePooling2D', 'g', { keepdims: true }),
      layer('Normalization', 'n', { axis: [-1], mean: [1, 2, 3], variance: [4, 4, 16] }),
      layer('Rescaling', 's', { scale: [1, 2, 3], offset: 1 }),
    ), { 'c/kernel': { shape: [3, 3, 1, 3] } });
    const [c, leaky, limit, l, e, , n, s] = network.nodes;
    expect(c).toMatchObject({ attributes: { groups: 3 }, weights: { weight: { shape: [3, 1, 3, 3] } } });
    expect([leaky!.attributes, limit!.attributes.max, l!.attributes, e!.attributes]).toEqual([{ slope: 0.1 }, 6, { slope: 0.2 }, { alpha: 0.5 }]);
    expect([weightOf(network, n!.name, 'scale'), weightOf(network, n!.name, 'shift'), weightOf(network, s!.name, 'scale')]).toEqual([[0.5, 0.5, 0.25], [-0.5, -1, -0.75], [1, 2, 3]]);
  });

  test('without layers is known by its weights where they are those of MobileNet, else refused', async () => {
    const { json, bytes } = build(null, kernels);
    const error = await errorOf(loadNetwork(files({ json: { ...json, modelTopology: null }, bytes })));
    expect(error).toMatchObject({ code: 'model-unsupported', message: expect.stringMatching(/lists weights, but no layers/) as string });
  });

  test('of operations is told from one of layers', async () => {
    const { json, bytes } = build(null);
    for (const more of [{ format: 'graph-model' }, { modelTopology: { node: [] } }]) {
      expect(await errorOf(loadNetwork(files({ json: { ...json, ...more }, bytes })))).toMatchObject({ code: 'model-unsupported', message: expect.stringMatching(/graph model of TensorFlow.js/) as string });
    }
  });
});

describe('the input', () => {
  const head = layer('GlobalAveragePooling2D', 'g');

  test('has its channels first here, and takes a size where the file leaves it open', async () => {
    const open = sequence(input('x', null, null, 3), head);
    const error = await errorOf(load(open));
    expect(error).toMatchObject({ code: 'model-unsupported', message: "the size of input 'x' is open: [1, 3, ?, ?]", hint: expect.stringContaining('inputShape') as string });
    expect((await load(open, {}, { inputShape: [1, 3, 6, 5] })).inputs).toEqual([{ name: 'x', shape: [1, 3, 6, 5] }]);
    expect((await errorOf(load(open, {}, { inputShape: [3, 6, 5] }))).code).toBe('usage');
    expect((await load(sequence(input('x', 6, 5, 3), head))).inputs).toEqual([{ name: 'x', shape: [1, 3, 6, 5] }]);
    const first = sequence(input('x', 3, 6, 5), layer('GlobalAveragePooling2D', 'g', { data_format: 'channels_first' }));
    expect((await load(first)).inputs).toEqual([{ name: 'x', shape: [1, 3, 6, 5] }]);
  });

  test('may be of whole numbers, which is noted, but of no other type', async () => {
    const of = (dtype: string): Facts => sequence(layer('InputLayer', 'x', { batch_input_shape: [null, 6, 5, 3], dtype }), head);
    expect((await load(of('uint8'))).notes).toEqual(["input 'x' is uint8 in the file and float32 here"]);
    expect((await errorOf(load(of('string')))).message).toMatch(/input 'x' holds 'string'/);
  });

  test.each<[string, Facts, object | undefined]>([
    ['from 0..255 to 0..1', { scale: 1 / 255 }, { channels: 'RGB', range: 255 }],
    ['from 0..255 to -1..1', { scale: 1 / 127.5, offset: -1 }, { channels: 'RGB', range: 255 }],
    ['by anything else', { scale: 2 }, undefined],
  ])('is of pixels where the first layer that does something rescales them %s', async (_, config, expected) => {
    const { preprocess, notes } = await load(sequence(input('x', 6, 5, 3), layer('RandomFlip', 'f', { mode: 'horizontal', seed: null }), layer('Rescaling', 'r', config), head));
    if (expected) expect(preprocess).toMatchObject(expected);
    else expect(preprocess).toBeUndefined();
    expect(notes).toEqual(expected && [expect.stringMatching(/follows from the layer 'r', which takes pixels of 0..255, [^]*: RGB, stretched/)]);
  });

  test('is what Teachable Machine says beside the model, with the names of the classes', async () => {
    const base = files(build(sequence(input('x', 6, 5, 3), head)));
    const facts = { packageName: '@teachablemachine/image', labels: ['cat', 'dog', 'none'], imageSize: 224 };
    expect(await loadNetwork([...base, asFile('metadata.json', facts)])).toMatchObject({ labels: facts.labels, preprocess: { channels: 'RGB', mean: [127, 127, 127], std: [127, 127, 127], fit: 'crop' }, notes: ["the preprocessing is that of Teachable Machine, which 'metadata.json' is from"] });
    expect((await loadNetwork([...base, asFile('metadata.json', '{"labels": [')])).notes).toEqual([expect.stringMatching(/'metadata.json' cannot be read/)]);
    expect((await loadNetwork([...base, asFile('metadata.json', { labels: 7 })])).labels).toBeUndefined();
  });
});

describe('what is not supported or wrong', () => {
  test('is told in one error', async () => {
    const model = graph([
      input('x', 6, 5, 3),
      called('LSTM', 'l', { units: 3 }, 'x'),
      called('Conv2D', 'c', { filters: 1, kernel_size: 3, use_bias: false, padding: 'valid', mystery: 1 }, 'x'),
      called('Activation', 'a', { activation: 'sinus' }, 'c'),
      called('ReLU', 'r', { threshold: 0.5 }, 'l'),
      called('BatchNormalisation', 'b', {}, 'a'),
      layer('Dropout', 'd', { rate: 0.5 }, { name: 'd', inbound_nodes: [[['b', 0, 0, { training: true }]]] }),
      called('Dense', 'e', { units: 2, use_bias: false, dtype: 'int8' }, 'd'),
    ], ['x'], ['e']);
    const { code, message } = await errorOf(load(model, { 'c/kernel': { shape: [3, 3, 3, 1] } }));
    expect(code).toBe('model-unsupported');
    expect(message.split('\n').slice(1).map((line) => line.replace(/^ *- /, ''))).toEqual([
      "layer 'l' ('LSTM'): this type of layer is not supported",
      "layer 'c' ('Conv2D'): the setting 'mystery' is not supported",
      expect.stringMatching(/^layer 'a' \('Activation'\): the activation 'sinus' is not supported/),
      "layer 'r' ('ReLU'): threshold 0.5 is not supported, only 0",
      "layer 'b' ('BatchNormalisation'): this type of layer is not supported; did you mean 'BatchNormalization', 'LayerNormalization', 'Normalization'?",
      "layer 'd' ('Dropout'): the argument 'training' of its call is not supported",
      "layer 'e' ('Dense'): numbers of the type 'int8' are not supported",
    ]);
  });

  const relu = (name: string, from: unknown[]): Facts => layer('ReLU', name, {}, { name, inbound_nodes: [from] });
  const inner = (nodes: unknown[]): Facts => ({ ...graph([input('i', 2), called('ReLU', 'q', {}, 'i')], ['i'], ['q'], 'inner'), name: 'inner', inbound_nodes: nodes });
  test.each<[string, Facts, RegExp]>([
    ['layers in a circle', graph([rows(), relu('a', [['b', 0, 0]]), relu('b', [['a', 0, 0]])], ['x'], ['b']), /the layers form a cycle: 'a' -> 'b' -> 'a'|'b' -> 'a' -> 'b'/],
    ['a model that feeds itself', graph([rows(), inner([[['inner', 0, 0]]])], ['x'], ['inner']), /cycle/],
    ['a layer that is not there', graph([rows(), relu('a', [['y', 0, 0]])], ['x'], ['a']), /reads the layer 'y', which it does not have/],
    ['a call that is not there', graph([rows(), relu('a', [['x', 0, 0]]), relu('b', [['a', 1, 0]])], ['x'], ['b']), /call 1 of the layer 'a' is read; it has 1/],
    ['a second output', graph([rows(), relu('a', [['x', 0, 0]]), relu('b', [['a', 0, 1]])], ['x'], ['b']), /layers with several outputs are not supported/],
    ['two layers of one name', graph([rows(), relu('a', [['x', 0, 0]]), relu('a', [['x', 0, 0]])], ['x'], ['a']), /two layers of the model 'net' are called 'a'/],
    ['an input that nothing feeds', graph([rows(), inner([[]])], ['x'], ['inner']), /nothing feeds the input 'i'/],
    ['no layers', sequence(), /the model 'net' has no layers/],
    ['an input alone', sequence(rows()), /the network has no layers/],
    ['a class that is no model', layer('Dense', 'd'), /the model is of the class 'Dense'/],
    ['pooling of rows', sequence(rows(), layer('MaxPooling2D', 'p')), /takes a picture of 4 axes, got \[1,2\]/],
    ['a picture that is too small', sequence(input('x', 2, 2, 1), layer('MaxPooling2D', 'p', { pool_size: 3 })), /the result \[1,0,0,1\] is empty/],
    ['a shape that cannot be', sequence(rows(), layer('Reshape', 'r', { target_shape: [3, -1] })), /\[2\] cannot become \[3,-1\]/],
    ['axes that are not there', sequence(input('x', 2, 2, 1), layer('Permute', 'p', { dims: [1, 2, 4] })), /dims \[1,2,4\] do not fit/],
    ['shapes that do not fit', graph([rows(), input('y', 3), called('Add', 's', {}, 'x', 'y')], ['x', 'y'], ['s']), /\[1,2\] and \[1,3\] do not fit together/],
    ['a value of another kind', sequence(rows(), layer('Dense', 'd', { units: 'two' })), /layers\[1\]\.config\.units: must be a finite number, the text 'two' is there/],
  ])('%s', async (_, model, expected) => expect((await errorOf(load(model))).message).toMatch(expected));

  test('models in models that unfold without end are stopped', async () => {
    let child = called('ReLU', 'leaf', {}, 'i');
    for (let depth = 0; depth < 12; depth++) {
      const { name } = child as { name: string };
      const calls = Array.from({ length: 8 }, (_, call) => [[call === 0 ? 'i' : name, Math.max(call - 1, 0), 0]]);
      const outer = graph([input('i', 2), depth === 0 ? child : { ...child, inbound_nodes: calls }], ['i'], [name], `m${depth}`);
      child = { ...outer, name: `m${depth}` };
    }
    const { name: _, ...model } = child;
    expect((await errorOf(load(model))).message).toMatch(/more than 10,000 layers/);
  });

  test('any damage gives a typed error or a network', async () => {
    const model = graph([input('x', 6, 5, 3), called('Conv2D', 'c', { filters: 2, kernel_size: 3, padding: 'same', activation: 'relu' }, 'x'), called('Flatten', 'f', {}, 'c'), called('Dense', 'd', { units: 2 }, 'f')], ['x'], ['d']);
    const { json, bytes } = build(model, { 'c/kernel': { shape: [3, 3, 3, 2] }, 'c/bias': { shape: [2] }, 'd/kernel': { shape: [60, 2] }, 'd/bias': { shape: [2] } });
    const text = JSON.stringify(json);
    const values = [...text.matchAll(/-?\d+(?:\.\d+)?|"[^"]*"|true|false|null/g)].map((match) => ({ at: match.index, length: match[0].length }));
    const replacement = fc.constantFrom('null', '-1', '0', '1e99', '9007199254740993', '""', '[]', '{}', '[[]]', '"__proto__"', '"constructor"', 'true', '3.5', '[1,2]');
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: values.length - 1 }), replacement, async (index, value) => {
        const { at, length } = values[index]!;
        const damaged = text.slice(0, at) + value + text.slice(at + length);
        await loadNetwork([asFile('model.json', damaged), asFile('group1-shard1of1.bin', bytes)]).catch((error: unknown) => {
          if (!(error instanceof UnitscopeError)) throw error;
        });
      }),
      { numRuns: 1500 },
    );
  });
});
