/** Every type of layer that is read from TensorFlow.js, against what TensorFlow.js computes itself. */
import { beforeAll, describe, expect, test } from 'vitest';
import { loadNetwork } from '../../src/formats/loader.ts';
import { activations } from '../../src/methods/activations.ts';
import { shapesOf } from '../../src/ops/check.ts';
import { useEngine } from '../gpu.ts';
import { input, layer, load, sequence as built, type Facts, type WeightFacts } from './tfjs-builder.ts';
import { filesOf, randomInput, randomize, save, tf, toOurs, type ModelJson } from './tfjs-models.ts';

const engine = useEngine();
beforeAll(async () => {
  await tf.setBackend('cpu');
});

interface Comparison {
  readonly channelsFirst?: boolean;
  readonly batch?: number;
}

/** The results that differ by more than 1e-5 of their largest value, with what they differ by. */
async function differences(model: tf.LayersModel, { channelsFirst = false, batch = 2 }: Comparison = {}): Promise<string[]> {
  randomize(model, 7);
  const inputs = model.inputs.map((input, index) => randomInput([batch, ...(input.shape.slice(1) as number[])], 11 + index, channelsFirst));
  const expected = [model.predict(inputs.map(({ theirs }) => theirs)) as tf.Tensor | tf.Tensor[]].flat();
  const network = await loadNetwork(filesOf(await save(model)));
  shapesOf(network, 3);
  const x = new Map(network.inputs.map(({ name }, index) => [name, inputs[index]!.ours]));
  const found = await activations(engine(), network, inputs.length === 1 ? inputs[0]!.ours : x, { layers: network.outputs });
  expect(network.outputs).toHaveLength(expected.length);
  return expected.flatMap((theirs, index) => {
    const name = network.outputs[index]!;
    const wanted = toOurs(theirs, channelsFirst);
    const y = found.get(name)!;
    if (y.shape.join() !== wanted.shape.join()) return [`${name} is [${y.shape}] instead of [${wanted.shape}]`];
    const largest = wanted.data.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-30);
    const worst = y.data.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted.data[i]!) / largest), 0);
    return worst < 1e-5 ? [] : [`${name}: ${worst}`];
  });
}

type Layer = tf.layers.Layer;
const { layers } = tf;

/** Layers one after the other on a picture of 7 x 6 with 3 channels, or of the given shape. */
const sequence = (steps: readonly Layer[], inputShape: readonly number[] = [7, 6, 3]): tf.LayersModel => {
  const model = tf.sequential();
  model.add(layers.inputLayer({ inputShape: [...inputShape] }));
  for (const step of steps) model.add(step);
  return model;
};

const SEQUENCES: readonly [string, () => tf.LayersModel][] = [
  ['Conv2D, same and valid, strides and dilation', () => sequence([
    layers.conv2d({ filters: 4, kernelSize: [3, 2], padding: 'same', strides: 2, activation: 'relu' }),
    layers.conv2d({ filters: 5, kernelSize: 3, padding: 'same', dilationRate: [2, 1], useBias: false }),
    layers.conv2d({ filters: 3, kernelSize: [2, 3], activation: 'softmax' }),
  ])],
  ['Conv2D, same with a stride of 2 on an even and an odd size', () => sequence([layers.conv2d({ filters: 2, kernelSize: 3, padding: 'same', strides: [2, 2] })], [8, 5, 2])],
  ['DepthwiseConv2D with a multiplier', () => sequence([layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, padding: 'same', strides: 2, activation: 'relu6' })])],
  ['SeparableConv2D', () => sequence([layers.separableConv2d({ filters: 4, kernelSize: [2, 3], depthMultiplier: 2, padding: 'same', strides: 1, activation: 'relu' })])],
  ['MaxPooling2D and AveragePooling2D', () => sequence([
    layers.maxPooling2d({ poolSize: [3, 2], strides: [1, 2], padding: 'same' }),
    layers.averagePooling2d({ poolSize: 3, strides: 2, padding: 'same' }),
    layers.averagePooling2d({ poolSize: 2, strides: 1 }),
  ], [9, 8, 2])],
  ['GlobalAveragePooling2D and Dense', () => sequence([layers.globalAveragePooling2d({}), layers.dense({ units: 4, activation: 'softmax' })])],
  ['Flatten and Dense: the order H, W, C', () => sequence([layers.flatten(), layers.dense({ units: 5 }), layers.reLU(), layers.dense({ units: 3, useBias: false })])],
  ['Flatten, what keeps the order, Dense', () => sequence([
    layers.flatten(),
    layers.batchNormalization(),
    layers.dropout({ rate: 0.5 }),
    layers.activation({ activation: 'relu' }),
    layers.softmax({ axis: -1 }),
    layers.dense({ units: 3 }),
  ])],
  ['BatchNormalization with and without scale and center', () => sequence([
    layers.batchNormalization({ epsilon: 0.01 }),
    layers.batchNormalization({ scale: false }),
    layers.batchNormalization({ center: false }),
  ])],
  ['ReLU with and without a limit', () => sequence([layers.reLU({ maxValue: 1.5 }), layers.reLU()])],
  ['Softmax over the channels', () => sequence([layers.softmax({ axis: 3 }), layers.softmax({ axis: -1 })])],
  ['ZeroPadding2D and Cropping2D', () => sequence([layers.zeroPadding2d({ padding: [[1, 0], [2, 3]] }), layers.cropping2D({ cropping: [[2, 1], [1, 0]] })])],
  ['Reshape to a picture of 1 x 1', () => sequence([layers.globalAveragePooling2d({}), layers.reshape({ targetShape: [1, 1, 3] }), layers.conv2d({ filters: 4, kernelSize: 1 })])],
  ['Reshape of rows to a picture', () => sequence([layers.reshape({ targetShape: [5, 4, 1] }), layers.conv2d({ filters: 3, kernelSize: 3, padding: 'same' })], [20])],
  ['what is there only for training', () => sequence([layers.dropout({ rate: 0.3 }), layers.gaussianNoise({ stddev: 1 }), layers.gaussianDropout({ rate: 0.2 }), layers.alphaDropout({ rate: 0.1 })])],
  ['Rescaling', () => sequence([layers.rescaling({ scale: 1 / 127.5, offset: -1 }), layers.conv2d({ filters: 2, kernelSize: 3, padding: 'same' })])],
  ['Dense on pictures', () => sequence([layers.dense({ units: 4, activation: 'relu' }), layers.dense({ units: 2 })])],
];

describe('a sequence: ', () => {
  test.each(SEQUENCES)('%s', async (_, make) => expect(await differences(make())).toEqual([]));
});

type Symbol = tf.SymbolicTensor;
const apply = (layer: Layer, ...inputs: Symbol[]): Symbol => layer.apply(inputs.length === 1 ? inputs[0]! : inputs) as Symbol;
const picture = (...shape: number[]): Symbol => tf.input({ shape: shape.length > 0 ? shape : [5, 4, 3] });

/** A model with a result for each of the layers, all on the same picture. */
function heads(make: (x: Symbol) => Symbol[], ...shape: number[]): tf.LayersModel {
  const x = picture(...shape);
  return tf.model({ inputs: x, outputs: make(x) });
}

const FUNCTIONS = ['linear', 'relu', 'relu6', 'sigmoid', 'hardSigmoid', 'tanh', 'elu', 'selu', 'swish', 'gelu', 'gelu_new', 'mish', 'softplus', 'softsign', 'softmax'] as const;

const GRAPHS: readonly [string, () => tf.LayersModel, Comparison?][] = [
  ['activation functions', () => heads((x) => FUNCTIONS.map((activation) => apply(layers.activation({ activation: activation as 'relu', name: activation }), x)))],
  ['LeakyReLU, ELU, PReLU', () => heads((x) => [
    apply(layers.leakyReLU(), x),
    apply(layers.leakyReLU({ alpha: 0.1 }), x),
    apply(layers.elu(), x),
    apply(layers.prelu({}), x),
    apply(layers.prelu({ sharedAxes: [1, 2] }), x),
    apply(layers.prelu({ sharedAxes: [3] }), x),
    apply(layers.dense({ units: 2 }), apply(layers.prelu({}), apply(layers.flatten(), x))),
  ])],
  ['sums, products and extremes', () => heads((x) => {
    const [a, b] = [4, 5].map((seed) => apply(layers.conv2d({ filters: 3, kernelSize: 3, padding: 'same', name: `conv${seed}` }), x));
    return [
      apply(layers.add(), a!, b!, x), apply(layers.multiply(), a!, b!), apply(layers.average(), a!, b!, x), apply(layers.maximum(), a!, b!), apply(layers.minimum(), a!, b!),
    ];
  })],
  ['what is multiplied for each channel', () => heads((x) => {
    const squeezed = apply(layers.dense({ units: 3, activation: 'sigmoid' }), apply(layers.globalAveragePooling2d({}), x));
    return [apply(layers.multiply(), x, squeezed), apply(layers.multiply(), x, apply(layers.reshape({ targetShape: [1, 1, 3] }), squeezed))];
  })],
  ['Concatenate along each axis, and of rows', () => heads((x) => {
    const y = apply(layers.reLU(), x);
    const rows = [x, y].map((part) => apply(layers.flatten(), part));
    return [
      ...[-1, 1, 2].map((axis) => apply(layers.concatenate({ axis, name: `axis${axis}` }), x, y)),
      apply(layers.dense({ units: 2 }), apply(layers.concatenate(), ...rows)),
      apply(layers.dense({ units: 2 }), apply(layers.add(), ...rows)),
    ];
  })],
  ['Conv2DTranspose: each way of padding, strides above and below the kernel', () => heads((x) => [
    apply(layers.conv2dTranspose({ filters: 2, kernelSize: 3, strides: 2, padding: 'same' }), x),
    apply(layers.conv2dTranspose({ filters: 2, kernelSize: [3, 2], strides: [1, 2], padding: 'valid', activation: 'relu' }), x),
    apply(layers.conv2dTranspose({ filters: 2, kernelSize: 2, strides: 3, padding: 'valid', useBias: false }), x),
    apply(layers.conv2dTranspose({ filters: 2, kernelSize: [4, 5], strides: [2, 1], padding: 'same' }), x),
    apply(layers.conv2dTranspose({ filters: 2, kernelSize: 1, strides: 2, padding: 'same' }), x),
  ])],
  ['UpSampling2D', () => heads((x) => [
    apply(layers.upSampling2d({ size: [2, 3] }), x),
    apply(layers.upSampling2d({ size: [3, 2], interpolation: 'bilinear' }), x),
  ])],
  ['GlobalMaxPooling2D', () => heads((x) => [apply(layers.globalMaxPooling2d({}), x)])],
  ['LayerNormalization', () => heads((x) => [
    apply(layers.layerNormalization({ epsilon: 0.01 }), x),
    apply(layers.layerNormalization({ axis: [1, 2, 3], scale: false }), x),
    apply(layers.conv2d({ filters: 2, kernelSize: 2 }), apply(layers.layerNormalization({}), apply(layers.reLU(), x))),
  ])],
  ['Permute and Reshape move what must move', () => heads((x) => [
    apply(layers.permute({ dims: [2, 1, 3] }), x),
    apply(layers.permute({ dims: [3, 1, 2] }), x),
    apply(layers.dense({ units: 2 }), apply(layers.flatten(), apply(layers.permute({ dims: [3, 2, 1] }), x))),
    apply(layers.reshape({ targetShape: [-1, 3] }), x),
    apply(layers.dense({ units: 4, activation: 'relu' }), apply(layers.reshape({ targetShape: [20, 3] }), x)),
    apply(layers.batchNormalization({}), apply(layers.reshape({ targetShape: [10, 6] }), x)),
    apply(layers.conv2d({ filters: 2, kernelSize: 2 }), apply(layers.reshape({ targetShape: [4, 5, 3] }), x)),
    apply(layers.flatten(), x),
  ])],
  ['shuffled channels', () => heads((x) => {
    const groups = apply(layers.reshape({ targetShape: [5, 4, 2, 3] }), x);
    return [apply(layers.conv2d({ filters: 2, kernelSize: 1 }), apply(layers.reshape({ targetShape: [5, 4, 6] }), apply(layers.permute({ dims: [1, 2, 4, 3] }), groups)))];
  }, 5, 4, 6)],
  ['channels first', () => {
    const dataFormat = 'channelsFirst' as const;
    const x = picture(3, 6, 5);
    const y = apply(layers.conv2d({ filters: 4, kernelSize: 3, padding: 'same', strides: 2, dataFormat, activation: 'relu' }), x);
    const z = apply(layers.activation({ activation: 'tanh' }), y);
    return tf.model({
      inputs: x,
      outputs: [
        apply(layers.maxPooling2d({ poolSize: 2, dataFormat }), z),
        apply(layers.dense({ units: 2 }), apply(layers.flatten({ dataFormat }), z)),
        apply(layers.dense({ units: 2 }), apply(layers.flatten(), z)),
        apply(layers.globalAveragePooling2d({ dataFormat }), z),
        apply(layers.concatenate({ axis: 1 }), y, z),
      ],
    });
  }, { channelsFirst: true }],
  ['a layer that is called twice', () => heads((x) => {
    const shared = layers.conv2d({ filters: 3, kernelSize: 3, padding: 'same' });
    return [apply(shared, apply(layers.reLU(), apply(shared, x)))];
  })],
  ['models in models', () => {
    const inner = heads((x) => [apply(layers.conv2d({ filters: 3, kernelSize: 3, padding: 'same', name: 'same' }), x)]);
    const deep = sequence([layers.dense({ units: 2, name: 'last' })], [60]);
    const x = picture();
    const y = apply(inner as unknown as Layer, apply(inner as unknown as Layer, x));
    return tf.model({ inputs: x, outputs: [apply(deep as unknown as Layer, apply(layers.flatten(), y)), y] });
  }],
  ['a sequence that begins with a model', () => {
    const inner = heads((x) => [apply(layers.conv2d({ filters: 2, kernelSize: 2 }), x)]);
    const outer = tf.sequential();
    outer.add(inner as unknown as Layer);
    outer.add(sequence([layers.globalAveragePooling2d({}), layers.dense({ units: 2 })], [4, 3, 2]) as unknown as Layer);
    return outer;
  }],
  ['several inputs, in the order of the model', () => {
    const [a, b] = [tf.input({ shape: [5, 4, 3], name: 'second' }), tf.input({ shape: [4], name: 'first' })];
    return tf.model({ inputs: [b, a], outputs: apply(layers.concatenate(), apply(layers.flatten(), a), apply(layers.dense({ units: 2 }), b)) });
  }, { batch: 1 }],
];

describe('a graph: ', () => {
  test.each(GRAPHS)('%s', async (_, make, comparison) => expect(await differences(make(), comparison)).toEqual([]));
});

// TensorFlow.js on the CPU normalizes along the last axis, whatever the config says, and has softmax along no other.
describe('along an axis that is not the last: ', () => {
  test.each<[string, () => Layer]>([
    ['BatchNormalization', () => layers.batchNormalization({ axis: 3 })],
    ['Softmax', () => layers.softmax({ axis: 3 })],
  ])('%s', async (_, make) => {
    const model = sequence([make()], [3, 3, 3]);
    randomize(model, 3);
    const saved = await save(model);
    for (const axis of [1, 2]) {
      const order = [0, 1, 2, 3].map((at) => (at === axis ? 3 : at === 3 ? axis : at));
      const { theirs, ours } = randomInput([2, 3, 3, 3], 5);
      const expected = toOurs(tf.transpose(model.predict(tf.transpose(theirs, order)) as tf.Tensor, order));
      const json = JSON.parse(JSON.stringify(saved.json).replace(/"axis":3/, `"axis":[${axis}]`)) as ModelJson;
      const network = await loadNetwork(filesOf({ ...saved, json }));
      const y = (await activations(engine(), network, ours, { layers: network.outputs })).get(network.outputs[0]!)!;
      const worst = y.data.reduce((most, value, i) => Math.max(most, Math.abs(value - expected.data[i]!)), 0);
      expect(worst).toBeLessThan(1e-5);
    }
  });
});

// Keras takes the centres of pixels where TensorFlow.js takes their corners, and knows settings that TensorFlow.js does not.
describe('a model that Keras has made: ', () => {
  const { image } = tf;
  const kernel = { 't/kernel': { shape: [3, 3, 2, 3] } };
  const ramp = tf.tidy(() => tf.keep(tf.reshape(tf.range(1, 55), [3, 3, 2, 3]) as tf.Tensor4D));
  test.each<[string, Facts, Readonly<Record<string, WeightFacts>>, (x: tf.Tensor4D) => tf.Tensor]>([
    ['UpSampling2D', layer('UpSampling2D', 'u', { size: [3, 2], interpolation: 'bilinear' }), {}, (x) => image.resizeBilinear(x, [15, 8], false, true)],
    ['Resizing', layer('Resizing', 'r', { height: 7, width: 9, interpolation: 'bilinear' }), {}, (x) => image.resizeBilinear(x, [7, 9], false, true)],
    ['Resizing, nearest', layer('Resizing', 'r', { height: 7, width: 3, interpolation: 'nearest' }), {}, (x) => image.resizeNearestNeighbor(x, [7, 3], false, true)],
    ['Conv2DTranspose, same, with output_padding', layer('Conv2DTranspose', 't', { filters: 2, kernel_size: 3, strides: 2, padding: 'same', output_padding: 0, use_bias: false }), kernel, (x) => tf.conv2dTranspose(x, ramp, [2, 9, 7, 2], 2, 'same')],
    ['Conv2DTranspose, valid, with output_padding', layer('Conv2DTranspose', 't', { filters: 2, kernel_size: 3, strides: 2, output_padding: [1, 0], use_bias: false }), kernel, (x) => tf.conv2dTranspose(x, ramp, [2, 12, 9, 2], 2, 'valid')],
    ['Rescaling by a number for each channel', layer('Rescaling', 's', { scale: [1, 2, 3], offset: [0, -1, 1] }), {}, (x) => tf.add(tf.mul(x, [1, 2, 3]), [0, -1, 1])],
  ])('%s', async (_, step, weights, compute) => {
    const network = await load(built(input('x', 5, 4, 3), step), weights);
    const { theirs, ours } = randomInput([2, 5, 4, 3], 9);
    const expected = toOurs(compute(theirs as tf.Tensor4D));
    const y = (await activations(engine(), network, ours, { layers: network.outputs })).get(network.outputs[0]!)!;
    expect(y.shape).toEqual(expected.shape);
    const largest = expected.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(y.data.reduce((most, value, i) => Math.max(most, Math.abs(value - expected.data[i]!)), 0)).toBeLessThan(1e-5 * largest);
  });
});
