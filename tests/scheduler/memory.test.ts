import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOf } from '../../src/scheduler/builder.ts';
import { compile } from '../../src/scheduler/compile.ts';
import { assignBuffers, liveBytes, type Assignment, type Life } from '../../src/scheduler/memory.ts';
import { convolution, network, node } from './networks.ts';

/** The most bytes alive at one time, step by step: no assignment can use less. */
function countLive(lives: readonly Life[]): number {
  const last = Math.max(0, ...lives.map((life) => life.last));
  let most = 0;
  for (let step = 0; step <= last; step++) {
    const alive = lives.filter((life) => life.kind !== 'scratch' || (life.first <= step && life.last >= step));
    most = Math.max(most, alive.reduce((sum, life) => sum + life.bytes, 0));
  }
  return most;
}

const life = (id: number, first: number, last: number, bytes: number, kind: Life['kind'] = 'scratch', ...apart: number[]): Life => ({
  id, first, last, bytes, kind, apart: new Set(apart),
});

const total = ({ buffers }: Pick<Assignment, 'buffers'>): number => buffers.reduce((a, b) => a + b, 0);

/** A chain of layers: each is read by the step that makes the next. */
const chain = (...sizes: number[]): Life[] => sizes.map((bytes, i) => life(i, i, i + 1, bytes, 'scratch', i - 1, i + 1));

describe('buffers', () => {
  test('a chain needs two', () => expect(assignBuffers(chain(256, 256, 256, 256, 256, 256)).buffers).toEqual([256, 256]));

  test('what a step reads is not in the buffer that it writes, though there would be room', () => {
    const { spots } = assignBuffers([life(9, 5, 5, 4096), ...chain(256, 256)]);
    expect(spots.get(0)!.buffer).not.toBe(spots.get(1)!.buffer);
  });

  test('several small tensors lie where a large one is not alive', () => {
    const { spots, buffers } = assignBuffers([life(0, 0, 0, 1024), life(1, 1, 2, 256), life(2, 1, 2, 512), life(3, 2, 3, 256)]);
    expect(buffers).toEqual([1024]);
    expect([1, 2, 3].map((id) => spots.get(id)!.offset).sort((a, b) => a - b)).toEqual([0, 512, 768]);
  });

  test('offsets are those at which a binding may begin', () => {
    const { spots } = assignBuffers(Array.from({ length: 5 }, (_, id) => life(id, 0, 0, 16)));
    for (const { offset } of spots.values()) expect(offset % 256).toBe(0);
  });

  test('no buffer is made longer than it may be', () => {
    const lives = Array.from({ length: 6 }, (_, id) => life(id, 0, 0, 512));
    expect(Math.max(...assignBuffers(lives, 1024).buffers)).toBeLessThanOrEqual(1024);
    expect(assignBuffers([life(0, 0, 0, 4096), life(1, 1, 1, 2048), life(2, 1, 1, 2048)], 1024).buffers).toEqual([4096]);
  });

  test('a kept tensor has a buffer to itself, whenever it is used', () => {
    const { spots, buffers } = assignBuffers([life(0, 0, 0, 256, 'kept'), life(1, 1, 1, 256), life(2, 2, 2, 256, 'kept'), life(3, 3, 3, 256)]);
    expect(new Set([0, 1, 2].map((id) => spots.get(id)!.buffer)).size).toBe(3);
    expect(spots.get(3)).toEqual(spots.get(1));
    expect(buffers).toEqual([256, 256, 256]);
  });

  test('small constants lie in one buffer, each at its offset; a large one fills its own', () => {
    const { spots, buffers } = assignBuffers([life(0, 0, 0, 48, 'constant'), life(1, 0, 0, 2 ** 20, 'constant'), life(2, 5, 5, 16, 'constant')]);
    expect(spots.get(0)!.buffer).toBe(spots.get(2)!.buffer);
    expect([spots.get(0)!.offset, spots.get(2)!.offset]).toEqual([0, 256]);
    expect(buffers).toEqual([272, 2 ** 20]);
  });

  test('nothing to assign', () => expect(assignBuffers([])).toEqual({ spots: new Map(), buffers: [] }));
});

const KINDS = ['scratch', 'scratch', 'scratch', 'kept', 'constant'] as const;
const lives = fc
  .array(fc.record({ first: fc.nat(30), length: fc.nat(10), bytes: fc.integer({ min: 1, max: 400 }), kind: fc.nat(4), foe: fc.nat(40) }), { maxLength: 40 })
  .map((list) => list.map(({ first, length, bytes, kind, foe }, id) => life(id, first, first + length, bytes * 16, KINDS[kind], ...(foe < id ? [foe] : []))))
  .map((list) => list.map((one) => ({ ...one, apart: new Set([...one.apart, ...list.filter(({ apart }) => apart.has(one.id)).map(({ id }) => id)]) })));

describe('for any lives', () => {
  test('two tensors that are alive together never share a byte, and those that must be apart no buffer', () => {
    fc.assert(
      fc.property(lives, (list) => {
        const { spots, buffers } = assignBuffers(list);
        for (const a of list) {
          const { buffer, offset } = spots.get(a.id)!;
          expect(offset % 256).toBe(0);
          expect(offset + a.bytes).toBeLessThanOrEqual(buffers[buffer]!);
          for (const b of list) {
            const other = spots.get(b.id)!;
            if (a.id >= b.id || buffer !== other.buffer) continue;
            expect(a.apart.has(b.id) && a.kind !== 'constant').toBe(false);
            expect(a.kind === 'kept' || b.kind === 'kept' || a.kind !== b.kind).toBe(false);
            const together = a.kind !== 'scratch' || (a.first <= b.last && b.first <= a.last);
            if (together) expect(offset + a.bytes <= other.offset || other.offset + b.bytes <= offset).toBe(true);
          }
        }
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  test('the total lies between what is alive at once and the sum of all; the order of the list does not matter', () => {
    fc.assert(
      fc.property(lives, (list) => {
        expect(total(assignBuffers(list))).toBeGreaterThanOrEqual(liveBytes(list));
        expect(total(assignBuffers(list))).toBeLessThanOrEqual(list.reduce((sum, { bytes }) => sum + Math.ceil(bytes / 256) * 256, 0));
        const scratch = list.filter(({ kind }) => kind === 'scratch');
        expect(total(assignBuffers([...scratch].reverse()))).toBe(total(assignBuffers(scratch)));
      }),
      { numRuns: 100, seed: 2 },
    );
  });
});

test('the bytes alive are counted step by step', () => {
  fc.assert(fc.property(lives, (list) => void expect(liveBytes(list)).toBe(countLive(list))), { numRuns: 200, seed: 3 });
  expect(liveBytes([])).toBe(0);
});

test('a tensor takes whole quads, and never nothing', () => {
  expect([[], [1], [4], [5], [2, 3, 5], [1, 1, 1, 0]].map((shape) => bytesOf({ shape }))).toEqual([16, 16, 16, 32, 128, 16]);
});

test('a forward plan of many layers uses little more than what is alive at once', () => {
  const nodes = Array.from({ length: 30 }, (_, i) => {
    const input = i ? `n${i - 1}.y` : 'x';
    return i % 2 ? node(`n${i}`, 'relu', [input]) : convolution(`n${i}`, input, [8, i ? 8 : 3, 3], i);
  });
  const capabilities = { subgroups: false, software: true, maxBinding: 2 ** 27 };
  const plan = compile(network({ x: [1, 3, 32, 32] }, nodes), { layers: ['n29'], capabilities });
  expect(total(plan)).toBeLessThan(1.05 * plan.liveBytes);
});
