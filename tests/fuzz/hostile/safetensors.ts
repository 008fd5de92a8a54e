/** Manifests and safetensors whose parts contradict each other. */
import { writeManifest } from '../../../src/formats/manifest/network.ts';
import { diamond } from '../../network/graphs.ts';
import { hostile, type HostileCase } from './case.ts';

const written = writeManifest(diamond());
const manifest = JSON.parse(written.json) as Record<string, unknown> & { nodes: Record<string, unknown>[] };

/** The manifest after an edit of its text, with whole weights. */
const text = (title: string, says: RegExp | undefined, content: () => string): HostileCase =>
  hostile(title, says, ['net.json', content], ['weights.safetensors', () => written.safetensors]);
const edited = (title: string, says: RegExp | undefined, change: (copy: typeof manifest) => void): HostileCase =>
  text(title, says, () => {
    const copy = structuredClone(manifest);
    change(copy);
    return JSON.stringify(copy);
  });

/** Weights with the header that is given, beside a whole manifest. */
const weights = (title: string, says: RegExp, header: string | (() => string), data = 0, length?: bigint): HostileCase =>
  hostile(title, says, ['net.json', () => written.json], ['weights.safetensors', () => {
    const head = new TextEncoder().encode(typeof header === 'string' ? header : header());
    const bytes = new Uint8Array(8 + head.length + data);
    new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(head.length), true);
    bytes.set(head, 8);
    return bytes;
  }]);

const entry = (name: string, shape: string, begin: number, end: number): string => `"${name}":{"dtype":"F32","shape":${shape},"data_offsets":[${begin},${end}]}`;

export const safetensorsCases: readonly HostileCase[] = [
  weights('a header of 2^63 bytes', /header claims/, '{}', 0, 2n ** 63n),
  weights('a header that is longer than the file', /header ends at/, '{}', 0, 99n),
  weights('overlapping tensors', /overlap/, `{${entry('a', '[2]', 0, 8)},${entry('b', '[2]', 4, 12)}}`, 12),
  weights('a hole', /belong to no tensor/, `{${entry('a', '[1]', 0, 4)},${entry('b', '[1]', 8, 12)}}`, 12),
  weights('a name twice', /stands twice/, `{${entry('a', '[1]', 0, 4)},${entry('a', '[1]', 4, 8)}}`, 8),
  weights('a tensor called __proto__', /missing/, `{${entry('__proto__', '[1]', 0, 4)}}`, 4),
  weights('a shape that overflows', /too large/, `{${entry('a', '[4294967296,4294967296,4294967296]', 0, 4)}}`, 4),
  weights('100,000 brackets', /nests deeper/, '{"a":'.repeat(1) + '['.repeat(100_000)),
  weights('20,000 tensors that nobody asks for', /missing/, () => `{${Array.from({ length: 20_000 }, (_, i) => entry(`t${i}`, '[0]', 0, 0)).join(',')}}`),
  weights('a header of 8 MB of blanks', /missing|ends too early|needs/, () => `{${' '.repeat(8e6)}}`),
  text('100,000 brackets in the manifest', /nests deeper/, () => '{"format":"unitscope","a":' + '['.repeat(100_000)),
  text('a million empty lists in the manifest', /more parts/, () => `{"format":"unitscope","a":[${'[],'.repeat(1_000_000)}0]}`),
  text('half a million empty objects in the manifest', /more parts/, () => `{"format":"unitscope","a":[${'{},'.repeat(500_000)}0]}`),
  edited('12,000 layers in the manifest', /more than 10,000 layers/, (m) => (m.nodes = Array.from({ length: 12_000 }, (_, i) => ({ name: `l${i}`, op: 'relu', inputs: ['x'] })))),
  text('a key twice in the manifest', /stands twice/, () => written.json.replace('"version"', '"format": "unitscope", "version"')),
  edited('weights in another folder', /without folders/, (m) => (m.weights = '../../etc/passwd')),
  edited('weights at an absolute path', /without folders/, (m) => (m.weights = '/etc/passwd')),
  edited('weights at a path of Windows', /without folders/, (m) => (m.weights = 'C:\\secret')),
  edited('an op called __proto__', /__proto__/, (m) => (m.nodes[1]!.op = '__proto__')),
  edited('an op called constructor', /constructor/, (m) => (m.nodes[1]!.op = 'constructor')),
  edited('a cycle', /cycle/, (m) => (m.nodes[0]!.inputs = ['sum'])),
  edited('layers in reverse order', undefined, (m) => m.nodes.reverse()),
  edited('an output made twice', /made twice/, (m) => (m.nodes[1]!.output = 'right')),
  edited('an input of 2^53 pixels', /more than|too large|elements|whole number/, (m) => (m.inputs = [{ name: 'x', shape: [1, 3, 94_906_265, 94_906_265] }])),
  edited('an input of no size', /above 0/, (m) => (m.inputs = [{ name: 'x', shape: [1, 3, 0, 4] }])),
  edited('a million channels of nothing', /does not fit/, (m) => (m.inputs = [{ name: 'x', shape: [1, 1_000_000, 4, 4] }])),
  edited('a stride that is no number', /attribute|stride/, (m) => (m.nodes[0]!.attributes = { stride: ['a', 'b'] })),
  edited('a padding of -2^53', /does not fit|padding/, (m) => (m.nodes[0]!.attributes = { padding: [-(2 ** 53), 0, 0, 0] })),
  edited('an attribute called __proto__', /__proto__/, (m) => (m.nodes[1]!.attributes = JSON.parse('{"__proto__": 1}') as object)),
  edited('a layer called toString', undefined, (m) => Object.assign(m.nodes[1]!, { name: 'toString', output: 'left' })),
];
