/** Affine maps of images and their gradient against plain loops in double precision, many maps in one batch. */
import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../src/network/network.ts';
import { IDENTITY, LUCID, drawTransforms, lucidTransforms } from '../../src/methods/transform_choice.ts';
import { recordTransform, recordTransformBackward } from '../../src/scheduler/transforms.ts';
import { useEngine } from '../gpu.ts';
import { count, dot, random } from '../ops/reference.ts';
import { expectBugFound, faultsOf, runRecorded, type Bug, type Recording } from './recorded_run.ts';

const engine = useEngine();

/** Of an image that is `height` by `width`: turned clockwise and scaled around the middle, then shifted. */
function around(degrees: number, scale: number, shift: readonly [number, number], height: number, width: number): number[] {
  const [c, s] = [Math.cos((degrees * Math.PI) / 180) / scale, Math.sin((degrees * Math.PI) / 180) / scale];
  const [x, y] = [(width - 1) / 2, (height - 1) / 2];
  return [c, s, x - c * (x + shift[0]) - s * (y + shift[1]), -s, c, y + s * (x + shift[0]) - c * (y + shift[1])];
}

const mapsOf = (height: number, width: number): number[][] => [
  [...IDENTITY],
  [1, 0, 3, 0, 1, -2],
  [1, 0, -40, 0, 1, 0],
  [1, 0, 0.25, 0, 1, -0.5],
  around(10, 1, [0, 0], height, width),
  around(-10, 1, [1, 2], height, width),
  around(0, 0.9, [0, 0], height, width),
  around(0, 1.1, [-2, 1], height, width),
  around(7, 0.92, [3, -3], height, width),
  around(90, 1, [0, 0], height, width),
  around(33, 0.4, [1, 0], height, width),
  around(200, 2.7, [0, 1], height, width),
  [-1, 0, width - 1, 0, 1, 0],
  [1.2, 0.3, -1, 0.1, 0.8, 1],
  // To one pixel; to one line.
  [0, 0, 2.25, 0, 0, 1],
  [1, 0.5, 0, 0.5, 0.25, 0.5],
  ...Array.from({ length: 4 }, (_, step) => [...lucidTransforms({ height, width })(5, step)]),
];

interface Case {
  readonly channels: number;
  readonly image: readonly [number, number];
  readonly result: readonly [number, number];
  readonly outside?: number;
}

function recordingOf({ channels, image: [h, w], result, outside }: Case, maps = mapsOf(h, w)): Recording {
  const [x, y] = [[maps.length, channels, h, w], [maps.length, channels, ...result]];
  return {
    given: { image: random(x, 1, 0, 1), matrix: { shape: [maps.length, 6], data: Float32Array.from(maps.flat()) }, dy: random(y, 2) },
    wanted: { y, dimage: x },
    record(recorder, { image, matrix, y: to, dy, dimage }) {
      recordTransform(recorder, { image: image!, matrix: matrix!, y: to! }, outside === undefined ? {} : { outside });
      recordTransformBackward(recorder, { dy: dy!, matrix: matrix!, dimage: dimage! });
    },
  };
}

/** Results and gradients, and how far rounding of the places can move them: a step of a place times the steepest slope. */
function twin({ image: [h, w], result: [oh, ow], channels, outside = 0.5 }: Case, { matrix, image, dy }: Readonly<Record<string, Tensor>>): Record<'y' | 'dimage' | 'loose' | 'dloose', Float64Array> {
  const batch = matrix!.shape[0]!;
  const y = new Float64Array(batch * channels * oh * ow);
  const dimage = new Float64Array(batch * channels * h * w);
  const [loose, dloose] = [new Float64Array(y.length), new Float64Array(dimage.length)];
  for (let n = 0; n < batch; n++) {
    const m = matrix!.data.subarray(6 * n, 6 * n + 6);
    for (let oy = 0; oy < oh; oy++)
      for (let ox = 0; ox < ow; ox++) {
        const [sx, sy] = [m[0]! * ox + m[1]! * oy + m[2]!, m[3]! * ox + m[4]! * oy + m[5]!];
        const rounding = 2 ** -22 * (Math.abs(m[0]! * ox) + Math.abs(m[1]! * oy) + Math.abs(m[2]!) + Math.abs(m[3]! * ox) + Math.abs(m[4]! * oy) + Math.abs(m[5]!));
        for (let c = 0; c < channels; c++) {
          const to = ((n * channels + c) * oh + oy) * ow + ox;
          loose[to] = 2 * rounding + 1e-6;
          for (const iy of [Math.floor(sy), Math.floor(sy) + 1])
            for (const ix of [Math.floor(sx), Math.floor(sx) + 1]) {
              const share = (1 - Math.abs(sy - iy)) * (1 - Math.abs(sx - ix));
              const inside = iy >= 0 && iy < h && ix >= 0 && ix < w;
              const at = ((n * channels + c) * h + iy) * w + ix;
              y[to]! += share * (inside ? image!.data[at]! : outside);
              if (inside) {
                dimage[at]! += share * dy!.data[to]!;
                dloose[at]! += (rounding + 2 ** -22) * Math.abs(dy!.data[to]!) + 1e-8;
              }
            }
          // A place next to a pixel may be rounded to its other side, where its neighbour has a share of next to nothing.
          for (let iy = Math.floor(sy) - 1; iy <= Math.floor(sy) + 2; iy++)
            for (let ix = Math.floor(sx) - 1; ix <= Math.floor(sx) + 2; ix++)
              if (iy >= 0 && iy < h && ix >= 0 && ix < w) dloose[((n * channels + c) * h + iy) * w + ix]! += rounding * Math.abs(dy!.data[to]!);
        }
      }
  }
  return { y, dimage, loose, dloose };
}

function faults(c: Case, { given }: Recording, found: Record<string, Float32Array>): string[] {
  const { y, dimage, loose, dloose } = twin(c, given);
  return [...faultsOf('y', found.y!, y, (i) => loose[i]!), ...faultsOf('dimage', found.dimage!, dimage, (i) => dloose[i]!)];
}

const CASES: readonly Case[] = [
  { channels: 3, image: [9, 13], result: [9, 13] },
  { channels: 1, image: [6, 11], result: [8, 5] },
  { channels: 2, image: [1, 1], result: [3, 4] },
  { channels: 3, image: [17, 1], result: [1, 1] },
  { channels: 1, image: [40, 40], result: [40, 40], outside: 0 },
];

describe('twenty maps', () => {
  test.each(CASES)('$channels x $image to $result', async (c) => {
    const recording = recordingOf(c);
    expect(faults(c, recording, await runRecorded(engine(), recording))).toEqual([]);
  });

  test('<A x, dy> = <x, A\' dy> for each of them', async () => {
    const c = { channels: 3, image: [24, 31], result: [24, 31], outside: 0 } as const;
    const recording = recordingOf(c);
    const { y, dimage } = await runRecorded(engine(), recording);
    const size = count(recording.wanted.y!.slice(1));
    mapsOf(...c.image).forEach((map, n) => {
      const part = (values: Float32Array): Float32Array => values.subarray(n * size, (n + 1) * size);
      const [left, right] = [dot(part(y!), part(recording.given.dy!.data)), dot(part(recording.given.image!.data), part(dimage!))];
      expect(Math.abs(left.value - right.value), `of [${map}]`).toBeLessThanOrEqual(1e-6 * left.magnitude);
    });
  });
});

test('what is not resampled is copied, gradients too', async () => {
  const c = { channels: 2, image: [3, 4], result: [3, 4] } as const;
  const recording = recordingOf(c, [[...IDENTITY], [1, 0, 1, 0, 1, -1]]);
  const { image, dy } = recording.given;
  const { y, dimage } = await runRecorded(engine(), recording);
  expect(y!.slice(0, 24)).toEqual(image!.data.slice(0, 24));
  expect(dimage!.slice(0, 24)).toEqual(dy!.data.slice(0, 24));
  const grey = 0.5;
  const [first, second] = [image!.data.slice(24, 36), image!.data.slice(36)];
  const moved = (plane: Float32Array): number[] => [grey, grey, grey, grey, ...plane.slice(1, 4), grey, ...plane.slice(5, 8), grey];
  expect([...y!.slice(24)]).toEqual([...moved(first), ...moved(second)]);
  const back = (plane: Float32Array): number[] => [0, ...plane.slice(4, 7), 0, ...plane.slice(8, 11), 0, 0, 0, 0];
  expect([...dimage!.slice(24)]).toEqual([...back(dy!.data.slice(24, 36)), ...back(dy!.data.slice(36))]);
});

test.each([
  [[2, 3, 4, 4], [2, 6], [2, 1, 4, 4]],
  [[2, 3, 4, 4], [2, 6], [1, 3, 4, 4]],
  [[2, 3, 4, 4], [1, 6], [2, 3, 4, 4]],
  [[2, 3, 4], [2, 6], [2, 3, 4]],
])('images %j, matrices %j and results %j are refused', (image, matrix, y) =>
  expect(
    runRecorded(engine(), {
      given: { image: random(image, 1), matrix: random(matrix, 1) },
      wanted: { y },
      record: (recorder, tensors) => recordTransform(recorder, { image: tensors.image!, matrix: tensors.matrix!, y: tensors.y! }),
    }),
  ).rejects.toMatchObject({ code: 'usage' }));

describe('a planted bug is noticed', () => {
  const c: Case = { channels: 2, image: [6, 9], result: [6, 9] };
  const bugs: readonly Bug[] = [
    { name: 'every image has the first map', find: 'let m = n * 6u;', replace: 'let m = 0u;' },
    { name: 'it is black around the image', find: '(0.5f) * (1.0', replace: '(0.0f) * (1.0' },
    { name: 'rows are not shared', find: 'down.x * ', replace: '(down.x + down.y) * ' },
    { name: 'the last column is outside', find: 'before < size)', replace: 'before < size - 1.0)' },
    { name: 'the pixel before the first one is not half inside', find: 'before >= -1.0', replace: 'before >= 0.0' },
    { name: 'the channels are one', find: /x\[image \+ \d+u/, replace: 'x[image + 0u' },
    { name: 'too few results are looked at', find: 'ceil(center - reach)', replace: 'ceil(center - 0.8 * reach)' },
    { name: 'the last results are not looked at', find: 'floor(center + reach) + 1.0', replace: 'floor(center + reach)' },
    { name: 'a map without an inverse is inverted', find: 'abs(area) > 1e-12', replace: 'abs(area) >= 0.0' },
    { name: 'the inverse turns the other way', find: 'e * away.x - b * away.y', replace: 'e * away.x + b * away.y' },
  ];
  test.each(bugs)('$name', async (bug) => {
    const recording = recordingOf(c);
    await expectBugFound(engine(), recording, bug, (found) => faults(c, recording, found));
  });
});

describe('the transforms of Lucid', () => {
  const size = { height: 20, width: 33 };
  const draw = lucidTransforms(size);
  const all = Array.from({ length: 4000 }, (_, step) => draw(3, step));

  test('are a function of seed and step', () => {
    expect(draw(3, 17)).toEqual(all[17]);
    expect(draw(4, 17)).not.toEqual(all[17]);
    expect(new Set(all.map(String)).size).toBeGreaterThan(3500);
  });

  test('are drawn from its lists, no turn six times as often as any other', () => {
    const scaleOf = (m: Float32Array): number => 1 / Math.hypot(m[0]!, m[1]!);
    const angleOf = (m: Float32Array): number => (Math.atan2(m[1]!, m[0]!) * 180) / Math.PI;
    const share = (near: (m: Float32Array) => boolean): number => all.filter(near).length / all.length;
    for (const scale of [0.9, 0.92, 1, 1.1]) expect(Math.abs(share((m) => Math.abs(scaleOf(m) - scale) < 1e-4) - 1 / 11)).toBeLessThan(0.015);
    expect(Math.abs(share((m) => Math.abs(angleOf(m)) < 1e-4) - 6 / 26)).toBeLessThan(0.02);
    for (const angle of [-10, -3, 10]) expect(Math.abs(share((m) => Math.abs(angleOf(m) - angle) < 1e-3) - 1 / 26)).toBeLessThan(0.015);
    expect(share((m) => scaleOf(m) > 0.8999 && scaleOf(m) < 1.1001 && Math.abs(angleOf(m)) < 10.001)).toBe(1);
  });

  test('what is only shifted is shifted by whole pixels, up to 6', () => {
    const shifts = all.filter((m) => m[0] === 1 && m[1] === 0).map((m) => [m[2]!, m[5]!] as const);
    expect(shifts.length).toBeGreaterThan(50);
    expect(shifts.flat().every((shift) => Number.isInteger(shift) && Math.abs(shift) <= 6)).toBe(true);
    expect(new Set(shifts.flat()).size).toBeGreaterThan(10);
  });

  test('one after the other: shifted, scaled, turned, shifted', () => {
    const settings = { ...LUCID, scales: [1.06], angles: [8] };
    const only = (changes: Partial<typeof settings>): Float32Array => drawTransforms({ ...settings, ...changes }, size)(1, 2);
    const still = only({ firstJitter: 0, lastJitter: 0 });
    const at = (m: ArrayLike<number>, [x, y]: readonly [number, number]): [number, number] => [m[0]! * x + m[1]! * y + m[2]!, m[3]! * x + m[4]! * y + m[5]!];
    const middle = [16, 9.5] as const;
    const near = (found: readonly number[], expected: readonly number[]): void => found.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 4));
    near(at(still, middle), middle);
    // A point 10 pixels to the right of the middle comes from where it was turned and grew.
    const turned = (8 * Math.PI) / 180;
    near(at(still, [26, 9.5]), [16 + (10 * Math.cos(turned)) / 1.06, 9.5 - (10 * Math.sin(turned)) / 1.06]);
    const first = only({ lastJitter: 0 });
    const last = only({ firstJitter: 0 });
    const moved = [first[2]! - still[2]!, first[5]! - still[5]!] as const;
    moved.forEach((shift) => expect(Math.abs(shift - Math.round(shift))).toBeLessThan(1e-4));
    near(at(drawTransforms(settings, size)(1, 2), [3, 4]), at(last, [3, 4]).map((value, axis) => value + moved[axis]!));
  });
});
