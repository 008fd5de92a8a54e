/** float16, JSON and .npy: round trips and refusals. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UnitscopeError } from '../../src/errors.ts';
import { decodeBfloat16, decodeFloat16, encodeFloat16, float16Bits, float16Value } from '../../src/network/float16.ts';
import { parseJson } from '../../src/formats/json.ts';
import { readNpy, writeNpy } from '../../src/formats/npy.ts';
import { encodeText } from '../../src/formats/text.ts';
import { dataBytes } from './reference-data.ts';

describe('float16', () => {
  it('brings all 65,536 patterns back', () => {
    for (let bits = 0; bits < 65536; bits++) {
      const value = float16Value(bits);
      expect(float16Bits(value)).toBe(Number.isNaN(value) ? 0x7e00 : bits);
    }
  });

  it.each([
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [65519.99, 0x7bff],
    [65520, 0x7c00],
    [-Infinity, 0xfc00],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000], // half of the smallest: a tie, to even
    [3 * 2 ** -25, 0x0002], // 1.5 of the smallest: a tie, to even
    [2 ** -14 - 2 ** -26, 0x0400], // rounds up into the normal numbers
    [1 + 2 ** -11, 0x3c00], // a tie, to even
    [1 + 3 * 2 ** -11, 0x3c02],
    [-0, 0x8000],
  ])('encodes %d as %d', (value, bits) => {
    expect(float16Bits(value)).toBe(bits);
  });

  it('takes the nearest of the two neighbours', () => {
    fc.assert(
      fc.property(fc.float({ min: -65504, max: 65504, noNaN: true }), (value) => {
        const error = Math.abs(decodeFloat16(encodeFloat16(Float32Array.of(value)))[0]! - value);
        const bits = float16Bits(Math.abs(value));
        for (const neighbour of [bits - 1, bits + 1]) {
          if (neighbour >= 0 && neighbour <= 0x7bff) expect(error).toBeLessThanOrEqual(Math.abs(float16Value(neighbour) - Math.abs(value)));
        }
      }),
    );
  });

  it('widens bfloat16', () => {
    expect([...decodeBfloat16(Uint8Array.of(0x80, 0x3f, 0x20, 0xc1, 0x80, 0x7f))]).toEqual([1, -10, Infinity]);
  });
});

describe('JSON', () => {
  it('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        let parsed;
        try {
          parsed = parseJson(text, 'f');
        } catch (error) {
          // Only a key that stands twice and great depth are refused beyond the grammar.
          if (/twice|deeper/.test((error as Error).message)) return;
          throw error;
        }
        expect(plain(parsed)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('refuses what JSON.parse refuses, with a typed error', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('{', '}', '[', ']', '"a"', ':', ',', '1', '-', '.5', 'e', 'true', 'nul', ' ', '"', '\\', '\n'), { maxLength: 8 }), (parts) => {
        const text = parts.join('');
        let expected = true;
        try {
          JSON.parse(text);
        } catch {
          expected = false;
        }
        if (expected) return;
        expect(() => parseJson(text, 'f')).toThrow(UnitscopeError);
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses a key twice and depth, and keeps __proto__ a key', () => {
    expect(() => parseJson('{"a": 1,\n "b": {"c": 1, "c": 2}}', 'f')).toThrow(/'c' stands twice.*line 2/);
    expect(() => parseJson('['.repeat(100_000), 'f')).toThrow(/nests deeper/);
    const parsed = parseJson('{"__proto__": {"polluted": true}}', 'f') as Map<string, unknown>;
    expect([...parsed.keys()]).toEqual(['__proto__']);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

/** Maps to plain objects, to compare with JSON.parse. */
function plain(value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
  return Array.isArray(value) ? value.map(plain) : value;
}

describe('.npy', () => {
  const header = (dictionary: string, version = 1): Uint8Array => {
    const text = encodeText(dictionary);
    const size = version === 1 ? [text.length & 255, text.length >> 8] : [text.length & 255, text.length >> 8, 0, 0];
    return Uint8Array.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0, ...size, ...text]);
  };
  const join = (a: Uint8Array, b: ArrayLike<number>): Uint8Array => Uint8Array.from([...a, ...Array.from(b)]);

  it('brings tensors of every rank back', () => {
    for (const shape of [[], [1], [5], [2, 3], [2, 3, 1, 4]]) {
      const count = shape.reduce((product, size) => product * size, 1);
      const tensor = { shape, data: Float32Array.from({ length: count }, (_, i) => Math.fround(Math.sin(i))) };
      const bytes = writeNpy(tensor);
      expect(bytes.length % 4).toBe(0);
      expect(readNpy(bytes)).toEqual(tensor);
    }
  });

  it('reads version 2 and the other number types', () => {
    const two = header("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2), }\n", 2);
    expect(readNpy(join(two, [1, 2, 3, 255]))).toEqual({ shape: [2, 2], data: Float32Array.of(1, 2, 3, 255) });
    const double = header("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }\n");
    expect(readNpy(join(double, new Uint8Array(Float64Array.of(0.1).buffer))).data[0]).toBe(Math.fround(0.1));
    const half = header("{'descr': '<f2', 'fortran_order': False, 'shape': (2,), }\n");
    expect([...readNpy(join(half, [0, 0x3c, 0, 0xc0])).data]).toEqual([1, -2]);
  });

  it('reads a recorded array', () => {
    const mean = readNpy(dataBytes('models/cifar10_full-caffe-v1/mean.npy'));
    expect(mean.data.length).toBe(3 * 32 * 32);
  });

  it.each([
    ["{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }", 'model-unsupported', /Fortran/],
    ["{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", 'model-unsupported', /Python objects/],
    ["{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", 'model-unsupported', /'>f4'/],
    ["{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", 'model-unsupported', /named fields/],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 'model-format', /needs 8 bytes, 4/],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", 'model-format', /shape/],
    ["{'descr': '__proto__', 'fortran_order': False, 'shape': (1,), }", 'model-unsupported', /__proto__/],
    ['{}', 'model-format', /lacks/],
  ])('refuses %s', (dictionary, code, message) => {
    try {
      readNpy(join(header(`${dictionary}\n`), [0, 0, 0, 0]), 'a.npy');
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code, address: { file: 'a.npy' } });
      expect((error as Error).message).toMatch(message);
    }
  });
});
