/** What is watched of a training against float64 loops, over sizes of every kind; and bugs planted in the kernels. */
import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../src/network/network.ts';
import type { TensorRef } from '../../src/ops/op.ts';
import { PlanBuilder } from '../../src/scheduler/builder.ts';
import { recordCopy, recordNorms, recordZeros } from '../../src/scheduler/watch.ts';
import { useEngine } from '../gpu.ts';
import { runGuarded } from '../ops/harness.ts';
import { count, filled, mismatches, random, Sum } from '../ops/reference.ts';
import { expectCaught, type Mutate } from './planted.ts';

const engine = useEngine();


/** Runs what `record` adds over the given tensors, and reads `out` of the given shape. */
async function run(given: Readonly<Record<string, Tensor>>, shape: readonly number[], record: (builder: PlanBuilder, tensors: Record<string, TensorRef>, out: TensorRef) => void, mutate?: Mutate): Promise<Tensor> {
  const builder = new PlanBuilder('watch', 1, engine().capabilities);
  const tensors = Object.fromEntries(Object.entries(given).map(([name, tensor]) => [name, builder.persistent(name, tensor.shape)]));
  record(builder, tensors, builder.persistent('out', shape));
  const { tensors: read } = await runGuarded(engine(), builder.build(), given, ['out'], { mutate });
  return read.get('out')!;
}

const bits = ({ data }: Tensor): Uint32Array => new Uint32Array(data.buffer, data.byteOffset, data.length);

describe('norms', () => {
  /** Every seventh gradient is none in `broken` ones. */
  const operands = (shape: readonly number[], broken = false): Record<'g' | 'w' | 'before', Tensor> => {
    const [g, w, step] = [1, 2, 3].map((seed) => random(shape, seed)) as [Tensor, Tensor, Tensor];
    const odd = [NaN, Infinity, -Infinity];
    return { g: broken ? filled(shape, (i) => (i % 7 === 6 ? odd[i % 3]! : g.data[i]!)) : g, w, before: filled(shape, (i) => w.data[i]! + 0.01 * step.data[i]!) };
  };

  const measure = (given: Record<'g' | 'w' | 'before', Tensor>, mutate?: Mutate): Promise<Tensor> =>
    run(given, [4], (builder, { g, w, before }, out) => recordNorms(builder.recorder('watch', 'layer', 'norms'), { g: g!, w: w!, before: before! }, out), mutate);

  function twin({ g, w, before }: Record<'g' | 'w' | 'before', Tensor>): Sum {
    const sums = new Sum([4]);
    for (let i = 0; i < w.data.length; i++) {
      const finite = Number.isFinite(g.data[i]);
      sums.add(0, finite ? g.data[i]! ** 2 : 0);
      sums.add(1, w.data[i]! ** 2);
      sums.add(2, Math.fround(w.data[i]! - before.data[i]!) ** 2);
      sums.add(3, finite ? 0 : 1);
    }
    return sums;
  }

  const check = async (shape: readonly number[], broken: boolean, mutate?: Mutate): Promise<string[]> => {
    const given = operands(shape, broken);
    return mismatches('out', await measure(given, mutate), twin(given));
  };

  test.each([[1], [4], [7], [3, 5], [24, 3, 7, 7], [1, 2049], [64, 3, 11, 31], [4, 40_001]].map((shape) => ({ shape })))('$shape', async ({ shape }) => {
    expect(await check(shape, false)).toEqual([]);
    expect(await check(shape, true)).toEqual([]);
  });

  test('large numbers, and weights that do not move', async () => {
    const w = filled([3, 5], (i) => (i % 2 ? 1e15 : -1e-15));
    const given = { g: filled([3, 5], () => 0), w, before: w };
    const out = await measure(given);
    expect(mismatches('out', out, twin(given))).toEqual([]);
    expect([out.data[0], out.data[2], out.data[3]]).toEqual([0, 0, 0]);
  });

  test('equal runs give equal bits', async () => {
    const given = operands([64, 3, 11, 31], true);
    expect(bits(await measure(given))).toEqual(bits(await measure(given)));
  });

  test.each([
    ['kept * kept', 'kept'],
    ['kept * kept', 'slope * slope'],
    ['value - before[i]', 'value + before[i]'],
    ['weight += value * value', 'weight = value * value'],
    ['0x7f800000u', '0x7fc00000u'],
    ['i < 825u', 'i < 824u'],
    ['i < 128u; i += 32u', 'i < 96u; i += 32u'],
    ['other < 32u', 'other < 24u'],
    ['other < 8u', 'other < 7u'],
  ])('a planted bug is noticed: %s becomes %s', async (find, replace) => {
    await expectCaught((mutate) => check([3, 1100], true, mutate), find, replace);
  });
});

describe('zeros', () => {
  /** Negative, zero, positive, and now and then no number. */
  const outputs = (shape: readonly number[]): Tensor => {
    const y = random(shape, 5);
    const odd = [NaN, Infinity, -Infinity, -0, 0];
    return filled(shape, (i) => (i % 11 === 7 ? odd[(i / 11) % 5 | 0]! : y.data[i]!));
  };

  async function check(shape: readonly number[], mutate?: Mutate): Promise<string[]> {
    const [batch, channels, ...rest] = shape as [number, number, ...number[]];
    const y = outputs(shape);
    const plane = count(rest);
    const expected = new Uint32Array(channels * 2);
    for (let i = 0; i < batch * channels * plane; i++) {
      const c = Math.floor(i / plane) % channels;
      if (y.data[i]! > 0) expected[2 * c]!++;
      if (!Number.isFinite(y.data[i])) expected[2 * c + 1]!++;
    }
    const out = bits(await run({ y }, [channels, 2], (builder, tensors, target) => recordZeros(builder.recorder('watch', 'layer', 'zeros'), tensors.y!, target), mutate));
    return [...expected].flatMap((value, i) => (out[i] === value ? [] : [`channel ${i >> 1} has ${out[i]}, not ${value}`]));
  }

  test.each([[1, 1], [5, 3], [32, 70], [2, 3, 1, 1], [2, 3, 5, 7], [3, 5, 2, 6], [8, 24, 12, 12], [1, 2, 130, 129]].map((shape) => ({ shape })))('$shape', async ({ shape }) => {
    expect(await check(shape)).toEqual([]);
  });

  test.each([
    ['v > ', 'v >= ', [4, 3, 5, 7]],
    ['0x7fffffffu', '0xffffffffu', [4, 3, 5, 7]],
    ['i < 140u', 'i < 139u', [4, 3, 5, 7]],
    ['* 3u + c', '* 2u + c', [4, 3, 5, 7]],
    ['awake.x + awake.y', 'awake.x + awake.x', [2, 3, 5, 8]],
    ['other < 32u', 'other < 24u', [4, 3, 5, 7]],
  ])('a planted bug is noticed: %s becomes %s', async (find, replace, shape) => {
    await expectCaught((mutate) => check(shape, mutate), find, replace);
  });
});

describe('a copy', () => {
  const check = async (shape: readonly number[], mutate?: Mutate): Promise<string[]> => {
    const x = filled(shape, (i) => [NaN, -0, 1e-45, -Infinity, 3.5][i % 5]! * (i + 1));
    bits(x)[0] = 0x7fa00001; // a signalling NaN
    const y = await run({ x }, shape, (builder, tensors, out) => recordCopy(builder.recorder('watch', 'layer', 'copy'), tensors.x!, out), mutate);
    return [...bits(x)].flatMap((value, i) => (bits(y)[i] === value ? [] : [`[${i}] is ${bits(y)[i]}, not ${value}`]));
  };

  test.each([[1], [4], [3, 5], [16, 3, 7, 7], [4, 40_001]].map((shape) => ({ shape })))('$shape', async ({ shape }) => {
    expect(await check(shape)).toEqual([]);
  });

  test('a planted bug is noticed', async () => {
    await expectCaught((mutate) => check([3, 5], mutate), 'i + 12u < 15u', 'i + 12u < 14u');
  });
});
