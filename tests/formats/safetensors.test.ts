/** safetensors: round trips, number types, and every contradiction between header and data. */
import { describe, expect, it } from 'vitest';
import { UnitscopeError } from '../../src/errors.ts';
import { encodeFloat16 } from '../../src/network/float16.ts';
import { readSafetensors, roomBefore, writeSafetensors } from '../../src/formats/safetensors.ts';
import { encodeText } from '../../src/formats/text.ts';
import { tensor } from '../network/graphs.ts';
import { dataBytes } from './reference-data.ts';

/** A file from the text of its header and the length of its data. */
function file(header: string, data: ArrayLike<number> | number = 0, statedLength?: bigint): Uint8Array {
  const text = encodeText(header);
  const body = typeof data === 'number' ? new Uint8Array(data) : Uint8Array.from(data);
  const bytes = new Uint8Array(8 + text.length + body.length);
  new DataView(bytes.buffer).setBigUint64(0, statedLength ?? BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(body, 8 + text.length);
  return bytes;
}

const entry = (name: string, shape: string, begin: number | string, end: number | string, dtype = 'F32'): string =>
  `"${name}":{"dtype":"${dtype}","shape":${shape},"data_offsets":[${begin},${end}]}`;

function errorOf(bytes: Uint8Array): UnitscopeError {
  try {
    readSafetensors(bytes, { file: 'w' });
  } catch (error) {
    if (error instanceof UnitscopeError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('safetensors', () => {
  const tensors = new Map([
    ['conv/weight', tensor([2, 3, 3, 3], (i) => Math.fround(Math.sin(i)))],
    ['scalar', tensor([], () => -1.5)],
    ['__proto__', tensor([3])],
    ['ü', tensor([0])],
  ]);

  it('brings float32 back bit by bit, aligned', () => {
    const bytes = writeSafetensors(tensors, 'f32', new Map([['format', 'test']]));
    const read = readSafetensors(bytes);
    expect([...read.tensors]).toEqual([...tensors]);
    expect(read.metadata.get('format')).toBe('test');
    expect(read.tensors.get('conv/weight')!.data.buffer).toBe(bytes.buffer);
    expect(readSafetensors(Uint8Array.from([0, ...bytes]).subarray(1)).tensors).toEqual(read.tensors);
  });

  it('says how a file must lie in memory so that nothing is copied', () => {
    for (let spaces = 0; spaces < 9; spaces++) {
      const bytes = file(`{${entry('a', '[2]', 0, 8)}}${' '.repeat(spaces)}`, 8);
      const room = roomBefore(bytes.subarray(0, 16));
      const placed = new Uint8Array(room + bytes.length);
      placed.set(bytes, room);
      expect(readSafetensors(placed.subarray(room)).tensors.get('a')!.data.buffer).toBe(placed.buffer);
    }
    expect(roomBefore(encodeText('{"format": "unitscope"}'))).toBe(0);
  });

  it('narrows to float16, but not a tensor that would overflow', () => {
    const large = new Map([...tensors, ['large', tensor([2], (i) => i * 1e6)]]);
    const read = readSafetensors(writeSafetensors(large, 'f16')).tensors;
    expect(read.get('large')).toEqual(large.get('large'));
    const weight = large.get('conv/weight')!.data;
    const worst = Math.max(...weight.map((value, i) => Math.abs(value - read.get('conv/weight')!.data[i]!)));
    expect(worst).toBeGreaterThan(0);
    expect(worst).toBeLessThanOrEqual(2 ** -12);
  });

  it('widens every readable type', () => {
    const values = [1, -2, 0.5];
    const doubles = new Uint8Array(Float64Array.from(values).buffer);
    expect([...readSafetensors(file(`{${entry('a', '[3]', 0, 24, 'F64')}}`, doubles)).tensors.get('a')!.data]).toEqual(values);
    const halves = encodeFloat16(Float32Array.from(values));
    expect([...readSafetensors(file(`{${entry('a', '[3]', 0, 6, 'F16')}}`, halves)).tensors.get('a')!.data]).toEqual(values);
    expect([...readSafetensors(file(`{${entry('a', '[2]', 0, 2, 'I8')}}`, [1, 255])).tensors.get('a')!.data]).toEqual([1, -1]);
    expect([...readSafetensors(file(`{${entry('a', '[1]', 0, 2, 'BF16')}}`, [0x80, 0x3f])).tensors.get('a')!.data]).toEqual([1]);
  });

  it.each([
    ['BOOL', 1],
    ['U8', 1],
    ['F8_E4M3', 1],
    ['F8_E5M2', 1],
    ['I16', 2],
    ['U16', 2],
    ['I32', 4],
    ['U32', 4],
    ['I64', 8],
    ['U64', 8],
    ['C64', 8],
  ])('refuses %s by name, unless nobody wants the tensor', (type, size) => {
    const bytes = file(`{${entry('a', '[1]', 0, size, type)}}`, size);
    expect(errorOf(bytes)).toMatchObject({ code: 'model-unsupported' });
    expect(errorOf(bytes).message).toBe(`tensor 'a' holds ${type} numbers`);
    expect(readSafetensors(bytes, { only: () => false }).tensors.size).toBe(0);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(0), /empty file/],
    ['7 bytes', new Uint8Array(7).fill(1), /cut: 7/],
    ['a header longer than the file', file('{}', 0, 3n), /the header ends at byte 11/],
    ['a header over 100,000,000 bytes', file('{}', 0, 100_000_001n), /at most 100000000/],
    ['a header beyond 2^53', file('{}', 0, 2n ** 63n + 1n), /9223372036854775809/],
    ['a header that is no object', file('[1,2]'), /does not begin with/],
    ['a header cut in JSON', file('{"a":'), /ends too early/],
    ['a header with a control character', file('{"a\u0000":1}'), /broken string/],
    ['a header that is no UTF-8', file('{"a":1}').map((byte) => (byte === 0x61 ? 0xff : byte)), /UTF-8/],
    ['overlapping tensors', file(`{${entry('a', '[2]', 0, 8)},${entry('b', '[2]', 4, 12)}}`, 12), /'a' and 'b' overlap/],
    ['a hole', file(`{${entry('b', '[1]', 8, 12)},${entry('a', '[1]', 0, 4)}}`, 12), /4 bytes between 'a' and 'b'/],
    ['a gap before the first', file(`{${entry('a', '[1]', 4, 8)}}`, 8), /between the header and 'a'/],
    ['bytes behind the last', file(`{${entry('a', '[1]', 0, 4)}}`, 5), /1 bytes behind 'a'/],
    ['offsets beyond the file', file(`{${entry('a', '[2]', 0, 8)}}`, 4), /the data has 4/],
    ['offsets that run backwards', file(`{${entry('a', '[0]', 4, 0)}}`, 4), /bytes 4 to 0/],
    ['a shape that does not fit', file(`{${entry('a', '[3]', 0, 8)}}`, 8), /needs 12 bytes, data_offsets give 8/],
    ['an overflowing product', file(`{${entry('a', '[4194305,4194305,211106198978564]', 0, 4)}}`, 4), /too large/],
    ['a product that wraps with a zero', file(`{${entry('a', '[0,4194305]', 0, 4)}}`, 4), /needs 0 bytes/],
    ['a negative size', file(`{${entry('a', '[-1]', 0, 4)}}`, 4), /-1 is no whole number/],
    ['a fractional size', file(`{${entry('a', '[1.5]', 0, 4)}}`, 4), /1.5 is no whole number/],
    ['an infinite size', file(`{${entry('a', '[1e999]', 0, 4)}}`, 4), /Infinity is no whole number/],
    ['a size beyond 2^53', file(`{${entry('a', '[9007199254740993]', 0, 4)}}`, 4), /is no whole number/],
    ['a size in quotes', file(`{${entry('a', '["1"]', 0, 4)}}`, 4), /'1' is no whole number/],
    ['a shape that is no list', file(`{${entry('a', '4', 0, 4)}}`, 4), /shape: a list/],
    ['three offsets', file(`{${entry('a', '[1]', 0, '4,4')}}`, 4), /two numbers/],
    ['a name that stands twice', file(`{${entry('a', '[1]', 0, 4)},${entry('a', '[1]', 4, 8)}}`, 8), /'a' stands twice/],
    ['an escaped name that stands twice', file(`{${entry('a', '[1]', 0, 4)},${entry('\\u0061', '[1]', 4, 8)}}`, 8), /'a' stands twice/],
    ['an unknown key', file('{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4],"x":1}}', 4), /unknown key 'x'/],
    ['an entry that is no object', file('{"a":1}'), /no JSON object/],
    ['metadata that is no text', file('{"__metadata__":{"a":1}}'), /is no text/],
  ])('refuses %s', (_, bytes, message) => {
    const error = errorOf(bytes);
    expect(error.code).toBe('model-format');
    expect(error.message).toMatch(message);
    expect(error.address).toMatchObject({ file: 'w' });
  });

  it('refuses an unknown number type, also one that every object has', () => {
    for (const type of ['F128', 'constructor', '__proto__']) {
      expect(errorOf(file(`{${entry('a', '[1]', 0, 4, type)}}`, 4))).toMatchObject({ code: 'model-unsupported' });
    }
  });

  it('reads the same weights from float32, float16 and bfloat16 files', () => {
    const read = (kind: string) => readSafetensors(dataBytes(`models/tinyvgg-cnnexplainer/tiny_vgg${kind}.safetensors`)).tensors;
    const single = read('');
    for (const [kind, relative] of [['_f16', 2 ** -11], ['_bf16', 2 ** -8]] as const) {
      const narrow = read(kind);
      expect([...narrow.keys()]).toEqual([...single.keys()]);
      for (const [name, { data }] of single) {
        data.forEach((value, i) => expect(Math.abs(narrow.get(name)!.data[i]! - value)).toBeLessThanOrEqual(Math.abs(value) * relative + 2 ** -24));
      }
    }
  });
});
