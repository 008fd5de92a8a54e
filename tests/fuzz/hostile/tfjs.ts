/** Models of TensorFlow.js, sidecars and weights alone that lie about their parts. */
import { encodeText } from '../../../src/formats/text.ts';
import { SIDECAR, writeSidecar } from '../../../src/formats/sidecar.ts';
import { onnxModel } from '../../formats/onnx-builder.ts';
import { build, called, graph, input, layer, sequence, type Facts, type WeightFacts } from '../../formats/tfjs-builder.ts';
import { hostile, type HostileCase } from './case.ts';

const SHARD = 'group1-shard1of1.bin';
const DENSE = { 'd/kernel': { shape: [2, 2] } };
const dense = (config: Facts = {}): Facts => layer('Dense', 'd', { units: 2, use_bias: false, ...config });
const network = (config: Facts = {}): unknown => sequence(input('x', 2), dense(config));

/** The model and its weights, its text edited. */
const model = (title: string, says: RegExp | undefined, make: () => unknown, weights: Readonly<Record<string, WeightFacts>> = DENSE, edit: (text: string) => string = (text) => text): HostileCase =>
  hostile(title, says, ['model.json', () => edit(JSON.stringify(build(make(), weights).json))], [SHARD, () => build(make(), weights).bytes]);

const onnx = (): Uint8Array => onnxModel({ nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['y'] }], inputs: { x: [1, 3, 4, 4] }, outputs: ['y'] });
const sidecar = (title: string, says: RegExp | undefined, text: string): HostileCase => hostile(title, says, ['net.onnx', onnx], [SIDECAR, () => text]);

/** A safetensors file of tensors without numbers, by name. */
function emptyTensors(names: readonly string[]): Uint8Array {
  const text = encodeText(JSON.stringify(Object.fromEntries(names.map((name) => [name, { dtype: 'F32', shape: [0], data_offsets: [0, 0] }]))));
  const bytes = new Uint8Array(8 + text.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

export const tfjsCases: readonly HostileCase[] = [
  model('a class called constructor', /'constructor'/, () => sequence(input('x', 2), layer('constructor', 'a'), dense())),
  model('a class called __proto__', /'__proto__'/, () => sequence(input('x', 2), layer('__proto__', 'a'), dense())),
  model('an activation called toString', /'toString'/, () => network({ activation: 'toString' })),
  model('a shard in another folder', /missing|\.\.\//, () => network(), DENSE, (text) => text.replace(SHARD, '../../etc/passwd')),
  model('a shard at an address', /missing/, () => network(), DENSE, (text) => text.replace(SHARD, 'https://example.org/weights.bin')),
  model('weights whose sizes overflow', /cut or wrong/, () => network(), DENSE, (text) => text.replace('"shape":[2,2]', '"shape":[94906267,94906267]')),
  model('weights with a negative size', /whole numbers/, () => network(), DENSE, (text) => text.replace('"shape":[2,2]', '"shape":[-2,-2]')),
  model('weights of an unknown type', /complex|float/, () => network(), DENSE, (text) => text.replace('"dtype":"float32"', '"dtype":"complex128"')),
  model('weights called __proto__', /missing|kernel/, () => network(), { ['__proto__']: { shape: [2, 2] } } as Record<string, WeightFacts>),
  model('a million units', /kernel has the shape/, () => network({ units: 1_000_000 })),
  model('units without end', /finite number/, () => network(), DENSE, (text) => text.replace('"units":2', '"units":1e999')),
  model('an input of 2^60 pixels', /kernel has the shape/, () => sequence(input('x', 2 ** 30, 2 ** 30, 2), layer('Flatten', 'f'), dense())),
  model('an input of no size', /above 0/, () => sequence(input('x', 0), dense())),
  model('a kernel of zero', /kernel|pool/, () => sequence(input('x', 4, 4, 1), layer('MaxPooling2D', 'p', { pool_size: [0, 0] })), {}),
  model('a graph that reads itself', /cycle|reads|nothing makes/, () => graph([input('x', 2), called('Activation', 'a', { activation: 'relu' }, 'b'), called('Activation', 'b', { activation: 'relu' }, 'a')], ['x'], ['b']), {}),
  model('an output that nothing makes', /'zzz'/, () => graph([input('x', 2), called('Activation', 'a', { activation: 'relu' }, 'x')], ['x'], ['zzz']), {}),
  model('models in models, 40 deep', /nests deeper/, () => {
    let inner: Facts = layer('Activation', 'a', { activation: 'relu' });
    for (let depth = 0; depth < 40; depth++) inner = { class_name: 'Sequential', config: { name: `m${depth}`, layers: [inner] } };
    return sequence(input('x', 2), inner, dense());
  }),
  model('2,000 layers of unknown classes', /2000 things/, () => sequence(input('x', 2), ...Array.from({ length: 2000 }, (_, i) => layer(`Unknown${i}`, `l${i}`)))),
  model('9,000 layers', undefined, () => sequence(input('x', 2), ...Array.from({ length: 9000 }, (_, i) => layer('Activation', `l${i}`, { activation: 'relu' }))), {}),
  hostile('a model of another kind', /graph-model|graph model/, ['model.json', () => '{"format":"graph-model","modelTopology":{"node":[],"library":{}},"weightsManifest":[]}']),
  hostile('a topology that is a list', /must be a list/, ['model.json', () => '{"modelTopology":[],"weightsManifest":{}}']),
  sidecar('a sidecar that is a web page', /no value/, '<!DOCTYPE html><html></html>'),
  sidecar('a sidecar with a field that nobody knows', /unknown/, '{"format":"unitscope-sidecar","model":"net.onnx","__proto__":1}'),
  sidecar('a sidecar with labels in another folder', undefined, writeSidecar({ model: 'net.onnx', labels: '../../etc/passwd' })),
  sidecar('a sidecar with a std of zero', /std/, writeSidecar({ model: 'net.onnx', preprocess: { channels: 'RGB', range: 1, mean: [0, 0, 0], std: [0, 0, 0], fit: 'crop' } })),
  hostile('weights alone with 20,000 names of no architecture', /none is like them|built-in/, ['weights.safetensors', () => emptyTensors(Array.from({ length: 20_000 }, (_, i) => `layer${i % 5}.${i}.conv1.weight`))]),
  hostile('weights alone, all called almost as in a ResNet', /not those of any built-in architecture/, ['weights.safetensors', () => emptyTensors(['conv1.weight', 'bn1.weight', 'bn1.bias', 'bn1.running_mean', 'bn1.running_var', 'layer1.0.conv1.weight', 'fc.weight', 'fc.bias', '__proto__'])]),
];
