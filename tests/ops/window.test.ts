import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../src/network/network.ts';
import { useEngine } from '../gpu.ts';
import { expectAdjoint, expectCaught, prove, run, type PlantedBug, type Subject, type Twin } from './harness.ts';
import { count, dot, random, Sum } from './reference.ts';

const engine = useEngine();

/** y[j] = x[start + step j] where that lies in x, else `value`. */
function windowTwin(x: Tensor, shape: readonly number[], start: readonly number[], step: readonly number[], value = 0): Twin {
  const source = Array.from({ length: count(shape) }, (_, i) => {
    let [at, stride] = [0, 1];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const position = start[axis]! + (i % shape[axis]!) * step[axis]!;
      if (position < 0 || position >= x.shape[axis]!) return -1;
      at += position * stride;
      stride *= x.shape[axis]!;
      i = Math.floor(i / shape[axis]!);
    }
    return at;
  });
  return {
    y: Sum.of(shape, (i) => (source[i]! < 0 ? value : x.data[source[i]!]!)),
    dx(dy) {
      const dx = new Sum(x.shape);
      source.forEach((at, i) => at >= 0 && dx.add(at, dy[i]!));
      return [dx];
    },
  };
}

interface SliceCase {
  readonly x: readonly number[];
  readonly start: readonly number[];
  readonly size: readonly number[];
  readonly step: readonly number[];
}

function sliceSubject({ x: shape, ...attributes }: SliceCase): { subject: Subject; twin: Twin } {
  const x = random(shape, 1);
  const taken = attributes.size.map((size, axis) => size || shape[axis]!);
  return { subject: { op: 'slice', attributes, x: [x] }, twin: windowTwin(x, taken, attributes.start, attributes.step) };
}

interface PadCase {
  readonly x: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly value?: number;
  readonly mode?: 'reflect' | 'edge';
}

function padTwin(x: Tensor, { before, after, value = 0 }: PadCase): Twin {
  const padded = x.shape.map((size, axis) => size + before[axis]! + after[axis]!);
  return windowTwin(x, padded, before.map((n) => -n), padded.map(() => 1), Math.fround(value));
}

function padSubject(c: PadCase): { subject: Subject; twin: Twin } {
  const { x: shape, ...attributes } = c;
  const x = random(shape, 1);
  return { subject: { op: 'pad', attributes, x: [x] }, twin: c.mode ? foldTwin(x, c) : padTwin(x, c) };
}

/** y[j] = x[fold(j - before)]; whatever lies outside of x is walked back into it, step by step. */
function foldTwin(x: Tensor, { before, after, mode }: PadCase): Twin {
  const shape = x.shape.map((size, axis) => size + before[axis]! + after[axis]!);
  const fold = (at: number, size: number): number => {
    if (mode === 'edge') return at < 0 ? 0 : at >= size ? size - 1 : at;
    let [place, way] = [0, 1];
    for (let walked = 0; walked < Math.abs(at); walked++) {
      if (place + way >= size || place + way < 0) way = -way;
      place += way;
    }
    return place;
  };
  const source = Array.from({ length: count(shape) }, (_, i) => {
    let [at, stride] = [0, 1];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += fold((i % shape[axis]!) - before[axis]!, x.shape[axis]!) * stride;
      stride *= x.shape[axis]!;
      i = Math.floor(i / shape[axis]!);
    }
    return at;
  });
  return {
    y: Sum.of(shape, (i) => x.data[source[i]!]!),
    dx(dy) {
      const dx = new Sum(x.shape);
      source.forEach((at, i) => dx.add(at, dy[i]!));
      return [dx];
    },
  };
}

const exact = { exact: true, exactGradient: true };

describe('slice against plain loops, and the adjoint identity', () => {
  test.each<SliceCase>([
    { x: [1], start: [0], size: [1], step: [1] },
    { x: [13], start: [2], size: [4], step: [3] },
    { x: [3, 5, 7, 11], start: [0, 1, 2, 3], size: [0, 3, 5, 7], step: [1, 1, 1, 1] },
    { x: [2, 7, 9, 8], start: [0, 0, 0, 1], size: [0, 3, 3, 4], step: [1, 3, 4, 2] },
    { x: [3, 2, 5, 5], start: [1, 0, 0, 0], size: [2, 0, 0, 0], step: [1, 1, 1, 1] },
    { x: [4, 6], start: [1, 5], size: [2, 1], step: [2, 7] },
    { x: [2, 3, 4], start: [0, 0, 0], size: [0, 0, 0], step: [1, 1, 1] },
    { x: [5], start: [4], size: [5], step: [-1] },
    { x: [1, 3, 5, 4], start: [0, 2, 0, 3], size: [0, 0, 0, 0], step: [1, -1, 1, -1] },
    { x: [11, 7, 5], start: [9, 5, 0], size: [3, 6, 2], step: [-4, -1, 3] },
  ])('$x from $start, $size by $step', async (c) => {
    const { subject, twin } = sliceSubject(c);
    expectAdjoint(subject, await prove(engine(), subject, twin, exact), twin);
  });

  test('gradients of two branches', async () => {
    const { subject, twin } = sliceSubject({ x: [2, 7, 9], start: [0, 1, 0], size: [0, 3, 4], step: [1, 2, 2] });
    await prove(engine(), subject, twin, { twice: true, ...exact });
  });
});

describe('pad against plain loops, and the adjoint identity', () => {
  test.each<PadCase>([
    { x: [1], before: [0], after: [0] },
    { x: [5], before: [3], after: [7], value: -1.5 },
    { x: [2, 3, 5, 7], before: [0, 0, 1, 2], after: [0, 0, 3, 0] },
    { x: [2, 3, 5, 7], before: [1, 2, 0, 0], after: [0, 1, 0, 0], value: 0.1 },
    { x: [1, 2, 9, 8], before: [0, 0, -2, 1], after: [0, 0, 1, -3], value: 4 },
    { x: [2, 4, 3], before: [0, -1, -1], after: [0, -1, -1] },
  ])('$x, $before before and $after after, $value', async (c) => {
    const { subject, twin } = padSubject(c);
    const outcome = await prove(engine(), subject, twin, exact);
    const zeros = { shape: c.x, data: new Float32Array(count(c.x)) };
    expectAdjoint(subject, outcome, twin, dot(padTwin(zeros, c).y.values, outcome.dy.data).value);
  });

  test('gradients of two branches', async () => {
    const { subject, twin } = padSubject({ x: [2, 3, 4], before: [0, 1, 2], after: [0, 0, 1] });
    await prove(engine(), subject, twin, { twice: true, ...exact });
  });
});

describe('pad by mirror image and by edge against plain loops, and the adjoint identity', () => {
  test.each<PadCase>([
    { mode: 'reflect', x: [5], before: [4], after: [4] },
    { mode: 'reflect', x: [2], before: [1], after: [1] },
    { mode: 'reflect', x: [2, 3, 5, 7], before: [0, 0, 1, 6], after: [0, 0, 4, 0] },
    { mode: 'reflect', x: [3, 2, 4, 3], before: [2, 1, 0, 2], after: [1, 0, 3, 1] },
    { mode: 'reflect', x: [1, 1, 3, 1], before: [0, 0, 2, 0], after: [0, 0, 1, 0] },
    { mode: 'edge', x: [1], before: [3], after: [2] },
    { mode: 'edge', x: [4, 3], before: [5, 0], after: [0, 7] },
    { mode: 'edge', x: [2, 3, 5, 7], before: [0, 0, 2, 9], after: [0, 0, 7, 1] },
    { mode: 'edge', x: [2, 1, 3, 2], before: [1, 2, 0, 1], after: [2, 1, 3, 0] },
    { mode: 'edge', x: [2, 3], before: [0, 0], after: [0, 0] },
  ])('$mode, $x, $before before and $after after', async (c) => {
    const { subject, twin } = padSubject(c);
    expectAdjoint(subject, await prove(engine(), subject, twin, { exact: true }), twin);
  });

  test.each(['reflect', 'edge'] as const)('%s, gradients of two branches', async (mode) => {
    const { subject, twin } = padSubject({ mode, x: [2, 3, 4], before: [0, 1, 2], after: [0, 0, 1] });
    await prove(engine(), subject, twin, { twice: true });
  });
});

test.each([
  ['past the end', { op: 'slice', attributes: { start: [2], size: [3], step: [1] }, x: [random([4], 1)] }, 'do not lie in'],
  ['before the beginning', { op: 'slice', attributes: { start: [1], size: [3], step: [-1] }, x: [random([4], 1)] }, 'do not lie in'],
  ['backwards from past the end', { op: 'slice', attributes: { start: [4], size: [2], step: [-1] }, x: [random([4], 1)] }, 'do not lie in'],
  ['step 0', { op: 'slice', attributes: { start: [0], size: [2], step: [0] }, x: [random([4], 1)] }, 'do not lie in'],
  ['too few entries', { op: 'slice', attributes: { start: [0], size: [2], step: [1] }, x: [random([4, 2], 1)] }, 'one entry per axis'],
  ['nothing is left', { op: 'pad', attributes: { before: [-2], after: [-2] }, x: [random([4], 1)] }, 'nothing is left'],
  ['a mode that is none', { op: 'pad', attributes: { before: [1], after: [1], mode: 'wrap' }, x: [random([4], 1)] }, "no mode 'wrap'"],
  ['a mirror image that is too small', { op: 'pad', attributes: { before: [1], after: [4], mode: 'reflect' }, x: [random([4], 1)] }, 'has 3, asked for 4'],
  ['a mirror image of one element', { op: 'pad', attributes: { before: [1], after: [0], mode: 'reflect' }, x: [random([1], 1)] }, 'has 0, asked for 1'],
  ['an edge that crops', { op: 'pad', attributes: { before: [-1], after: [2], mode: 'edge' }, x: [random([4], 1)] }, 'cannot crop'],
  ['five axes', { op: 'pad', attributes: { before: [0, 0, 0, 0, 0], after: [0, 0, 0, 0, 0] }, x: [random([1, 1, 1, 1, 1], 1)] }, 'at most 4 axes'],
])('%s: refused', async (_, subject, message) => {
  await expect(run(engine(), subject)).rejects.toThrow(message);
});

describe('a planted bug in slice or pad is noticed', () => {
  const slice = sliceSubject({ x: [2, 7, 9], start: [0, 1, 0], size: [0, 3, 4], step: [1, 2, 2] });
  const backwards = sliceSubject({ x: [2, 7, 9], start: [1, 6, 8], size: [0, 3, 4], step: [-1, -2, -2] });
  const pad = padSubject({ x: [2, 3, 4], before: [0, 1, 2], after: [0, 0, 1], value: 2 });
  const mirror = padSubject({ mode: 'reflect', x: [2, 4, 5], before: [0, 1, 3], after: [0, 2, 1] });
  const edge = padSubject({ mode: 'edge', x: [2, 4, 5], before: [0, 1, 3], after: [0, 2, 1] });
  const bugs: readonly (PlantedBug & { readonly of: typeof slice; readonly twice?: boolean })[] = [
    { name: 'slice ignores the step', of: slice, pass: 'forward', find: '+ j2 * 2', replace: '+ j2 * 1' },
    { name: 'slice starts one late', of: slice, pass: 'forward', find: 'let s2 = 1', replace: 'let s2 = 2' },
    { name: 'slice spreads the gradient between the samples', of: slice, pass: 'backward', find: '&& d3 % 2 == 0', replace: '' },
    { name: 'slice backwards takes the gradient of what lies ahead', of: backwards, pass: 'backward', find: 'd3 <= 0', replace: 'd3 >= 0' },
    { name: 'slice forgets the gradient of a branch', of: slice, pass: 'backward', find: '= dx[i] +', replace: '=', twice: true },
    { name: 'pad fills with zero', of: pad, pass: 'forward', find: 'var value = (2.0f)', replace: 'var value = 0.0' },
    { name: 'pad reads across the edge', of: pad, pass: 'forward', find: 's3 >= 0 &&', replace: '' },
    { name: 'the mirror image repeats the border', of: mirror, pass: 'forward', find: 'abs(j3 - 3)', replace: 'abs(j3 - 3) - 1' },
    { name: 'the mirror image forgets the gradient at the end', of: mirror, pass: 'backward', find: 'k3 < 3', replace: 'k3 < 2' },
    { name: 'the border of a mirror image counts twice', of: mirror, pass: 'backward', find: '(j3 == 0 || s3 < 0)', replace: '(s3 < 0)' },
    { name: 'the mirror image forgets the gradient of a branch', of: mirror, pass: 'backward', find: '= dx[i] +', replace: '=', twice: true },
    { name: 'the edge is one element short', of: edge, pass: 'forward', find: 'clamp(j3 - 3, 0, 4)', replace: 'clamp(j3 - 3, 0, 3)' },
    { name: 'the edge keeps the gradient of one element', of: edge, pass: 'backward', find: /select\(j3 \+ 3, 0, /, replace: 'select(j3 + 3, 3, ' },
    { name: 'pad mistakes the place of the gradient', of: pad, pass: 'backward', find: 'j3 - -2', replace: 'j3 - -1' },
  ];
  test.each(bugs)('$name', async ({ of: { subject, twin }, twice = false, ...bug }) => {
    await expectCaught(engine(), subject, twin, bug, { twice, ...exact });
  });
});
