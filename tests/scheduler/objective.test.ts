/** The kernels of the objectives against plain float64 loops, their gradients against central differences, and bugs planted in them. */
import { describe, expect, test } from 'vitest';
import { EVERYWHERE } from '../../shaders/objective_places.wgsl.ts';
import type { Tensor } from '../../src/network/network.ts';
import { PlanBuilder } from '../../src/scheduler/builder.ts';
import { recordScores, recordSeeds, type Summand } from '../../src/scheduler/objective.ts';
import { useEngine } from '../gpu.ts';
import { runGuarded } from '../ops/harness.ts';
import { count, dot, filled, mismatches, random, Sum } from '../ops/reference.ts';

const engine = useEngine();

/** A summand with what differs by image. */
interface Given {
  readonly summand: Summand;
  readonly weight: readonly number[];
  readonly v?: Tensor;
  readonly place?: readonly number[];
}

interface Outcome {
  readonly score: Sum;
  readonly dy: Sum;
}

type Shape = readonly number[];
type Mutate = (code: string, kernel: string) => string;

const sizesOf = ([batch, channels, ...rest]: Shape): { batch: number; channels: number; plane: number } => ({ batch: batch!, channels: channels!, plane: count(rest) });

/** Adds a value that an error of `size` and of `terms` roundings may come with. */
function note(sum: Sum, at: number, value: number, size: number, terms: number): void {
  sum.values[at]! += value;
  sum.magnitudes[at]! += size;
  sum.terms[at]! += terms;
}

/** f, and the gradient of it, at one place of one image. */
function placeTwin({ kind, power: k }: Summand, y: readonly number[], v: readonly number[]): { f: number; size: number; pull: (c: number) => { value: number; size: number } } {
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  const square = sum(y.map((value) => value * value));
  if (kind === 'energy') return { f: square, size: square, pull: (c) => ({ value: 2 * y[c]!, size: 2 * Math.abs(y[c]!) }) };
  if (kind === 'distance') {
    const f = sum(y.map((value, c) => (value - v[c]!) ** 2));
    return { f, size: sum(y.map((value, c) => value ** 2 + v[c]! ** 2)), pull: (c) => ({ value: 2 * (y[c]! - v[c]!), size: 2 * Math.abs(y[c]!) + 2 * Math.abs(v[c]!) }) };
  }
  const d = sum(y.map((value, c) => value * v[c]!));
  const size = sum(y.map((value, c) => Math.abs(value * v[c]!)));
  if (k === 0) return { f: d, size, pull: (c) => ({ value: v[c]!, size: Math.abs(v[c]!) }) };
  const length = Math.sqrt(square * sum(v.map((value) => value * value)));
  const cosine = length > 0 ? d / length : 0;
  const lift = Math.max(cosine, 0.1) ** k;
  const near = cosine > 0.1;
  return {
    f: d * lift,
    size: size * (k + 1),
    pull: (c) => ({
      value: near ? (k + 1) * lift * v[c]! - (k * d * lift * y[c]!) / square : lift * v[c]!,
      size: (k + 1) ** 2 * (Math.abs(v[c]!) + (near ? Math.abs((d * y[c]!) / square) : 0)),
    }),
  };
}

function diversityTwin(y: ArrayLike<number>, shape: Shape, weight: readonly number[], { score, dy }: Outcome): void {
  const { batch, channels, plane } = sizesOf(shape);
  const value = (n: number, c: number, p: number): number => y[(n * channels + c) * plane + p]!;
  const range = (size: number): number[] => Array.from({ length: size }, (_, i) => i);
  const grams = range(batch).map((n) => range(channels * channels).map((e) => range(plane).reduce((sum, p) => sum + value(n, Math.floor(e / channels), p) * value(n, e % channels, p), 0)));
  const norms = grams.map((gram) => Math.sqrt(gram.reduce((sum, g) => sum + g * g, 0)));
  const unit = grams.map((gram, n) => gram.map((g) => (norms[n]! > 0 ? g / norms[n]! : 0)));
  const cosine = (n: number, m: number): number => unit[n]!.reduce((sum, g, e) => sum + g * unit[m]![e]!, 0);
  const terms = channels * channels * plane;
  for (let n = 0; n < batch; n++) {
    const others = range(batch).filter((m) => m !== n);
    note(score, n, (-weight[n]! / (batch - 1)) * others.reduce((sum, m) => sum + cosine(n, m), 0), Math.abs(weight[n]!), terms);
    if (norms[n] === 0) continue;
    for (let c = 0; c < channels; c++) {
      for (let p = 0; p < plane; p++) {
        const at = (n * channels + c) * plane + p;
        for (const m of others) {
          const factor = (-2 * (weight[n]! + weight[m]!)) / (batch - 1) / norms[n]!;
          for (let other = 0; other < channels; other++) {
            const [a, b] = [unit[m]![c * channels + other]!, cosine(n, m) * unit[n]![c * channels + other]!];
            note(dy, at, factor * (a - b) * value(n, other, p), Math.abs(factor * value(n, other, p)) * (Math.abs(a) + Math.abs(b)), plane);
          }
        }
      }
    }
  }
}

function twin(y: ArrayLike<number>, shape: Shape, given: readonly Given[]): Outcome {
  const { batch, channels, plane } = sizesOf(shape);
  const outcome = { score: new Sum([batch]), dy: new Sum(shape) };
  for (const { summand, weight, v, place } of given) {
    if (summand.kind === 'diversity') diversityTwin(y, shape, weight, outcome);
    else {
      for (let n = 0; n < batch; n++) {
        const chosen = place?.[n] ?? EVERYWHERE;
        for (let p = 0; p < plane; p++) {
          if (chosen !== EVERYWHERE && chosen !== p) continue;
          const share = weight[n]! / (summand.kind === 'energy' ? channels * plane : summand.kind === 'direction' && chosen === EVERYWHERE ? plane : 1);
          const at = (c: number): number => (n * channels + c) * plane + p;
          const own = Array.from({ length: channels }, (_, c) => y[at(c)]!);
          const along = Array.from({ length: channels }, (_, c) => v?.data[summand.kind === 'distance' ? at(c) : n * channels + c] ?? 0);
          const { f, size, pull } = placeTwin(summand, own, along);
          note(outcome.score, n, share * f, Math.abs(share) * size, channels);
          own.forEach((_, c) => {
            const { value, size: bound } = pull(c);
            note(outcome.dy, at(c), share * value, Math.abs(share) * bound, channels);
          });
        }
      }
    }
  }
  return outcome;
}

/** What differs between the kernels and the twin. */
async function check(y: Tensor, given: readonly Given[], { software, mutate }: { readonly software?: boolean; readonly mutate?: Mutate } = {}): Promise<string[]> {
  const e = engine();
  const builder = new PlanBuilder('objective', y.shape[0]!, { ...e.capabilities, ...(software !== undefined && { software }) });
  const layer = builder.persistent('y', y.shape);
  const scores = recordScores(builder, builder.recorder('objective', 'layer', 'objective'), given.map(({ summand }) => summand), () => layer);
  builder.keep('dy', recordSeeds(builder.recorder('backward', 'layer', 'objective'), scores).get('y')!);
  const bits = (values: readonly number[]): Tensor => ({ shape: [values.length], data: new Float32Array(Uint32Array.from(values).buffer) });
  const write: Record<string, Tensor> = { y };
  given.forEach(({ weight, v, place }, k) => {
    write[`weight.${k}`] = { shape: [weight.length], data: Float32Array.from(weight) };
    if (v) write[`v.${k}`] = v;
    if (place) write[`place.${k}`] = bits(place);
  });
  const { tensors } = await runGuarded(e, builder.build(), write, ['score', 'dy'], { mutate: mutate && ((code, kernel) => mutate(code, kernel)) });
  const expected = twin(y.data, y.shape, given);
  const slack = given.some(({ summand }) => summand.power > 0 || summand.kind === 'diversity') ? 8 : 1;
  return [...mismatches('score', tensors.get('score')!, expected.score, { slack }), ...mismatches('dy', tensors.get('dy')!, expected.dy, { slack })];
}

const summandOf = (kind: Summand['kind'], power = 0): Summand => ({ kind, layer: 'y', power });
const weights = (batch: number, seed = 9): number[] => [...random([batch], seed, 0.5, 2).data].map((value, n) => (n % 2 ? -value : value));

/** A summand of every kind for a layer of the shape; every second direction everywhere, the others at a place. */
function direction(shape: Shape, power = 0, seed = 2): Given {
  const { batch, channels, plane } = sizesOf(shape);
  const place = Array.from({ length: batch }, (_, n) => (n % 2 === 0 ? EVERYWHERE : (n * 5) % plane));
  return { summand: summandOf('direction', power), weight: weights(batch), v: random([batch, channels], seed, -0.3, 1), place };
}
const energy = ([batch]: Shape): Given => ({ summand: summandOf('energy'), weight: weights(batch!) });
const distance = (shape: Shape): Given => ({ summand: summandOf('distance'), weight: weights(shape[0]!), v: random(shape, 3) });
const diversity = ([batch]: Shape): Given => ({ summand: summandOf('diversity'), weight: weights(batch!) });

/** No map, a map of one place, primes, more places than a workgroup, more channels than a workgroup. */
const SHAPES: readonly Shape[] = [[1, 1], [3, 5], [2, 3, 1, 1], [3, 7, 5, 3], [2, 4, 9, 11], [2, 131, 2, 1]];
const layerOf = (shape: Shape): Tensor => random(shape, 1, -0.4, 1);

describe.each([['one invocation a place', true], ['a workgroup for a place of many channels', false]] as const)('%s', (_, software) => {
  test.each(SHAPES.map((shape) => ({ shape })))('every kind on $shape', async ({ shape }) => {
    const y = layerOf(shape);
    for (const given of [direction(shape), direction(shape, 1), direction(shape, 4), energy(shape), distance(shape)]) {
      expect(await check(y, [given], { software }), given.summand.kind).toEqual([]);
    }
  });
});

test.each([[[2, 1]], [[2, 3]], [[3, 5, 3, 2]], [[4, 9, 1, 1]], [[2, 2, 7, 11]]])('diversity on [%s]', async (shape) => {
  expect(await check(layerOf(shape), [diversity(shape)])).toEqual([]);
});

test('a layer that is silent in one image neither pulls nor spoils the others', async () => {
  const shape = [3, 4, 2, 3];
  const y = filled(shape, (i) => (i < 24 ? 0 : Math.sin(i)));
  for (const given of [diversity(shape), direction(shape, 2), energy(shape)]) expect(await check(y, [given])).toEqual([]);
});

test('summands of one layer are added', async () => {
  const shape = [3, 5, 4, 3];
  expect(await check(layerOf(shape), [energy(shape), direction(shape), diversity(shape), direction(shape, 2, 4), distance(shape)])).toEqual([]);
});

test('an image without a summand is left alone, whatever its layer holds', async () => {
  const shape = [2, 3, 2, 2];
  const y = filled(shape, (i) => (i < 12 ? 3e38 : i / 10));
  const given = direction(shape, 2);
  expect(await check(y, [{ ...given, weight: [0, 1] }])).toEqual([]);
});

describe('the gradient of the twin is that of central differences:', () => {
  const shape = [3, 4, 3, 2];
  const cases: Record<string, readonly Given[]> = {
    direction: [direction(shape)],
    'direction with a cosine': [direction(shape, 1)],
    'direction with its fourth power': [direction(shape, 4)],
    energy: [energy(shape)],
    distance: [distance(shape)],
    diversity: [diversity(shape)],
    'all of them': [energy(shape), direction(shape, 2), diversity(shape), distance(shape)],
  };
  test.each(Object.entries(cases))('%s', (_, given) => {
    const y = Float64Array.from(layerOf(shape).data);
    const total = (step: number, along: ArrayLike<number>): number => twin(y.map((value, i) => value + step * along[i]!), shape, given).score.values.reduce((a, b) => a + b, 0);
    for (let round = 0; round < 3; round++) {
      const along = random(shape, 50 + round).data;
      const product = dot(twin(y, shape, given).dy.values, along).value;
      expect(Math.abs((total(1e-5, along) - total(-1e-5, along)) / 2e-5 - product)).toBeLessThanOrEqual(1e-7 * (1 + Math.abs(product)));
    }
  });
});

describe('a planted bug is noticed:', () => {
  const shape = [3, 5, 4, 10];
  const wide = [2, 131, 2, 1];
  const bugs: readonly [name: string, kernel: string, find: string | RegExp, replace: string, given: Given, of?: Shape][] = [
    ['the mean became a sum', 'objective_places', /weight\[n\] \* \(0\.\d+f\)/, 'weight[n]', direction(shape)],
    ['the place is ignored', 'objective_places', 'at == chosen', 'true', direction(shape)],
    ['the cosine is not floored', 'objective_places', 'max(cosine, 0.1)', 'max(cosine, 0.01)', direction(shape, 2)],
    ['the power is not differentiated', 'objective_places', 'select(1.0, (3.0f), near)', '1.0', direction(shape, 2)],
    ['a lane of the workgroup is forgotten', 'objective_places', 'part < 64u', 'part < 63u', direction(wide), wide],
    ['the energy pulls by half', 'objective_places', 'vec4f(f, 0.0, 2.0, 0.0)', 'vec4f(f, 0.0, 1.0, 0.0)', energy(shape)],
    ['the distance forgets where it is taken from', 'objective_seed', '(y[i] - v[i])', 'y[i]', distance(shape)],
    ['the seed reads the vector of another image', 'objective_seed', 'v[n * 5u + c]', 'v[c]', direction(shape)],
    ['places past a workgroup are not counted', 'objective_score', 'p < 40u', 'p < 32u', energy(shape)],
    ['an image is like itself', 'objective_diversity', 'if (m != i)', 'if (true)', diversity(shape)],
    ['the other image of a pair is not pulled', 'objective_diversity', '(weight[n] + weight[m])', 'weight[n]', diversity(shape)],
    ['only the other Gram matrix pulls', 'objective_diversity', / - products\[.*?own;/, ';', diversity(shape)],
    ['rows are taken for columns', 'objective_diversity', 'pulls[row + c]', 'pulls[c]', diversity(shape)],
  ];
  test.each(bugs)('%s', async (_, kernel, find, replace, given, of = shape) => {
    let changed = false;
    const mutate: Mutate = (code, name) => {
      const mutated = name === kernel ? code.replace(find, replace) : code;
      changed ||= mutated !== code;
      return mutated;
    };
    const found = await check(layerOf(of), [given], { software: false, mutate }).catch((error: Error) => {
      if (!error.message.includes('past the end')) throw error;
      return [error.message];
    });
    expect(changed, `'${find}' is in no ${kernel}`).toBe(true);
    expect(found).not.toEqual([]);
  });
});
