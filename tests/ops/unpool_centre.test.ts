/** Max pooling whose gradient goes back without switches: to the centre of each window. */
import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../src/network/network.ts';
import { compile } from '../../src/scheduler/compile.ts';
import { network, node } from '../scheduler/networks.ts';
import { useEngine } from '../gpu.ts';
import { expectCaught, prove, run, type PlantedBug, type Subject, type Twin } from './harness.ts';
import { count, dot, filled, random, Sum } from './reference.ts';
import { POOL_CASES, poolWindows, type PoolCase } from './windows.ts';

const engine = useEngine();

/** The input at the centre of every window: of the taps inside the image the one nearest to the window's middle, to the upper left of two; -1 where there is none. */
function centres(c: PoolCase): Int32Array {
  const { shape, visit } = poolWindows(c);
  const [KH, KW] = c.kernel;
  const centre = new Int32Array(count(shape)).fill(-1);
  const distance = new Float64Array(count(shape)).fill(Infinity);
  let tap = 0;
  visit((output, input) => {
    const [ky, kx] = [Math.floor(tap / KW), tap % KW];
    tap = (tap + 1) % (KH * KW);
    const away = Math.abs(ky - Math.floor((KH - 1) / 2)) + Math.abs(kx - Math.floor((KW - 1) / 2));
    if (input < 0 || away >= distance[output]!) return;
    centre[output] = input;
    distance[output] = away;
  });
  return centre;
}

/** y = the largest tap; dx = dy at the centres, which is the transpose of reading them. */
function twinOf(x: ArrayLike<number>, c: PoolCase): Twin {
  const { shape, visit } = poolWindows(c);
  const y = new Float64Array(count(shape)).fill(-3.4028234663852886e38);
  visit((output, input) => {
    if (input >= 0) y[output] = Math.max(y[output]!, x[input]!);
  });
  return {
    y: Sum.of(shape, (i) => y[i]!),
    dx(dy) {
      const dx = new Sum(c.x);
      centres(c).forEach((input, output) => {
        if (input >= 0) dx.add(input, dy[output]!);
      });
      return [dx];
    },
  };
}

const subjectOf = ({ x: _, ...attributes }: PoolCase, x: Tensor): Subject => ({ op: 'max_pool', attributes, x: [x] });

describe('max_pool without switches against plain loops', () => {
  const names = [
    'one pixel', '2x2 by 2, the last row and column left out', '3x3 by 2, ceil', '3x3 by 1, padded', 'ceil with asymmetric padding', 'stride larger than the kernel, ceil', 'dilated',
    'dilated, ceil', 'kernel larger than the image', 'one row of pixels', 'a border wider than the first window', 'windows too large to unroll, dilated, ceil',
  ];
  test.each(names)('%s', async (name) => {
    const c = POOL_CASES[name]!;
    const x = random(c.x, 1);
    const { dx, dy } = await prove(engine(), subjectOf(c, x), twinOf(x.data, c), { switches: false, exact: true });
    // <centres of x, dy> = <x, dx>
    const read = Float32Array.from(centres(c), (input) => (input < 0 ? 0 : x.data[input]!));
    const [left, right] = [dot(read, dy.data), dot(x.data, dx[0]!.data)];
    expect(Math.abs(left.value - right.value)).toBeLessThanOrEqual(1e-6 * (1 + left.magnitude));
  });

  test('gradients of two branches', async () => {
    const c = POOL_CASES['3x3 by 2, ceil']!;
    const x = random(c.x, 2);
    await prove(engine(), subjectOf(c, x), twinOf(x.data, c), { switches: false, exact: true, twice: true });
  });

  test('the window of a whole plane', async () => {
    const x = random([2, 3, 5, 4], 3);
    const { dx, dy } = await run(engine(), { op: 'global_max_pool', x: [x] }, { switches: false });
    expect(dx[0]!.data).toEqual(filled(x.shape, (i) => (i % 20 === 2 * 4 + 1 ? dy.data[Math.floor(i / 20)]! : 0)).data);
  });
});

test('nobody keeps which tap won', () => {
  const nodes = [node('a', 'max_pool', ['x'], { kernel: [2, 2], stride: [2, 2] }), node('b', 'global_max_pool', ['a.y'])];
  const kept = (switches: boolean): number => {
    const plan = compile(network({ x: [1, 2, 6, 6] }, nodes), { layers: ['b'], backward: { from: 'b', rule: 'gradient', switches }, capabilities: engine().capabilities });
    return [...plan.passes.values()].flat().filter(({ code }) => code.includes('winner')).length;
  };
  expect([kept(true), kept(false)]).toEqual([4, 0]);
});

describe('a planted bug in unpool_centre is noticed', () => {
  const padded: PoolCase = { x: [1, 2, 7, 6], kernel: [3, 3], stride: [2, 2], padding: [2, 2, 2, 2] };
  const even: PoolCase = { x: [1, 2, 8, 6], kernel: [4, 2], stride: [2, 2] };
  const bugs: readonly (PlantedBug & { readonly twice?: boolean; readonly in?: PoolCase })[] = [
    { name: 'the centre of an even window is to the lower right', find: /clamp\(1u/, replace: 'clamp(2u', in: even },
    { name: 'a centre before the image is lost', find: /let first = .*;/, replace: 'let first = 0u;' },
    { name: 'a centre past the image is lost', find: /let last = .*;/, replace: 'let last = 99u;' },
    { name: 'the columns are not asked', find: ' && kx == centreX(ox)', replace: '' },
    { name: 'the gradient of a branch is forgotten', find: /= dx\[.*?\] \+/, replace: '=', twice: true },
  ];
  test.each(bugs)('$name', async ({ twice = false, in: c = padded, ...bug }) => {
    const x = random(c.x, 1);
    await expectCaught(engine(), subjectOf(c, x), twinOf(x.data, c), { ...bug, kernel: 'unpool_centre' }, { switches: false, exact: true, twice });
  });
});
