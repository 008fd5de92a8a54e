import { describe, expect, test } from 'vitest';
import { useEngine } from '../gpu.ts';
import { expectCaught, expectCentralDifferences, prove, run, type PlantedBug, type Subject, type Twin } from './harness.ts';
import { count, filled, random, Sum } from './reference.ts';
import { POOL_CASES, poolWindows, type PoolCase } from './windows.ts';

const engine = useEngine();

type Case = PoolCase & { readonly p: number };

/** y = (sum of |x|^p over the taps inside the image)^(1/p); dx = dy sign(x) (|x| / y)^(p - 1), nothing where y is 0. */
function lpPoolTwin(x: ArrayLike<number>, c: Case): Twin {
  const { p } = c;
  const { shape, visit } = poolWindows(c);
  const sums = new Sum(shape);
  visit((output, input) => input >= 0 && sums.add(output, Math.abs(x[input]!) ** p));
  const norms = sums.values.map((sum) => sum ** (1 / p));
  return {
    // The root divides a relative error by p.
    y: Sum.of(shape, (i) => norms[i]!, c.kernel[0] * c.kernel[1]),
    dx(dy) {
      const dx = new Sum(c.x);
      visit((output, input) => {
        if (input < 0 || norms[output] === 0) return;
        dx.add(input, dy[output]! * Math.sign(x[input]!) * (Math.abs(x[input]!) / norms[output]!) ** (p - 1));
      });
      return [dx];
    },
  };
}

function subjectOf({ x: shape, ...attributes }: Case, x = random(shape, 1)): { subject: Subject; twin: Twin } {
  return { subject: { op: 'lp_pool', attributes, x: [x] }, twin: lpPoolTwin(x.data, { x: shape, ...attributes }) };
}

/** Roots and powers that `pow` makes. */
const POW = { slack: 8 };

describe('lp_pool against plain loops', () => {
  test.each(Object.entries(POOL_CASES))('%s', async (_, c) => {
    const { subject, twin } = subjectOf({ ...c, p: 2 });
    await prove(engine(), subject, twin, { slack: 2 });
  });

  test.each([1, 1.5, 3, 4, 10])('p = %s', async (p) => {
    const { subject, twin } = subjectOf({ x: [2, 3, 7, 8], kernel: [3, 2], stride: [2, 1], padding: [1, 0, 0, 1], p });
    await prove(engine(), subject, twin, POW);
  });

  test.each([1, 2, 3, 2.5])('zeros, whole windows of them too, p = %s', async (p) => {
    const c: Case = { x: [1, 2, 6, 5], kernel: [2, 2], padding: [1, 1, 0, 0], p };
    const x = filled(c.x, (i) => (i < 30 ? 0 : ((i * 7) % 3) - 1));
    const { subject, twin } = subjectOf(c, x);
    const { dx } = await prove(engine(), subject, twin, POW);
    expect([...dx[0]!.data.subarray(0, 30)]).toEqual(Array(30).fill(0));
  });

  test('gradients of two branches', async () => {
    const { subject, twin } = subjectOf({ ...POOL_CASES['3x3 by 2, ceil']!, p: 3 });
    await prove(engine(), subject, twin, { twice: true, ...POW });
  });
});

test.each([1, 2, 3.5])('central differences of the twin, p = %s', (p) => {
  const c: Case = { ...POOL_CASES.dilated!, p };
  // Away from 0, where |x| has a kink.
  const x = filled(c.x, (i) => ((i * 31) % 97 + 5) * (i % 2 ? 0.01 : -0.01));
  expect(count(c.x)).toBeGreaterThan(97);
  expectCentralDifferences((at) => lpPoolTwin(at, c), x);
});

test.each([
  ['p below 1', { kernel: [2, 2], p: 0 }, 'p must be at least 1'],
  ['a window that does not fit', { kernel: [3, 3], p: 2 }, 'does not fit'],
])('%s: refused', async (_, attributes, message) => {
  await expect(run(engine(), { op: 'lp_pool', attributes, x: [random([1, 1, 2, 2], 1)] })).rejects.toThrow(message);
});

describe('a planted bug in lp_pool is noticed', () => {
  const padded: Case = { x: [2, 2, 7, 6], kernel: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1], p: 3 };
  const bugs: readonly (PlantedBug & { readonly twice?: boolean })[] = [
    { name: 'signs are kept', pass: 'forward', find: /abs\((x\[.*\])\);/, replace: '$1;' },
    { name: 'the border is read', pass: 'forward', find: /if \(ix >= \d+u\) \{ continue; \}/, replace: '' },
    { name: 'no root is taken', pass: 'forward', find: /pow\(sum, [^,]*\)/, replace: 'sum' },
    { name: 'the gradient has no sign', pass: 'backward', find: 'sign(value)', replace: '1.0' },
    { name: 'the gradient has one factor too few', pass: 'backward', find: 'share * share', replace: 'share' },
    { name: 'every window counts as one of zeros', pass: 'backward', find: 'whole == 0.0', replace: 'whole >= 0.0' },
    { name: 'the gradient of a branch is forgotten', pass: 'backward', find: /= dx\[.*?\] \+/, replace: '=', twice: true },
  ];
  test.each(bugs)('$name', async ({ twice = false, ...bug }) => {
    const { subject, twin } = subjectOf(padded);
    await expectCaught(engine(), subject, twin, bug, { twice, ...POW });
  });
});
