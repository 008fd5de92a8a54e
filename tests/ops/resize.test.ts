/** Resampling against plain loops over the definition of ONNX Resize, and the examples of its documentation. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../src/network/network.ts';
import { useEngine } from '../gpu.ts';
import { expectAdjoint, expectCaught, prove, run, type PlantedBug, type Subject, type Twin } from './harness.ts';
import { filled, random, Sum } from './reference.ts';

const engine = useEngine();

type Two = readonly [number, number];

interface Case {
  readonly x: readonly [number, number, number, number];
  readonly size: Two;
  readonly scale?: Two;
  readonly mode?: 'nearest' | 'linear';
  readonly coordinates?: 'half_pixel' | 'pytorch_half_pixel' | 'asymmetric' | 'align_corners';
  readonly rounding?: 'round_prefer_floor' | 'round_prefer_ceil' | 'floor' | 'ceil';
}

/** Pixels that output o of an axis reads, with their shares; those outside are the border's. */
function reads(o: number, size: number, out: number, stated: number, { mode = 'nearest', coordinates = 'half_pixel', rounding = 'round_prefer_floor' }: Case): [number, number][] {
  const round = mode === 'nearest' ? Math.fround : (value: number): number => value;
  const scale = round(stated || out / size);
  let at = round(round((o + 0.5) / scale) - 0.5);
  if (coordinates === 'asymmetric') at = round(o / scale);
  if (coordinates === 'align_corners') at = out === 1 ? 0 : round(round(o * (size - 1)) / (out - 1));
  if (coordinates === 'pytorch_half_pixel' && out === 1) at = 0;
  const inside = (pixel: number): number => Math.min(Math.max(pixel, 0), size - 1);
  const below = Math.floor(at);
  const part = at - below;
  if (mode === 'linear') return [[inside(below), 1 - part], [inside(below + 1), part]];
  const up = { round_prefer_floor: part > 0.5, round_prefer_ceil: part >= 0.5, floor: false, ceil: part > 0 }[rounding];
  return [[inside(up ? below + 1 : below), 1]];
}

function resizeTwin(x: Tensor, c: Case): Twin {
  const [N, C, H, W] = c.x;
  const [OH, OW] = c.size;
  const visit = (tap: (output: number, input: number, share: number) => void): void => {
    for (let plane = 0; plane < N * C; plane++)
      for (let oy = 0; oy < OH; oy++)
        for (let ox = 0; ox < OW; ox++)
          for (const [iy, fy] of reads(oy, H, OH, c.scale?.[0] ?? 0, c))
            for (const [ix, fx] of reads(ox, W, OW, c.scale?.[1] ?? 0, c)) tap((plane * OH + oy) * OW + ox, (plane * H + iy) * W + ix, fy * fx);
  };
  const y = new Sum([N, C, OH, OW]);
  visit((output, input, share) => y.add(output, share * x.data[input]!));
  return {
    y,
    dx(dy) {
      const dx = new Sum(c.x);
      visit((output, input, share) => dx.add(input, share * dy[output]!));
      return [dx];
    },
  };
}

function subjectOf({ x: shape, ...attributes }: Case, x = random(shape, 1)): { subject: Subject; twin: Twin } {
  return { subject: { op: 'resize', attributes, x: [x] }, twin: resizeTwin(x, { x: shape, ...attributes }) };
}

const COORDINATES = ['half_pixel', 'pytorch_half_pixel', 'asymmetric', 'align_corners'] as const;
const ROUNDINGS = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'] as const;
const SHAPES: readonly Case[] = [
  { x: [1, 1, 1, 1], size: [1, 1] },
  { x: [2, 3, 5, 4], size: [10, 8], scale: [2, 2] },
  { x: [2, 3, 7, 3], size: [5, 11] },
  { x: [1, 2, 3, 13], size: [9, 1] },
  { x: [1, 3, 1, 1], size: [4, 5] },
  { x: [1, 2, 8, 9], size: [4, 3] },
  { x: [1, 2, 4, 5], size: [2, 7], scale: [0.6, 1.5] },
];

describe('resize against plain loops, and the adjoint identity', () => {
  test.each(COORDINATES.flatMap((coordinates) => ROUNDINGS.map((rounding) => ({ coordinates, rounding }))))('nearest, $coordinates, $rounding', async (how) => {
    for (const shape of how.rounding === 'round_prefer_floor' ? SHAPES : SHAPES.slice(2, 3)) {
      const { subject, twin } = subjectOf({ ...shape, ...how });
      const outcome = await prove(engine(), subject, twin);
      expectAdjoint(subject, outcome, twin);
    }
  });

  test.each(COORDINATES)('linear, %s', async (coordinates) => {
    for (const shape of SHAPES) {
      const { subject, twin } = subjectOf({ ...shape, mode: 'linear', coordinates });
      const outcome = await prove(engine(), subject, twin);
      expectAdjoint(subject, outcome, twin);
    }
  });

  test.each(['nearest', 'linear'] as const)('%s, gradients of two branches', async (mode) => {
    const { subject, twin } = subjectOf({ x: [2, 3, 5, 4], size: [7, 9], mode });
    await prove(engine(), subject, twin, { twice: true });
  });

  test('a tie between two pixels falls as in single precision', async () => {
    // (1 + 0.5) / 0.6 - 0.5 is 2 for floats, and less than 2 for doubles with 0.6 as a float.
    const { subject, twin } = subjectOf({ x: [1, 1, 1, 5], size: [1, 3], scale: [1, Math.fround(0.6)], rounding: 'floor' }, filled([1, 1, 1, 5], (i) => i));
    const { y } = await prove(engine(), subject, twin);
    expect([...y.data]).toEqual([0, 2, 3]);
  });

  test('of any sizes and scales', async () => {
    const few = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });
    const scale = fc.oneof(fc.constant(0), fc.constantFrom(0.5, 0.75, 1.5, 2, 3, 2.7));
    const cases = fc.record({
      sizes: fc.tuple(few(9), few(9), few(13), few(13)),
      scale: fc.tuple(scale, scale),
      mode: fc.constantFrom('nearest' as const, 'linear' as const),
      coordinates: fc.constantFrom(...COORDINATES),
      rounding: fc.constantFrom(...ROUNDINGS),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ sizes: [H, W, OH, OW], ...how }) => {
        const { subject, twin } = subjectOf({ x: [1, 2, H, W], size: [OH, OW], ...how });
        await prove(engine(), subject, twin);
      }),
      { numRuns: 10, seed: 3, endOnFailure: true },
    );
  });
});

/** Of the documentation of ONNX Resize. */
const EXAMPLES: readonly (Omit<Case, 'x'> & { readonly name: string; readonly x: Two; readonly y: readonly number[] })[] = [
  { name: 'upsample_scales_nearest', x: [2, 2], size: [4, 6], scale: [2, 3], y: [1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 3, 3, 3, 4, 4, 4] },
  { name: 'downsample_scales_nearest', x: [2, 4], size: [1, 2], scale: [0.6, 0.6], y: [1, 3] },
  { name: 'downsample_sizes_nearest', x: [2, 4], size: [1, 3], y: [1, 2, 4] },
  { name: 'upsample_sizes_nearest_ceil_half_pixel', x: [1, 4], size: [1, 8], rounding: 'ceil', y: [1, 2, 2, 3, 3, 4, 4, 4] },
  { name: 'upsample_sizes_nearest_floor_align_corners', x: [1, 4], size: [1, 8], coordinates: 'align_corners', rounding: 'floor', y: [1, 1, 1, 2, 2, 3, 3, 4] },
  { name: 'upsample_sizes_nearest_round_prefer_ceil_asymmetric', x: [1, 4], size: [1, 8], coordinates: 'asymmetric', rounding: 'round_prefer_ceil', y: [1, 2, 2, 3, 3, 4, 4, 4] },
  { name: 'upsample_scales_linear', x: [2, 2], size: [4, 4], scale: [2, 2], mode: 'linear', y: [1, 1.25, 1.75, 2, 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3, 3.25, 3.75, 4] },
  { name: 'downsample_scales_linear', x: [2, 4], size: [1, 2], scale: [0.6, 0.6], mode: 'linear', y: [8 / 3, 13 / 3] },
  { name: 'upsample_scales_linear_align_corners', x: [1, 2], size: [1, 4], scale: [1, 2], mode: 'linear', coordinates: 'align_corners', y: [1, 4 / 3, 5 / 3, 2] },
  { name: 'downsample_sizes_linear_pytorch_half_pixel', x: [4, 4], size: [3, 1], mode: 'linear', coordinates: 'pytorch_half_pixel', y: [5 / 3, 7, 37 / 3] },
];

test.each(EXAMPLES)('the documented example $name', async ({ name: _, x: shape, y: expected, ...attributes }) => {
  const x = filled([1, 1, ...shape], (i) => i + 1);
  const { y } = await run(engine(), { op: 'resize', attributes, x: [x] });
  expected.forEach((value, i) => expect(y.data[i]).toBeCloseTo(value, 6));
  expect(y.shape).toEqual([1, 1, ...attributes.size]);
});

test.each([
  ['three axes', random([1, 2, 3], 1), { size: [2, 2] }, 'takes [N, C, H, W]'],
  ['no size', random([1, 1, 3, 3], 1), {}, 'size must be'],
  ['a size that is not whole', random([1, 1, 3, 3], 1), { size: [2, 1.5] }, 'size must be'],
  ['a negative scale', random([1, 1, 3, 3], 1), { size: [2, 2], scale: [1, -2] }, 'scale must not be negative'],
  ['another mode', random([1, 1, 3, 3], 1), { size: [2, 2], mode: 'cubic' }, "no mode 'cubic'"],
  ['other coordinates', random([1, 1, 3, 3], 1), { size: [2, 2], coordinates: 'tf_crop_and_resize' }, "no coordinates 'tf_crop_and_resize'"],
  ['another rounding', random([1, 1, 3, 3], 1), { size: [2, 2], rounding: 'round' }, "no rounding 'round'"],
])('%s: refused', async (_, x, attributes, message) => {
  await expect(run(engine(), { op: 'resize', attributes, x: [x] })).rejects.toMatchObject({ code: 'model-invalid', message: expect.stringContaining(message) as string });
});

describe('a planted bug in resize is noticed', () => {
  const nearest: Case = { x: [1, 2, 5, 4], size: [8, 10] };
  const linear: Case = { ...nearest, mode: 'linear' };
  const bugs: readonly (PlantedBug & { readonly in: Case; readonly twice?: boolean })[] = [
    { name: 'the last outputs of a row are left out', pass: 'forward', find: 'part + 9u < 10u', replace: 'part + 10u < 10u', in: nearest },
    { name: 'the next pixel leaves the row', pass: 'forward', find: /min\(place1\.x \+ 1u, 3u\)/, replace: '(place1.x + 2u)', in: linear },
    { name: 'the shares are swapped', pass: 'forward', find: 'f1)', replace: '1.0 - f1)', in: linear },
    { name: 'both rows are the upper one', pass: 'forward', find: 'min(row.x + 1u, 4u)', replace: 'row.x', in: linear },
    { name: 'a pixel takes the gradient of one output alone', pass: 'backward', find: 'ox < across.y', replace: 'ox < across.x + 1u', in: nearest },
    { name: 'the gradient forgets the next pixel', pass: 'backward', find: /\+ select\(0\.0, bitcast<f32>\(place\.y\), .*?== column\)/, replace: '', in: linear },
    { name: 'the gradient of a branch is forgotten', pass: 'backward', find: '= dx[i] +', replace: '=', in: linear, twice: true },
  ];
  test.each(bugs)('$name', async ({ in: c, twice = false, ...bug }) => {
    const { subject, twin } = subjectOf(c);
    await expectCaught(engine(), subject, twin, bug, { twice });
  });
});
