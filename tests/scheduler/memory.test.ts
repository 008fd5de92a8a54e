import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOf } from '../../src/scheduler/builder.ts';
import { compile } from '../../src/scheduler/compile.ts';
import { assignBuffers, liveBytes, type Life } from '../../src/scheduler/memory.ts';
import { convolution, network, node } from './networks.ts';

/** The most bytes alive at one time, step by step: no assignment can use less. */
function countLive(lives: readonly Life[]): number {
  const last = Math.max(0, ...lives.map((life) => life.last));
  let most = 0;
  for (let step = 0; step <= last; step++) {
    const alive = lives.filter((life) => life.pinned || (life.first <= step && life.last >= step));
    most = Math.max(most, alive.reduce((sum, life) => sum + life.bytes, 0));
  }
  return most;
}

const life = (id: number, first: number, last: number, bytes: number, pinned = false): Life => ({ id, first, last, bytes, pinned });

describe('buffers', () => {
  test('a chain needs two', () => {
    const lives = Array.from({ length: 9 }, (_, i) => life(i, i, i + 1, 64));
    expect(assignBuffers(lives).buffers).toEqual([64, 64]);
  });

  test('a tensor whose last use is the step that makes another does not share with it', () => {
    const { bufferOf } = assignBuffers([life(0, 0, 1, 64), life(1, 1, 2, 64)]);
    expect(bufferOf.get(0)).not.toBe(bufferOf.get(1));
  });

  test('a pinned tensor shares with none, whenever it is used', () => {
    const { bufferOf, buffers } = assignBuffers([life(0, 0, 0, 64, true), life(1, 1, 1, 64), life(2, 2, 2, 64, true), life(3, 3, 3, 64)]);
    expect(new Set([bufferOf.get(0), bufferOf.get(2), bufferOf.get(1)]).size).toBe(3);
    expect(bufferOf.get(3)).toBe(bufferOf.get(1));
    expect(buffers.length).toBe(3);
  });

  test('the free buffer that fits best is taken', () => {
    const { bufferOf, buffers } = assignBuffers([life(0, 0, 0, 1024), life(1, 0, 0, 128), life(2, 1, 1, 100)]);
    expect(bufferOf.get(2)).toBe(bufferOf.get(1));
    expect(buffers).toEqual([1024, 128]);
  });

  test('where none is large enough, the largest grows', () => {
    const { bufferOf, buffers } = assignBuffers([life(0, 0, 0, 64), life(1, 0, 0, 128), life(2, 1, 1, 256)]);
    expect(bufferOf.get(2)).toBe(bufferOf.get(1));
    expect(buffers).toEqual([256, 64]);
  });

  test('nothing to assign', () => expect(assignBuffers([])).toEqual({ bufferOf: new Map(), buffers: [] }));
});

const lives = fc
  .array(fc.record({ first: fc.nat(30), length: fc.nat(10), bytes: fc.integer({ min: 1, max: 40 }), pinned: fc.boolean() }), { maxLength: 40 })
  .map((list) => list.map(({ first, length, bytes, pinned }, id) => life(id, first, first + length, bytes * 16, pinned && id % 3 === 0)));

describe('for any lives', () => {
  test('two tensors that are alive together never share; every buffer holds its largest tensor', () => {
    fc.assert(
      fc.property(lives, (list) => {
        const { bufferOf, buffers } = assignBuffers(list);
        buffers.forEach((bytes, buffer) => expect(bytes).toBe(Math.max(...list.filter(({ id }) => bufferOf.get(id) === buffer).map((l) => l.bytes))));
        for (const a of list)
          for (const b of list) {
            if (a.id >= b.id || bufferOf.get(a.id) !== bufferOf.get(b.id)) continue;
            expect(a.pinned || b.pinned).toBe(false);
            expect(a.last < b.first || b.last < a.first).toBe(true);
          }
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  test('the total lies between what is alive at once and the sum of all; the order of the list does not matter', () => {
    fc.assert(
      fc.property(lives, (list) => {
        const total = (l: readonly Life[]): number => assignBuffers(l).buffers.reduce((a, b) => a + b, 0);
        expect(total(list)).toBeGreaterThanOrEqual(liveBytes(list));
        expect(total(list)).toBeLessThanOrEqual(list.reduce((sum, { bytes }) => sum + bytes, 0));
        expect(total([...list].reverse())).toBe(total(list));
      }),
      { numRuns: 200, seed: 2 },
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
  const capabilities = { subgroups: false, maxBinding: 2 ** 27 };
  const plan = compile(network({ x: [1, 3, 32, 32] }, nodes), { layers: ['n29'], capabilities });
  const constants = new Set(plan.constants.map(({ tensor }) => plan.tensors[tensor]!.buffer));
  const scratch = plan.buffers.filter((_, index) => !constants.has(index)).reduce((a, b) => a + b, 0);
  const layer = 4 * 8 * 32 * 32;
  // Input, its border, two layers of the chain with the border between them, and the kept result.
  expect(scratch).toBeLessThan(5 * layer);
});
