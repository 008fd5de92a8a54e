/** Covered pictures against plain loops, to the bit, and bugs planted in the kernel. */
import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../src/network/network.ts';
import { PlanBuilder } from '../../src/scheduler/builder.ts';
import { recordOcclude, recordPick } from '../../src/scheduler/occlude.ts';
import { useEngine } from '../gpu.ts';
import { runGuarded } from '../ops/harness.ts';
import { mismatches, random, Sum } from '../ops/reference.ts';

const engine = useEngine();

interface Case {
  readonly size: readonly [channels: number, height: number, width: number];
  readonly patch: number;
  /** Top row and left column of each copy's patch. */
  readonly places: readonly (readonly [number, number])[];
}

const words = (values: readonly number[]): Tensor => ({ shape: [values.length], data: new Float32Array(Uint32Array.from(values).buffer) });

async function differences({ size, patch, places }: Case, mutate?: (code: string) => string): Promise<string[]> {
  const [channels, height, width] = size;
  const [picture, fill] = [random([1, ...size], 1), random([1, ...size], 2)];
  const builder = new PlanBuilder('occlude', places.length, engine().capabilities);
  const tensors = {
    picture: builder.persistent('picture', picture.shape),
    fill: builder.persistent('fill', fill.shape),
    places: builder.persistent('places', [places.length, 2], 'u32'),
    x: builder.persistent('x', [places.length, ...size]),
  };
  recordOcclude(builder.recorder('occlude', 'layer', 'occlude'), tensors, { patch });
  const { tensors: read } = await runGuarded(engine(), builder.build(), { picture, fill, places: words(places.flat()) }, ['x'], { mutate });
  const twin = new Sum([places.length, ...size]);
  places.forEach(([top, left], n) => {
    for (let c = 0; c < channels; c++) {
      for (let i = 0; i < height; i++) {
        for (let j = 0; j < width; j++) {
          const at = (c * height + i) * width + j;
          const inside = i >= top && i < top + patch && j >= left && j < left + patch;
          twin.add(n * channels * height * width + at, (inside ? fill : picture).data[at]);
        }
      }
    }
  });
  return mismatches('x', read.get('x')!, twin, { exact: true });
}

const CASES: readonly Case[] = [
  { size: [3, 5, 7], patch: 2, places: [[0, 0], [3, 5], [4, 6]] },
  { size: [1, 1, 1], patch: 1, places: [[0, 0], [1, 0], [0, 1]] },
  { size: [2, 8, 8], patch: 8, places: [[0, 0], [7, 0], [0, 7], [8, 8]] },
  { size: [3, 13, 11], patch: 13, places: [[5, 2]] },
  { size: [4, 6, 17], patch: 3, places: Array.from({ length: 19 }, (_, n) => [n % 7, (5 * n) % 18] as const) },
];

test.each(CASES)('%j', async (one) => expect(await differences(one)).toEqual([]));

describe('a planted bug in occlude is seen', () => {
  test.each([
    ['< vec2u(2u)', '<= vec2u(2u)'],
    ['vec2u((i / 7u) % 5u, i % 7u)', 'vec2u(i % 7u, (i / 7u) % 5u)'],
    ['(i / 7u) % 5u', 'i / 7u'],
    ['all(', 'any('],
    ['select(open, covered', 'select(covered, open'],
    ['n < 3u', 'n < 2u'],
    ['y[n * 105u', 'y[n * 104u'],
  ])('%s -> %s', async (find, replace) => {
    let changed = false;
    const found = await differences(CASES[0], (code) => {
      changed ||= code.includes(find);
      return code.replaceAll(find, replace);
    });
    expect(changed).toBe(true);
    expect(found).not.toEqual([]);
  });
});

test('one number of each image is picked', async () => {
  const y = random([3, 5, 2, 2], 3);
  const builder = new PlanBuilder('pick', 3, engine().capabilities);
  const tensors = { y: builder.persistent('y', y.shape), at: builder.persistent('at', [3], 'u32'), scores: builder.persistent('scores', [3]) };
  recordPick(builder.recorder('score', 'layer', 'pick'), tensors);
  const { tensors: read } = await runGuarded(engine(), builder.build(), { y, at: words([0, 20, 40].map((first) => first + 7 + 1)) }, ['scores']);
  expect([...read.get('scores')!.data]).toEqual([7, 27, 47].map((at) => y.data[at]));
});
