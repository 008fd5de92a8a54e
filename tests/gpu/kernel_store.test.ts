/** Records of measured kernels: what is kept, what is refused, what a record chooses. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { adapterKey, choicesOf, emptyRecord, KERNELS_VERSION, readRecord, withMeasured, type KernelRecord } from '../../src/gpu/kernel_store.ts';

const record: KernelRecord = {
  adapter: 'nvidia / ampere / -',
  version: KERNELS_VERSION,
  factors: { direct: 1, shared: 0.6 },
  measured: { 'conv2d forward a': { variant: 'shared 64x64', times: { direct: 0.4, 'shared 64x64': 0.1 } } },
};
const changed = (changes: Record<string, unknown>): unknown => ({ ...(JSON.parse(JSON.stringify(record)) as object), ...changes });

test('a record survives its way through a file', () => {
  expect(readRecord(JSON.parse(JSON.stringify(record)))).toEqual(record);
  expect(readRecord(changed({ more: 'is left out' }))).toEqual(record);
});

describe('a damaged record is refused, with what is wrong', () => {
  test.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /no object/],
    ['a list', [], /no object/],
    ['another version', changed({ version: KERNELS_VERSION + 1 }), /version/],
    ['no adapter', changed({ adapter: '' }), /adapter/],
    ['an adapter that moves the cursor', changed({ adapter: 'a\u001b[2J' }), /adapter/],
    ['a factor of zero', changed({ factors: { shared: 0 } }), /factor/],
    ['a factor that is no number', changed({ factors: { shared: 'fast' } }), /factor/],
    ['a factor without bounds', changed({ factors: { shared: 1e9 } }), /factor/],
    ['no shapes', changed({ measured: null }), /no shapes/],
    ['a negative time', changed({ measured: { k: { variant: 'direct', times: { direct: -1 } } } }), /shape 'k'/],
    ['a kernel without a name', changed({ measured: { k: { variant: '', times: {} } } }), /shape 'k'/],
    ['a name too long', changed({ measured: { ['k'.repeat(500)]: { variant: 'direct', times: {} } } }), /shape 'k+'/],
    ['a prototype', JSON.parse(`{"adapter":"a","version":${KERNELS_VERSION},"factors":{},"measured":{"__proto__":{"variant":"direct","times":{}}}}`), /shape '__proto__'/],
    ['too many shapes', changed({ measured: Object.fromEntries(Array.from({ length: 10_001 }, (_, i) => [`k${i}`, 1])) }), /too many/],
  ])('%s', (_, stored, fault) => {
    expect(readRecord(stored)).toMatch(fault);
  });

  test('anything at all is a record or a reason, never an exception', () => {
    fc.assert(fc.property(fc.anything({ withBigInt: true, withNullPrototype: true }), (value) => ['string', 'object'].includes(typeof readRecord(value))));
    fc.assert(fc.property(fc.record({ adapter: fc.string(), version: fc.constant(KERNELS_VERSION), factors: fc.object(), measured: fc.object() }), (value) => {
      const read = readRecord(value);
      if (typeof read !== 'string') expect(Object.keys(choicesOf(read))).toContain('measured');
    }));
  });
});

test('new measurements take the place of old ones of the same shape', () => {
  const direct = { variant: 'direct', times: { direct: 0.1 } };
  const { measured, ...rest } = withMeasured(record, { 'conv2d forward b': direct });
  expect(rest).toEqual({ adapter: record.adapter, version: KERNELS_VERSION, factors: record.factors });
  expect(Object.keys(measured)).toEqual(['conv2d forward a', 'conv2d forward b']);
  expect(withMeasured(record, { 'conv2d forward a': direct }).measured).toEqual({ 'conv2d forward a': direct });
});

test('a record chooses by shape and scales by family; an empty one does neither', () => {
  expect(choicesOf(record)).toEqual({ factors: record.factors, measured: new Map([['conv2d forward a', 'shared 64x64']]) });
  expect(choicesOf(emptyRecord('a'))).toEqual({ measured: new Map() });
});

test('an adapter is filed under what it says of itself', () => {
  expect(adapterKey({ vendor: 'google', architecture: 'swiftshader', description: '' })).toBe('google / swiftshader / -');
  expect(adapterKey({ vendor: '', architecture: '', description: '' })).toBe('- / - / -');
});
