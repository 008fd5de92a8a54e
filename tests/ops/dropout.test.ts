import { describe, expect, test } from 'vitest';
import { compile } from '../../src/scheduler/compile.ts';
import { useEngine } from '../gpu.ts';
import { prove, run, type Twin } from './harness.ts';
import { learn, type Learner, type LearningOptions } from './learning_run.ts';
import { count, filled, mismatches, random, Sum } from './reference.ts';

const engine = useEngine();

/** FNV-1a of the layer's name. */
function layerOf(name: string): number {
  let hash = 0x811c9dc5;
  for (const letter of name) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193);
  return hash;
}

/** The finalizer of MurmurHash3. */
function scramble(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** y = x / (1 - rate) where the hash of seed, step, layer and index is large enough, else 0. */
function dropoutTwin(x: ArrayLike<number>, shape: readonly number[], rate: number, { step = 3, seed = 5, name = 'layer' } = {}): Twin & { kept: boolean[] } {
  const key = scramble(step ^ scramble(seed ^ layerOf(name)));
  const kept = Array.from({ length: count(shape) }, (_, i) => scramble(key ^ i) >= Math.round(rate * 2 ** 32));
  const masked = (values: ArrayLike<number>): Sum => Sum.of(shape, (i) => (kept[i] ? values[i]! / (1 - rate) : 0), 2);
  return { y: masked(x), dx: (dy) => [masked(dy)], kept };
}

const SHAPES = [[1], [3, 5], [9], [12], [2, 7, 11], [2, 3, 4, 4], [7, 77], [3, 516]];
const subjectOf = (shape: readonly number[], rate = 0.3, name?: string): Learner => ({ op: 'dropout', attributes: { rate }, x: random(shape, 1), ...(name && { name }) });
const bits = ({ data }: { readonly data: Float32Array }): number[] => [...new Uint32Array(data.buffer, data.byteOffset, data.length)];

async function differencesOf(subject: Learner, options: LearningOptions = {}): Promise<string[]> {
  const { x, attributes, name } = subject;
  const found = await learn(engine(), subject, options);
  const twin = dropoutTwin(x.data, x.shape, attributes!['rate'] as number, { ...options, ...(name && { name }) });
  const dx = twin.dx(found.dy.data)[0]!;
  if (options.gradient === 'added') found.before.data.forEach((value, i) => dx.add(i, value));
  return [...mismatches('y', found.y, twin.y), ...mismatches('dx', found.dx!, dx)];
}

describe('dropout while learning against plain loops', () => {
  test.each(SHAPES.map((shape) => ({ shape })))('$shape', async ({ shape }) => expect(await differencesOf(subjectOf(shape))).toEqual([]));
  test.each([0, 0.5, 0.999])('rate %d', async (rate) => expect(await differencesOf(subjectOf([3, 20], rate))).toEqual([]));
  test.each([[3, 5], [3, 8]])('gradient of a branch, [%i, %i]', async (...shape) => expect(await differencesOf(subjectOf(shape), { gradient: 'added' })).toEqual([]));
  test('large clocks, another layer', async () => {
    expect(await differencesOf(subjectOf([3, 20], 0.5, 'fc6/drop'), { step: 4294967295, seed: 2147483648 })).toEqual([]);
  });
});

describe('what is dropped', () => {
  const ones = { ...subjectOf([8, 512], 0.3), x: filled([8, 512], () => 1) };
  const maskOf = async (options: LearningOptions = {}, learner: Learner = ones): Promise<number[]> => [...(await learn(engine(), learner, options)).y.data].map((value) => (value > 0 ? 1 : 0));
  const agreement = (a: readonly number[], b: readonly number[]): number => a.filter((value, i) => value === b[i]).length / a.length;

  test('is as much as asked for, and is another part at another step, seed or layer', async () => {
    const masks = [await maskOf(), await maskOf({ step: 4 }), await maskOf({ seed: 6 }), await maskOf({}, { ...ones, name: 'other' })];
    // Standard errors: sqrt(0.3 0.7 / 4096) = 0.007 of the share, sqrt(0.58 0.42 / 4096) = 0.008 of the agreement.
    for (const mask of masks) expect(Math.abs(mask.reduce((a, b) => a + b) / mask.length - 0.7)).toBeLessThan(0.029);
    masks.forEach((a, i) => masks.slice(0, i).forEach((b) => expect(Math.abs(agreement(a, b) - 0.58)).toBeLessThan(0.031)));
    const neighbours = masks[0]!.slice(1);
    expect(Math.abs(agreement(masks[0]!.slice(0, -1), neighbours) - 0.58)).toBeLessThan(0.031);
  });

  test('is the same in equal runs, and in both directions', async () => {
    const [a, b] = [await learn(engine(), ones), await learn(engine(), ones)];
    expect([bits(a.y), bits(a.dx!)]).toEqual([bits(b.y), bits(b.dx!)]);
    expect(a.y.data.every((value, i) => value > 0 === (a.dx!.data[i] !== 0))).toBe(true);
  });
});

describe('at inference', () => {
  test.each([[1], [3, 5], [2, 3, 4, 4]].map((shape) => ({ shape })))('the identity, $shape', async ({ shape }) => {
    const x = random(shape, 1);
    const twin: Twin = { y: Sum.of(shape, (i) => x.data[i]!), dx: (dy) => [Sum.of(shape, (i) => dy[i]!)] };
    await prove(engine(), { op: 'dropout', x: [x] }, twin, { exact: true, exactGradient: true });
    await prove(engine(), { op: 'dropout', x: [x] }, twin, { exact: true, exactGradient: true, twice: true });
  });

  test('between layers it takes no step', () => {
    const layer = (name: string, op: string, from: string) => ({ name, output: name, op, inputs: [from], attributes: {}, weights: {} });
    const network = { name: 'net', inputs: [{ name: 'x', shape: [2, 3, 16, 16] }], nodes: [layer('a', 'sigmoid', 'x'), layer('drop', 'dropout', 'a'), layer('b', 'sigmoid', 'drop')], outputs: ['b'] };
    const plan = compile(network, { layers: ['b'], backward: { from: 'b', rule: 'gradient' }, capabilities: engine().capabilities });
    expect([...plan.passes.values()].flat().filter(({ label }) => label.startsWith('drop'))).toEqual([]);
  });

  test.each([1, -0.1])('a rate of %d is refused', async (rate) => {
    await expect(run(engine(), { op: 'dropout', attributes: { rate }, x: [random([2, 3], 1)] })).rejects.toMatchObject({ code: 'model-invalid' });
  });
});

describe('a planted bug in dropout is noticed', () => {
  test.each<[string, RegExp, string, LearningOptions?]>([
    ['what is kept is not scaled up', /\* \(\d\.\d+f\)/g, '* 1.0'],
    ['the step is left out', /clock\[0\] \^ /g, ''],
    ['the seed is left out', /clock\[1\] \^ /g, ''],
    ['four neighbours share a fate', /vec4u\(0u, 1u, 2u, 3u\)/g, 'vec4u(0u)'],
    ['the gradient of a branch is forgotten', /= dx\[.*?\] \+/g, '=', { gradient: 'added' }],
  ])('%s', async (_, find, replace, options = {}) => {
    let changed = 0;
    const mutate = (code: string): string => {
      const mutated = code.replace(find, replace);
      if (mutated !== code) changed++;
      return mutated;
    };
    const found = await differencesOf(subjectOf([3, 20]), { ...options, mutate });
    expect(changed).toBeGreaterThan(0);
    expect(found).not.toEqual([]);
  });
});
