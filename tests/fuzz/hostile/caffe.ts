/** Texts and blobs of Caffe made to do harm. */
import { caffeModel } from '../../formats/caffe-builder.ts';
import { ramp } from '../../formats/onnx-builder.ts';
import { hostile, type HostileCase } from './case.ts';

const INPUT = 'input: "data" input_shape { dim: 1 dim: 3 dim: 6 dim: 6 }';
const CONV = 'layer { name: "a" type: "Convolution" bottom: "data" top: "a" convolution_param { num_output: 2 kernel_size: 3 } }';
const weights = (): Uint8Array => caffeModel({ a: [{ shape: [2, 3, 3, 3], data: ramp(54) }, { shape: [2], data: ramp(2) }] });
const layer = (type: string, more = '', bottom = 'data', top = 'a'): string => `layer { name: "a" type: "${type}" bottom: "${bottom}" top: "${top}" ${more} }`;
const text = (title: string, says: RegExp | undefined, content: string | (() => string), blobs: () => Uint8Array = weights): HostileCase =>
  hostile(title, says, ['net.prototxt', typeof content === 'string' ? () => content : content], ['net.caffemodel', blobs]);

export const caffeCases: readonly HostileCase[] = [
  text('100,000 open braces', /more than 32 levels/, () => `${INPUT} layer ${'{ a '.repeat(100_000)}`),
  text('a string without end', /line 1/, `${INPUT} ${CONV} layer { name: "`),
  text('a type called constructor', /'constructor'/, `${INPUT} ${layer('constructor')}`),
  text('a type called __proto__', /'__proto__'/, `${INPUT} ${layer('__proto__')}`),
  text('a layer that reads what comes later', /nothing makes before it/, `${INPUT} ${layer('ReLU', '', 'b')}`),
  text('a million outputs', /the prototxt makes it/, `${INPUT} ${CONV.replace('num_output: 2', 'num_output: 1000000')}`),
  text('outputs beyond int64', /whole number|the prototxt makes it/, `${INPUT} ${CONV.replace('num_output: 2', 'num_output: 99999999999999999999')}`),
  text('a kernel of zero', /at least 1/, `${INPUT} ${CONV.replace('kernel_size: 3', 'kernel_size: 0')}`),
  text('a negative stride', /at least 1/, `${INPUT} ${CONV.replace('kernel_size: 3', 'kernel_size: 3 stride: -1')}`),
  text('zero groups', /groups/, `${INPUT} ${CONV.replace('kernel_size: 3', 'kernel_size: 3 group: 0')}`),
  text('an input of 2^50 pixels', /elements|too large|more than/, `${INPUT.replace('dim: 6 dim: 6', 'dim: 33554432 dim: 33554432')} ${CONV}`),
  text('an input of no size', /open/, `${INPUT.replace('dim: 6', 'dim: 0')} ${CONV}`),
  text('a name with marks of direction and markup', /not supported/, `${INPUT} layer { name: "<b>\u202e\\000" type: "Nothing" bottom: "data" top: "a" }`),
  text('5,000 layers of unknown types', /5000 things/, () => `${INPUT} ${Array.from({ length: 5000 }, (_, i) => `layer { name: "l${i}" type: "T${i}" bottom: "data" top: "t${i}" }`).join('\n')}`),
  text('12,000 layers', /more than 10,000 layers/, () => `${INPUT} ${CONV} ${'layer { name: "r" type: "ReLU" bottom: "a" top: "a" }\n'.repeat(12_000)}`),
  text('a million fields', /more parts/, () => `${INPUT} ${CONV} ${'a:1 '.repeat(1_000_000)}`),
  text('9,000 layers in place', undefined, () => `${INPUT} ${CONV} ${'layer { name: "r" type: "ReLU" bottom: "a" top: "a" }\n'.repeat(9000)}`),
  text('a number of 100,000 digits', /finite|whole number|a number|the prototxt/, () => `${INPUT} ${CONV.replace('num_output: 2', `num_output: ${'9'.repeat(100_000)}`)}`),
  text('a blob whose shape and data disagree', /has 3 numbers/, `${INPUT} ${CONV}`, () => caffeModel({ a: [{ shape: [2, 2], data: [1, 2, 3] }] })),
  text('a blob with a negative size', /shape|\[-1/, `${INPUT} ${CONV}`, () => caffeModel({ a: [{ shape: [-1, 4], data: ramp(4) }] })),
  text('a layer with weights twice', /two layers with weights/, `${INPUT} ${CONV}`, () => Uint8Array.from([...weights(), ...weights()])),
  text('weights that are nested groups', /broken|cut|weights are missing/, `${INPUT} ${CONV}`, () => Uint8Array.from([0xa2, 6, 2, 0x0a, 0, ...new Array<number>(100_000).fill(0x0b)])),
];
