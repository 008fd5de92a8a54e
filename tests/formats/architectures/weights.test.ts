/** Files of weights alone: recognised, named, wrapped, renamed, refused. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UnitscopeError } from '../../../src/errors.ts';
import { architectureCalled, similarArchitectures } from '../../../src/formats/architectures/weights.ts';
import { loadNetwork, type LoadOptions, type NamedFile } from '../../../src/formats/loader.ts';
import { writeManifest } from '../../../src/formats/manifest/network.ts';
import { encodeText } from '../../../src/formats/text.ts';
import type { Shape } from '../../../src/network/network.ts';
import { shapesOf } from '../../../src/ops/check.ts';
import { diamond } from '../../network/graphs.ts';
import { dataBytes } from '../reference-data.ts';
import { drawn, fileOf, formulaOf, tensorsOf } from './files.ts';

const squeezenet = tensorsOf(architectureCalled('squeezenet1_1'), 10);
const named = (bytes: Uint8Array, name = 'w.safetensors'): NamedFile => ({ name, bytes });
const load = (bytes: Uint8Array, options?: LoadOptions) => loadNetwork([named(bytes)], options);

async function errorOf(action: Promise<unknown>): Promise<UnitscopeError> {
  const error = await action.then(
    () => new Error('nothing was refused'),
    (cause: unknown) => cause,
  );
  if (error instanceof UnitscopeError) return error;
  throw error;
}

/** The header of a file and zeros as numbers: for types that nothing here writes. */
function rawFile(tensors: ReadonlyMap<string, Shape>, typeOf: (name: string) => [type: string, size: number]): Uint8Array {
  let end = 0;
  const entries = [...tensors].map(([name, shape]) => {
    const [dtype, size] = typeOf(name);
    const begin = end;
    end += size * shape.reduce((a, b) => a * b, 1);
    return [name, { dtype, shape, data_offsets: [begin, end] }];
  });
  const text = encodeText(JSON.stringify(Object.fromEntries(entries)));
  const bytes = new Uint8Array(8 + text.length + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

describe('weights alone', () => {
  it('are loaded with the graph that their tensors tell', async () => {
    const network = await load(dataBytes('models/resnet20-cifar10/resnet20-cifar10.safetensors'));
    expect(network).toMatchObject({ name: 'resnet20', inputs: [{ name: 'x', shape: [1, 3, 32, 32] }], outputs: ['linear'], preprocess: { channels: 'RGB', range: 1, fit: 'crop' } });
    expect(network.notes).toEqual(['the tensors are those of resnet20', 'the preprocessing is that of the CIFAR-10 weights of pytorch_resnet_cifar10']);
    expect(shapesOf(network).get('linear')).toEqual([1, 10]);
  });

  it('are loaded with the graph that is named, for images of another size', async () => {
    const network = await load(fileOf(squeezenet), { architecture: 'squeezenet1_1', inputShape: [2, 3, 64, 48] });
    expect(network.inputs).toEqual([{ name: 'x', shape: [2, 3, 64, 48] }]);
    expect(shapesOf(network).get('flatten')).toEqual([2, 10]);
    expect(network.nodes.map(({ name }) => name)).toEqual(expect.arrayContaining(['features.0', 'features.3.squeeze_activation', 'features.3.cat', 'classifier.1']));
    for (const role of ['weight', 'bias']) {
      const { data } = formulaOf(`features.3.expand3x3.${role}`, squeezenet.get(`features.3.expand3x3.${role}`)!);
      expect(network.nodes.find(({ name }) => name === 'features.3.expand3x3')!.weights[role]!.data.every((value, i) => value === data[i])).toBe(true);
    }
  });

  it('have no preprocessing where the number of classes is not that of the published ones', async () => {
    const network = await load(fileOf(squeezenet));
    expect(network.preprocess).toBeUndefined();
    expect(network.notes).toEqual(['the tensors are those of squeezenet1_1', "no preprocessing is stated: with 10 classes these are not torchvision's ImageNet weights"]);
    const published = await load(fileOf(tensorsOf(architectureCalled('squeezenet1_1'))));
    expect(published.preprocess).toEqual({ channels: 'RGB', range: 1, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], fit: 'crop' });
    expect(published.notes!.at(-1)).toMatch(/the preprocessing is that of torchvision's ImageNet weights: .* 256 pixels/);
  });

  it.each(['module.', 'model.', 'backbone.', 'module.model.', '_orig_mod.module.'])('may be wrapped: %s', async (prefix) => {
    const [network, notes] = [await load(fileOf(squeezenet, (name) => prefix + name)), await load(fileOf(squeezenet)).then((plain) => plain.notes!)];
    expect(network.notes).toEqual([notes[0], `'${prefix}' before every tensor's name was taken off`, ...notes.slice(1)]);
    expect(network.nodes[0]).toMatchObject({ name: 'features.0', weights: { bias: formulaOf('features.0.bias', [64]) } });
  });

  it('may have the counters of batch normalization, of any type', async () => {
    const tensors = tensorsOf(architectureCalled('resnet20'));
    const counters = [...tensors.keys()].filter((name) => name.endsWith('running_var')).map((name) => [name.replace('running_var', 'num_batches_tracked'), []] as const);
    const network = await load(rawFile(new Map([...tensors, ...counters]), (name) => (name.endsWith('tracked') ? ['I64', 8] : ['BF16', 2])));
    expect(network.name).toBe('resnet20');
  });

  it('may be of older names: DenseNet', async () => {
    const tensors = tensorsOf(architectureCalled('densenet121'), 3);
    const old = (name: string): string => name.replace(/(denselayer\d+\.(?:norm|conv))([12])/, '$1.$2');
    const network = await load(rawFile(new Map([...tensors].map(([name, shape]) => [old(name), shape])), () => ['F16', 2]));
    expect(network.notes).toContain('the names of the tensors are those of an older densenet121');
    expect(network.nodes.find(({ name }) => name === 'features.denseblock2.denselayer3.conv2')!.weights.weight!.shape).toEqual([32, 128, 3, 3]);
  });

  it('may have the names of Gluon: SqueezeNet', async () => {
    const layers = drawn(architectureCalled('squeezenet1_0')).nodes.filter(({ op }) => op === 'conv2d').map(({ name }) => name);
    const tensors = tensorsOf(architectureCalled('squeezenet1_0'));
    const gluon = (name: string): string => name.replace(/^(.*)\.(\w+)$/, (_, layer: string, role: string) => `squeezenet3_conv${layers.indexOf(layer)}_${role}`);
    const network = await load(fileOf(tensors, gluon));
    expect(network.notes).toEqual([
      'the tensors are those of squeezenet1_0',
      'the names of the tensors are those of Gluon',
      "the preprocessing is that of Gluon's ImageNet weights: Gluon cuts the centre out of a picture whose shorter side has 256 pixels; here the whole shorter side is seen",
    ]);
    for (const { name, weights } of network.nodes.filter(({ op }) => op === 'conv2d')) expect(weights.bias).toEqual(formulaOf(`${name}.bias`, weights.bias!.shape));
    // The same number twice, and a number that is none: each is left over, nothing is lost.
    const more = new Map([...tensors].map(([name, shape]) => [gluon(name), shape]));
    const whole = more.size;
    for (const [name, role] of [['squeezenet4_conv0', 'bias'], ['squeezenet3_conv26', 'weight']]) more.set(`${name}_${role}`, [96]);
    const error = await errorOf(load(rawFile(more, () => ['F16', 2]), { architecture: 'squeezenet1_0' }));
    expect([whole, error.message.split('\n')]).toEqual([52, [
      'the tensors are not those of squeezenet1_0: 2 left over', "  - left over: 'squeezenet4_conv0_bias' [96]", "  - left over: 'squeezenet3_conv26_weight' [96]",
    ]]);
  });

  it.each(['', ':0'])('may have the names and the order of axes of Keras: MobileNet, kernel%s', async (end) => {
    const architecture = architectureCalled('mobilenet_v1_0.5');
    const roles = { running_mean: 'moving_mean', running_var: 'moving_variance' } as Readonly<Record<string, string>>;
    const keras = new Map([...tensorsOf(architecture, 12)].map(([name, shape]): [string, Shape] => {
      const [, layer, role] = /^(.*)\.(\w+)$/.exec(name)!;
      const [outputs, inputs, height, width] = shape as [number, number, number, number];
      if (shape.length === 4) return layer!.includes('_dw_') ? [`${layer}/depthwise_kernel${end}`, [height, width, outputs, inputs]] : [`${layer}/kernel${end}`, [height, width, inputs, outputs]];
      return [`${layer}/${roles[role!] ?? (layer!.endsWith('_bn') ? { weight: 'gamma', bias: 'beta' }[role!] : role)}${end}`, shape];
    }));
    const network = await load(fileOf(keras), { inputShape: [1, 3, 128, 96] });
    expect(network.name).toBe('mobilenet_v1_0.5');
    expect(network.notes).toContain('the names of the tensors are those of Keras');
    expect([shapesOf(network).get('conv_pw_13'), shapesOf(network).get('act_softmax')]).toEqual([[1, 512, 4, 3], [1, 12]]);
    const weight = (layer: string) => network.nodes.find(({ name }) => name === layer)!.weights.weight!;
    const [full, depthwise] = [weight('conv1'), weight('conv_dw_2')];
    const [storedFull, storedDepthwise] = [`conv1/kernel${end}`, `conv_dw_2/depthwise_kernel${end}`].map((name) => formulaOf(name, keras.get(name)!).data);
    // [outputs 16, inputs 3, 3, 3] from [3, 3, 3, 16], and [32, 1, 3, 3] from [3, 3, 32, 1].
    for (const [o, i, y, x] of [[0, 0, 0, 1], [5, 2, 0, 1], [15, 1, 2, 0]] as const) {
      expect(full.data[((o * 3 + i) * 3 + y) * 3 + x]).toBe(storedFull![((y * 3 + x) * 3 + i) * 16 + o]);
      expect(depthwise.data[(o * 3 + y) * 3 + x]).toBe(storedDepthwise![(y * 3 + x) * 32 + o]);
    }
    keras.set(`conv1/kernel${end}`, [3, 3, 1, 16]);
    expect((await errorOf(load(fileOf(keras), { architecture: architecture.name }))).message).toContain(`'conv1.weight' (in the file 'conv1/kernel${end}') is [16,1,3,3] and must be [16,3,3,3]`);
  });

  it('may be for images of one size, and have the names of their classes: Tiny VGG', async () => {
    const bytes = dataBytes('models/tinyvgg-cnnexplainer/tiny_vgg.safetensors');
    const network = await load(bytes);
    expect(network).toMatchObject({ name: 'tiny_vgg', inputs: [{ shape: [1, 3, 64, 64] }], outputs: ['softmax'] });
    expect(network.labels).toHaveLength(10);
    expect(network.notes).toEqual(['the tensors are those of tiny_vgg', "the preprocessing and the names of the classes are those of CNN Explainer's weights"]);
    expect((await errorOf(load(bytes, { inputShape: [1, 3, 64, 96] }))).message).toMatch(/the images of this network are 64 x 64, not 64 x 96/);
    const others = await load(fileOf(tensorsOf(architectureCalled('tiny_vgg'), 3)));
    expect([others.labels, others.preprocess]).toEqual([undefined, undefined]);
  });

  it('may have classifiers for training: GoogLeNet, whose images are scaled in its own way', async () => {
    const tensors = new Map([...tensorsOf(architectureCalled('googlenet')), ['aux1.conv.conv.weight', [128, 512, 1, 1]], ['aux2.fc2.bias', [1000]]] as [string, Shape][]);
    const network = await load(rawFile(tensors, () => ['F16', 2]));
    expect(network.notes).toContain('2 tensors of the classifiers that only training uses are left out');
    expect(network.notes!.at(-1)).toMatch(/transform_input/);
    // torchvision scales by ImageNet's mean and deviation, then its network by these; both together are what is stated.
    const [mean, std] = [[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]];
    for (const pixel of [0, 0.3, 1]) {
      mean.forEach((m, c) => {
        const transformed = ((pixel - m) / std[c]!) * (std[c]! / 0.5) + (m - 0.5) / 0.5;
        expect((pixel - network.preprocess!.mean[c]!) / network.preprocess!.std[c]!).toBeCloseTo(transformed, 12);
      });
    }
  });

  it('of 8-bit integers are plain numbers, which is noted', async () => {
    const network = await load(rawFile(squeezenet, (name) => (name.endsWith('weight') ? ['I8', 1] : ['F64', 8])));
    expect(network.notes).toContain('26 tensors hold I8 numbers, taken as they are: a scale that belongs to them is not in the file');
  });

  it('that lie beside a manifest belong to it', async () => {
    const { json, safetensors } = writeManifest(diamond());
    const files = [named(safetensors, 'weights.safetensors'), named(encodeText(json), 'net.json'), named(fileOf(squeezenet), 'other.safetensors')];
    expect((await loadNetwork(files)).name).toBe('test');
    const error = await errorOf(loadNetwork(files, { architecture: 'squeezenet1_1' }));
    expect([error.code, error.message]).toEqual(['usage', "'net.json' says itself what its layers are"]);
  });
});

describe('weights that do not suit', () => {
  it('are refused with all that is missing, left over and of another shape', async () => {
    const tensors = new Map(squeezenet);
    tensors.delete('features.0.bias');
    tensors.delete('features.12.squeeze.weight');
    tensors.set('head.weight', [5]);
    tensors.set('features.3.squeeze.weight', [16, 64, 3, 3]);
    const bytes = rawFile(tensors, (name) => (name === 'features.4.squeeze.bias' ? ['I16', 2] : ['F32', 4]));
    const error = await errorOf(load(bytes, { architecture: 'squeezenet1_1' }));
    expect(error).toMatchObject({ code: 'model-invalid', address: { file: 'w.safetensors' } });
    expect(error.message.split('\n')).toEqual([
      'the tensors are not those of squeezenet1_1: 2 missing, 1 left over, 1 of another shape, 1 of numbers that cannot be read',
      "  - missing: 'features.0.bias' [64]",
      "  - missing: 'features.12.squeeze.weight' [64,512,1,1]",
      "  - left over: 'head.weight' [5]",
      "  - 'features.3.squeeze.weight' is [16,64,3,3] and must be [16,64,1,1]",
      "  - 'features.4.squeeze.bias' holds I16 numbers; F32, F16, BF16, F64 and I8 can be read",
    ]);
    expect((await errorOf(load(bytes))).hint).toMatch(/^the nearest: squeezenet1_1 \(2 missing, 1 left over, 1 of another shape, 1 of numbers that cannot be read\);/);
    expect(similarArchitectures([named(bytes)])[0]).toBe('squeezenet1_1');
  });

  it('are refused where they are like none', async () => {
    const bytes = fileOf(new Map([...squeezenet].map(([name, shape]) => [`net/${name}`, shape])));
    const error = await errorOf(load(bytes));
    expect(error.code).toBe('model-unsupported');
    expect(error.message).toBe('these are weights without a manifest, and not those of any built-in architecture; none is like them');
    expect(error.hint).toMatch(/built in: alexnet, .*vgg19_bn\. Else export/);
    expect(similarArchitectures([named(bytes)])).toEqual([]);
    expect((await errorOf(load(bytes, { architecture: 'resnet110' }))).message.split('\n').length).toBeLessThan(210);
  });

  it('are refused where an architecture, a size or a file makes no sense', async () => {
    const bytes = fileOf(squeezenet);
    expect(await errorOf(load(bytes, { architecture: 'squeezenet' }))).toMatchObject({ code: 'usage', hint: expect.stringMatching(/did you mean 'squeezenet1_0', 'squeezenet1_1'\?/) as string });
    for (const inputShape of [[1, 1, 64, 64], [3, 64, 64], [1, 3, 0, 64], [1, 3, 64, 2.5], { data: [1, 3, 64, 64] }]) {
      expect((await errorOf(load(bytes, { inputShape }))).code).toBe('usage');
    }
    expect((await errorOf(loadNetwork([named(bytes, 'a.safetensors'), named(bytes, 'b.safetensors')]))).message).toMatch(/several networks at once/);
    expect((await errorOf(load(bytes.subarray(0, bytes.length - 1)))).code).toBe('model-format');
    expect((await errorOf(load(rawFile(new Map(), () => ['F32', 4])))).code).toBe('model-unsupported');
    expect(similarArchitectures([named(bytes.subarray(0, 500))])).toEqual([]);
  });

  it('are refused for numbers that are not finite where that is asked', async () => {
    const bytes = fileOf(squeezenet);
    bytes.set([0, 0, 0xc0, 0x7f], bytes.length - 4);
    expect((await load(bytes)).notes!.at(-1)).toBe("'bias' of layer 'classifier.1': 1 of 10 numbers are not finite");
    expect((await errorOf(load(bytes, { strict: true }))).code).toBe('not-finite');
  });

  it('are refused with a typed error, or loaded, where the header is damaged', async () => {
    const whole = rawFile(squeezenet, () => ['I8', 1]);
    const header = 8 + whole[0]! + 256 * whole[1]!;
    const damage = fc.array(fc.tuple(fc.nat(header - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(damage, fc.boolean(), async (changes, isNamed) => {
        const bytes = whole.slice();
        for (const [at, value] of changes) bytes[at] = value;
        const error = await load(bytes, isNamed ? { architecture: 'squeezenet1_1' } : {}).then(() => undefined, (cause: unknown) => cause);
        if (error === undefined) return;
        refused++;
        expect(error).toBeInstanceOf(UnitscopeError);
        expect((error as UnitscopeError).code).toMatch(/^model-/);
      }),
      { numRuns: 60, seed: 7 },
    );
    expect(refused).toBeGreaterThan(50);
  });
});
