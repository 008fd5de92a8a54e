/** ONNX files that lie about sizes, order, names and lengths. */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { onnxModel, ramp, tensorProto, type ModelInput, type NodeInput } from '../../formats/onnx-builder.ts';
import { hostile, type HostileCase } from './case.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

/** The start of a model, then one byte again and again. */
const repeated = (count: number, byte: number, ...start: number[]): Uint8Array => Uint8Array.from([8, 8, ...start].concat(new Array<number>(count).fill(byte)));
const node = (op: string, inputs: string[] = ['x'], outputs: string[] = ['y'], more: Partial<NodeInput> = {}): NodeInput => ({ op, inputs, outputs, ...more });
const model = (nodes: NodeInput[], more: Partial<ModelInput> = {}) => (): Uint8Array => onnxModel({ nodes, inputs: { x: [1, 3, 4, 4] }, outputs: ['y'], ...more });
const raw = (title: string, says: RegExp | undefined, content: () => Uint8Array): HostileCase => hostile(title, says, ['net.onnx', content]);
const graph = (title: string, says: RegExp | undefined, nodes: NodeInput[], more: Partial<ModelInput> = {}): HostileCase => raw(title, says, model(nodes, more));

/** `size` bytes of a length-delimited field. */
function field(number: number, content: Uint8Array): Uint8Array {
  return new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(content).finish();
}

/** A tensor with the data type and the sizes that it is told, and one number. */
function tensorOf(name: string, type: number, ...sizes: (number | bigint)[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const size of sizes) writer.tag(1, WireType.Varint).int64(String(size));
  writer.tag(2, WireType.Varint).int32(type).tag(8, WireType.LengthDelimited).string(name);
  return writer.tag(9, WireType.LengthDelimited).bytes(new Uint8Array(4)).finish();
}

const BRANCHES = 3000;

export const onnxCases: readonly HostileCase[] = [
  raw('a million nested groups', /broken|cut|not a network/, () => repeated(1_000_000, 0x0b)),
  raw('an endless varint', /broken|cut|not a network/, () => repeated(1000, 0xff, 0x10)),
  raw('a length of 4 GiB', /broken|cut/, () => bytes(8, 8, 0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f)),
  raw('field 0', /broken|cut|not a network/, () => bytes(8, 8, 0, 0)),
  raw('a graph that is a number', /wire type|broken|not a network/, () => bytes(8, 8, 0x38, 1)),
  raw('wire type 7', /broken|cut|not a network/, () => bytes(8, 8, 0x0f, 0)),
  raw('an end of a group that never began', /broken|cut|not a network/, () => bytes(8, 8, 0x0c)),
  raw('no graph', /no graph|not a network/, () => bytes(8, 8, 0x42, 2, 0x10, 13)),
  raw('graphs in graphs, 10,000 deep', /broken|no layers|no inputs|cut/, () => {
    let inner = bytes(8, 8);
    for (let depth = 0; depth < 10_000 && inner.length < 2 ** 20; depth++) inner = field(7, inner);
    return Uint8Array.from([8, 8, ...inner]);
  }),
  raw('200,000 empty layers', /more than 10,000 layers|has no op/, () => {
    const empty = Uint8Array.from({ length: 400_000 }, (_, index) => (index % 2 === 0 ? 0x0a : 0));
    return Uint8Array.from([8, 8, ...field(7, empty)]);
  }),
  graph('12,000 layers', /more than 10,000 layers/, Array.from({ length: 12_000 }, (_, i) => node('Relu', ['x'], [`t${i}`]))),
  raw('two million empty attributes', /more parts/, () => Uint8Array.from([8, 8, ...field(7, field(1, Uint8Array.from({ length: 2_000_000 }, (_, index) => (index % 2 === 0 ? 0x2a : 0))))])),
  raw('four million numbers in an attribute', /more parts/, () => Uint8Array.from([8, 8, ...field(7, field(1, field(5, field(8, new Uint8Array(4_000_000)))))])),
  graph('a cycle', /cycle: 'a' -> 'y' -> 'a'/, [node('Relu', ['y'], ['a']), node('Relu', ['a'])]),
  graph('a layer that reads itself', /cycle/, [node('Add', ['x', 'y'])]),
  graph('layers in reverse order', undefined, [node('Relu', ['a']), node('Relu', ['x'], ['a'])]),
  graph('10,000 layers in reverse order', undefined, Array.from({ length: 10_000 }, (_, i) => node('Relu', [i === 0 ? 'x' : `t${i}`], [i === 9999 ? 'y' : `t${i + 1}`])).reverse()),
  graph('an output made twice', /made twice|there already/, [node('Relu'), node('Relu')]),
  graph('an output that is an input', /made twice|there already|cycle/, [node('Relu', ['x'], ['x'])], { outputs: ['x'] }),
  graph('an output that nothing makes', /nothing makes/, [node('Relu')], { outputs: ['z'] }),
  graph('no layers', /no layers|nothing makes/, []),
  graph('no inputs', /nothing makes|no inputs/, [node('Relu')], { inputs: {} }),
  graph('an input without end', /open|too large|more than|elements/, [node('Relu')], { inputs: { x: [1, 3, 2 ** 52, 4] } }),
  graph('sizes whose product overflows', /more than|too large|elements/, [node('Relu')], { inputs: { x: [1, 2 ** 26, 2 ** 26, 2 ** 26] } }),
  graph('a size of zero', /open|above 0/, [node('Relu')], { inputs: { x: [1, 0, 4, 4] } }),
  graph('a negative size', /open|above 0/, [node('Relu')], { inputs: { x: [1, -3, 4, 4] } }),
  graph('a million channels', undefined, [node('Relu')], { inputs: { x: [1, 1_000_000, 1, 1] } }),
  graph('a weight of a million channels that is not there', /needs|shape/, [node('Conv', ['x', 'w'])], { constants: [tensorOf('w', 1, 1_000_000, 3, 3, 3)] }),
  graph('a weight whose sizes overflow', /too large|shape|needs/, [node('Conv', ['x', 'w'])], { constants: [tensorOf('w', 1, 2n ** 62n, 4)] }),
  graph('a weight with a negative size', /shape/, [node('Conv', ['x', 'w'])], { constants: [tensorOf('w', 1, -1, 3, 3, 3)] }),
  graph('a weight of an unknown type', /type 99|99/, [node('Conv', ['x', 'w'])], { constants: [tensorOf('w', 99, 1)] }),
  graph('a kernel larger than the image', /too small|does not fit|empty/, [node('MaxPool', ['x'], ['y'], { attributes: { kernel_shape: [1000, 1000] } })]),
  graph('a kernel of zero', /kernel/, [node('MaxPool', ['x'], ['y'], { attributes: { kernel_shape: [0, 0] } })]),
  graph('a stride of zero', /strides/, [node('MaxPool', ['x'], ['y'], { attributes: { kernel_shape: [1, 1], strides: [0, 0] } })]),
  graph('a stride of 2^62', undefined, [node('MaxPool', ['x'], ['y'], { attributes: { kernel_shape: [1, 1], strides: [2 ** 52, 2 ** 52] } })]),
  graph('a padding of 2^52', /too large|elements|padding/, [node('MaxPool', ['x'], ['y'], { attributes: { kernel_shape: [3, 3], pads: [2 ** 52, 0, 0, 0] } })]),
  graph('zero groups', /groups/, [node('Conv', ['x', 'w'])].map((n) => ({ ...n, attributes: { group: 0 } })), { constants: [tensorProto('w', [2, 3, 1, 1], ramp(6))] }),
  graph('a reshape to 2^60 elements', /cannot become|too large/, [node('Reshape', ['x', 's'])], { constants: [tensorProto('s', [2], [2 ** 30, 2 ** 30])] }),
  graph('a concat of one tensor 3,000 times, 3 times over', undefined, [1, 2, 3].map((step) => node('Concat', new Array<string>(step === 3 ? 2 : 40).fill(step === 1 ? 'x' : `t${step - 1}`), [step === 3 ? 'y' : `t${step}`], { attributes: { axis: 1 } }))),
  graph('a constant that asks for 40 GB', /too large/, [node('ConstantOfShape', ['s'], ['c']), node('Add', ['x', 'c'])], { constants: [tensorProto('s', [2], [100_000, 100_000])] }),
  graph('an unknown attribute', /'__proto__'|attribute/, [node('Relu', ['x'], ['y'], { attributes: Object.fromEntries([['__proto__', 1]]) })]),
  graph('an op called constructor', /'constructor'/, [node('constructor')]),
  graph('a tensor called __proto__', undefined, [node('Relu', ['x'], ['__proto__']), node('Relu', ['__proto__'])]),
  graph('a name with NUL, quotes, markup and marks of direction', /not supported/, [node('Sin\u0000"\'<b>\u202e', ['x'], ['y'], { name: '\u2066../../etc\u0000' })]),
  graph('a name of a million letters', /not supported/, [node('S'.repeat(1_000_000))]),
  graph('3,000 unsupported layers', /3000 things.*and 2900 more/s, Array.from({ length: BRANCHES }, (_, i) => node('Sin', [i === 0 ? 'x' : `t${i}`], [i === BRANCHES - 1 ? 'y' : `t${i + 1}`]))),
  graph('a reader of a name that is nearly there, among 9,000', /nothing makes/, [...Array.from({ length: 9000 }, (_, i) => node('Relu', ['x'], [`tensor_${i}`])), node('Relu', ['tensor_x'])]),
];
