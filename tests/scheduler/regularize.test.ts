/** The kernels around the network against plain float64 loops, over sizes of every kind; and bugs planted in them. */
import { describe, expect, test } from 'vitest';
import { PROGRESS, STOP } from '../../shaders/ascent.wgsl.ts';
import { ascentSettings, type AscentSettings } from '../../src/methods/settings.ts';
import type { Tensor } from '../../src/network/network.ts';
import type { PixelUnits } from '../../src/scheduler/regularize.ts';
import { useEngine } from '../gpu.ts';
import { blurTwin } from '../methods/ascent_twin.ts';
import { filled, numbers, random } from '../ops/reference.ts';
import { runLoop, shapeOf, type Loop, type Mutate, type Outcome, type Size } from './regularize_run.ts';

const engine = useEngine();

const MEAN = [123.68, 116.779, 103.939, 110];
const SCALE = [1 / 58.4, 1 / 57.1, 1 / 57.4, 0.5];
const unitsOf = ({ channels }: Size): PixelUnits => ({ mean: MEAN.slice(0, channels), scale: SCALE.slice(0, channels) });

/** Whole quads in every row, in the plane only, nowhere; single pixels; several runs and workgroups. */
const SIZES: Size[] = [
  { batch: 1, channels: 3, height: 8, width: 12 },
  { batch: 3, channels: 3, height: 13, width: 9 },
  { batch: 2, channels: 1, height: 1, width: 1 },
  { batch: 1, channels: 4, height: 2, width: 6 },
  { batch: 2, channels: 3, height: 40, width: 76 },
  { batch: 1, channels: 3, height: 97, width: 75 },
];
const named = (sizes: readonly Size[]): [string, Size][] => sizes.map((size) => [shapeOf(size).join(' x '), size]);

const perImage = (size: Size, settings: Partial<AscentSettings>): AscentSettings[] => Array.from({ length: size.batch }, () => ascentSettings(settings));
const imageOf = (size: Size, seed: number): Tensor => random(shapeOf(size), seed, -300, 300);
const channelOf = ({ channels, height, width }: Size, i: number): number => Math.floor(i / (height * width)) % channels;
const partOf = (size: Size, data: ArrayLike<number>, n: number): number[] => {
  const length = data.length / size.batch;
  return Array.from({ length }, (_, i) => data[n * length + i]!);
};
const norm = (values: readonly number[]): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

/** Lines about the values that differ by more than `bound`; an infinite value and NaN are equal to themselves alone. */
function differing(name: string, actual: ArrayLike<number>, expected: ArrayLike<number>, bound: (value: number) => number = () => 0): string[] {
  const lines: string[] = [];
  for (let i = 0; i < expected.length && lines.length < 5; i++) {
    const [a, b] = [actual[i]!, expected[i]!];
    if (!Object.is(a + 0, b + 0) && !(Math.abs(a - b) <= bound(b))) lines.push(`${name}[${i}] is ${a}, not ${b}`);
  }
  return lines;
}

const relative = (share: number) => (value: number): number => share * Math.abs(value) + 1e-6;

/** Fails unless the change is in a kernel and the comparison sees it; a write past an end is seen as well. */
async function expectCaught(check: (mutate: Mutate) => Promise<string[]>, kernel: string, find: string, replace: string): Promise<void> {
  let changed = false;
  const mutate: Mutate = (code, name) => {
    if (name !== kernel || !code.includes(find)) return code;
    changed = true;
    return code.replaceAll(find, replace);
  };
  const found = await check(mutate).catch((error: Error) => {
    if (!error.message.includes('past the end')) throw error;
    return [error.message];
  });
  expect(changed, `'${find}' is in no ${kernel}`).toBe(true);
  expect(found, `'${replace}' for '${find}' was not noticed`).not.toEqual([]);
}

describe('present and observe', () => {
  /** The clipped image in both units, the progress row, and the snapshots of the first iteration. */
  async function check(size: Size, layer: number, mutate?: Mutate): Promise<string[]> {
    const units = unitsOf(size);
    const image = imageOf(size, 1);
    const start = imageOf(size, 2);
    const y = filled([size.batch, layer], (i) => Math.fround(Math.sin(i * 12.9898) * 7));
    // The maximum twice: the first of them counts.
    for (let n = 0; n < size.batch; n++) for (const at of [3, 3 + 256, layer - 1]) if (at < layer) y.data[n * layer + at] = 8 + n;
    const unit = Array.from({ length: size.batch }, (_, n) => (n % 2 === 0 ? Math.min(3, layer - 1) : 0));
    const loop: Loop = { size, units, settings: perImage(size, {}), image, start, y, unit };
    const seen = await runLoop(engine(), loop, ['present', 'observe'], mutate);
    const clipped = image.data.map((value, i) => Math.min(Math.max(value, Math.fround(-units.mean[channelOf(size, i)]!)), Math.fround(255 - units.mean[channelOf(size, i)]!)));
    const lines = [
      ...differing('image', seen.image, clipped),
      ...differing('x', seen.x, clipped.map((value, i) => value * Math.fround(units.scale[channelOf(size, i)]!))),
    ];
    for (let n = 0; n < size.batch; n++) {
      const xx = partOf(size, clipped, n);
      const x0 = partOf(size, start.data, n);
      const top = partOf(size, y.data, n);
      const argmax = top.indexOf(Math.max(...top));
      const mean = xx.reduce((sum, value) => sum + value, 0) / xx.length;
      const record = [
        top[unit[n]!]!,
        top[argmax]!,
        argmax,
        norm(xx),
        norm(xx.map((value, i) => value - x0[i]!)),
        Math.sqrt(Math.max(norm(xx) ** 2 / xx.length - mean ** 2, 0)),
      ];
      const { score, top: most, argmax: place, norm: length, distance, std } = PROGRESS;
      const row = [score, most, place, length, distance, std].map((word) => seen.progress[n]![word]!);
      lines.push(...differing(`progress of ${n}`, row, record, (value) => 2e-5 * Math.abs(value) + (xx.length === 1 ? 0.05 : 1e-4)));
      lines.push(...differing(`best of ${n}`, partOf(size, seen.best, n), xx));
      const crowned = partOf(size, seen.majority, n);
      lines.push(...differing(`majority of ${n}`, crowned, argmax === unit[n] ? xx : crowned.map(() => NaN)));
    }
    return lines;
  }

  test.each(named(SIZES))('%s', async (_, size) => {
    expect(await check(size, 1000)).toEqual([]);
  });
  test.each([1, 2, 7, 257, 4099, 70_000])('a layer of %i values', async (layer) => {
    expect(await check(SIZES[1]!, layer)).toEqual([]);
  });
  test.each([
    ['present', 'clipped - x0[at]', 'clipped + x0[at]'],
    ['present', 'values += clipped', 'values += v'],
    ['peak', 'v > best', 'v >= best'],
    ['peak', '4u * place[k] + k', '4u * place[k]'],
    ['observe', 'b.y < a.y', 'b.y > a.y'],
    ['observe', 'other < 32u', 'other < 24u'],
    ['snapshot', 'if (improved)', 'if (crowned)'],
  ])('a bug planted in %s is seen: %s', async (kernel, find, replace) => {
    await expectCaught((mutate) => check({ ...SIZES[4]!, batch: 4 }, 1000, mutate), kernel, find, replace);
  });

  test.each(named([SIZES[0]!, SIZES[1]!].map((size) => ({ ...size, batch: 3 }))))('what is not finite stays and stops its image alone: %s', async (_, size) => {
    const image = imageOf(size, 1);
    const length = image.data.length / 3;
    for (const value of [NaN, Infinity, -Infinity]) {
      image.data[length + 5] = value;
      const loop: Loop = { size, units: unitsOf(size), settings: perImage(size, {}), image };
      const seen = await runLoop(engine(), loop, ['present', 'observe']);
      expect(seen.status).toEqual([STOP.running, STOP.notFinite, STOP.running]);
      expect(seen.image[length + 5]).toBe(value);
    }
    const y = filled([3, 9], (i) => (i === 20 ? NaN : i));
    const seen = await runLoop(engine(), { size, units: unitsOf(size), settings: perImage(size, {}), image: imageOf(size, 1), y }, ['present', 'observe']);
    expect(seen.status).toEqual([STOP.running, STOP.running, STOP.notFinite]);
    expect(seen.progress[2]![PROGRESS.argmax]).toBe(8);
  });
});

describe('rate', () => {
  const policies: Partial<AscentSettings>[] = [
    { policy: 'constant', rate: 3 },
    { policy: 'progress', maxRate: 1e8, desired: 2 },
    { policy: 'progress', maxRate: 1e-9, desired: 2 },
    { policy: 'progress01', maxRate: 1e8, early: 0.3, late: 0.1 },
    { policy: 'normalized', rate: 1.5 },
  ];
  /** Every policy, an image each. */
  async function check(each: Size, mutate?: Mutate): Promise<string[]> {
    const size = { ...each, batch: policies.length };
    const units = unitsOf(size);
    const gradient = random(shapeOf(size), 3);
    const settings = policies.map((policy) => ascentSettings(policy));
    const loop: Loop = { size, units, settings, image: imageOf(size, 1), gradient, y: filled([size.batch, 1], () => 0.25) };
    const seen = await runLoop(engine(), loop, ['present', 'observe', 'rate'], mutate);
    const g = gradient.data.map((value, i) => value * units.scale[channelOf(size, i)]!);
    return settings.flatMap((s, n) => {
      const length = norm(partOf(size, g, n));
      const desired = s.policy === 'progress01' ? Math.min(s.early, s.late * 0.75) : s.desired;
      const pixels = Math.sqrt(g.length / size.batch);
      const capped = Math.min(s.maxRate, desired / length ** 2);
      const rate = { constant: s.rate, progress: capped, progress01: capped, normalized: (s.rate * pixels) / length }[s.policy];
      const told = [PROGRESS.gradient, PROGRESS.rate].map((word) => seen.progress[n]![word]!);
      return differing(`gradient and rate of ${n}`, told, [length, rate], (value) => 2e-5 * Math.abs(value));
    });
  }

  test.each(named(SIZES))('%s', async (_, size) => {
    expect(await check(size)).toEqual([]);
  });
  test.each([
    ['measure', 'squares += g * g', 'squares += g'],
    ['rate', 'sum[local] += sum[other]', 'sum[local] += sum[other] * 2.0'],
    ['rate', 'desired / square', 'desired / sqrt(square)'],
  ])('a bug planted in %s is seen: %s', async (kernel, find, replace) => {
    await expectCaught((mutate) => check(SIZES[4]!, mutate), kernel, find, replace);
  });

  test('no gradient, and one that is not finite, stop their image alone', async () => {
    const size = { ...SIZES[1]!, batch: 4 };
    const gradient = random(shapeOf(size), 3);
    const length = gradient.data.length / 4;
    gradient.data.fill(0, 0, length);
    gradient.data[2 * length + 7] = NaN;
    gradient.data[3 * length + 350] = -Infinity;
    const seen = await runLoop(engine(), { size, units: unitsOf(size), settings: perImage(size, {}), image: imageOf(size, 1), gradient }, ['rate']);
    expect(seen.status).toEqual([STOP.noGradient, STOP.running, STOP.notFinite, STOP.notFinite]);
  });
});

describe('ascend and blur', () => {
  const RATE = 2.5;
  /** Radii within and beyond what is unrolled, and longer than some images. */
  const RADII = [0, 0.3, 0.5, 1, 1.25, 2.6, 10];
  /** Every radius, an image each. */
  async function check(each: Size, mutate?: Mutate): Promise<string[]> {
    const size = { ...each, batch: RADII.length };
    const units = unitsOf(size);
    const settings = RADII.map((blurRadius) => ascentSettings({ rate: RATE, decay: 0.125, blurRadius, blurEvery: 1 }));
    const image = imageOf(size, 1);
    const gradient = random(shapeOf(size), 3, -40, 40);
    const seen = await runLoop(engine(), { size, units, settings, image, gradient }, ['rate', 'ascend.blur'], mutate);
    return RADII.flatMap((radius, n) => {
      const g = partOf(size, gradient.data, n);
      const stepped = partOf(size, image.data, n).map((value, i) => 0.875 * (value + RATE * units.scale[channelOf(size, i)]! * g[i]!));
      const expected = radius > 0 ? blurTwin(Float64Array.from(stepped), size, radius) : stepped;
      return differing(`image of radius ${radius}`, partOf(size, seen.image, n), expected, (value) => relative(1e-6)(value) + 3e-4);
    });
  }

  test.each(named(SIZES))('%s', async (_, size) => {
    expect(await check(size)).toEqual([]);
  });
  test.each([
    ['t1 * (v3 + v5)', 't1 * (v4 + v5)'],
    ['-1 - i', '-i'],
    ['v3 = v7', 'v3 = v6'],
    ['d < 8 + reach', 'd < 7 + reach'],
    ['w0 = select', 'w1 = select'],
    ['gain * dx', 'dx'],
    ['* keep', '* 1.0'],
  ])('a bug planted in blur is seen: %s', async (find, replace) => {
    await expectCaught((mutate) => check({ batch: 1, channels: 3, height: 80, width: 76 }, mutate), 'blur', find, replace);
  });

  test.each(named(SIZES))('an image that is not blurred makes the same step, bit for bit, beside one that is: %s', async (_, each) => {
    const size = { ...each, batch: 4 };
    const settings = [
      ascentSettings({ rate: RATE, decay: 0.1 }),
      ascentSettings({ rate: RATE, decay: 0.1, blurRadius: 1, blurEvery: 1 }),
      ascentSettings({ rate: RATE, decay: 0.1, blurRadius: 1, blurEvery: 4 }),
      ascentSettings({ rate: RATE, decay: 0.1, blurRadius: 1, blurEvery: 1, iterations: 3 }),
    ];
    const loop: Loop = { size, units: unitsOf(size), settings, image: imageOf(size, 1), gradient: random(shapeOf(size), 3), step: 3 };
    const plain = await runLoop(engine(), loop, ['rate', 'ascend']);
    const blurred = await runLoop(engine(), loop, ['rate', 'ascend.blur']);
    for (const n of [0, 2, 3]) expect(partOf(size, blurred.image, n)).toEqual(partOf(size, plain.image, n));
    expect(partOf(size, blurred.image, 3)).toEqual(partOf(size, loop.image.data, 3));
    if (each.height * each.width > 1) expect(partOf(size, blurred.image, 1)).not.toEqual(partOf(size, plain.image, 1));
  });
});

describe('clips', () => {
  const KEYS: Record<string, (i: number, draw: ReturnType<typeof numbers>) => number> = {
    'spread': (_, draw) => draw.uniform(-50, 200),
    'all equal': () => 3.25,
    'all zero': () => 0,
    'few different': (_, draw) => draw.integer(-2, 3) / 4,
    'zero by half': (i, draw) => (i % 2 === 0 ? 0 : draw.uniform(0, 1)),
    'of every exponent': (_, draw) => (draw.integer(0, 1) * 2 - 1) * 2 ** draw.uniform(-120, 120),
    'equal but for the lowest bits': (_, draw) => fromBits(0x42c80000 + draw.integer(0, 1023)),
    'equal but for the middle bits': (_, draw) => fromBits(0xc2c80000 + 1024 * draw.integer(0, 511)),
    'two': (i) => (i === 0 ? -7 : 5),
    'so far apart that their difference is rounded': (i) => (i % 2 === 0 ? -1 : 2 ** 25),
  };
  const fromBits = (word: number): number => new Float32Array(Uint32Array.of(word).buffer)[0]!;
  const round = Math.fround;

  /** Every clip by itself, of keys that the image alone makes: numpy's percentile of them, and what is below it is zero. */
  async function check(size: Size, key: string, percentiles: readonly number[], mutate?: Mutate): Promise<string[]> {
    const draw = numbers(7);
    const image = filled(shapeOf(size), (i) => round(KEYS[key]!(i, draw)));
    const settings = Array.from({ length: size.batch }, (_, n) => ascentSettings({ contribution: percentiles[n % percentiles.length]! }));
    // With a gradient of -1 the contribution of a pixel is the sum of its values.
    const loop: Loop = { size, units: { mean: MEAN, scale: [1, 1, 1, 1].slice(0, size.channels) }, settings, image, gradient: filled(shapeOf(size), () => -1) };
    const seen = await runLoop(engine(), loop, ['clip.contribution'], mutate);
    const lines = seen.cleared ? [] : ['the counts are not zero after the pass'];
    const plane = size.height * size.width;
    for (let n = 0; n < size.batch; n++) {
      const xx = partOf(size, image.data, n);
      const keys = Array.from({ length: plane }, (_, i) => {
        let sum = 0;
        for (let c = 0; c < size.channels; c++) sum = round(sum + xx[c * plane + i]!);
        return sum;
      });
      lines.push(...compare(size, n, xx, keys, settings[n]!.contribution, seen));
    }
    return lines;
  }

  function compare(size: Size, n: number, xx: readonly number[], keys: readonly number[], percentile: number, seen: Outcome, roots = false): string[] {
    const now = partOf(size, seen.image, n);
    if (percentile === 0) return differing(`image ${n}`, now, xx);
    const sorted = Float32Array.from(keys).sort();
    const position = (percentile / 100) * (sorted.length - 1);
    const rank = Math.floor(position);
    const [low, high, t] = [sorted[rank]!, sorted[Math.min(rank + 1, sorted.length - 1)]!, position - rank];
    const difference = round(high - low);
    const threshold = round(t >= 0.5 ? high - difference * (1 - t) : low + difference * t);
    // The product with a quarter or a half is not rounded, and nothing is left to the driver.
    // WGSL's square root may be two last places off.
    const between = !roots && (t % 0.25 === 0 || low === high) ? 0 : 2 ** -22 * Math.max(Math.abs(low), Math.abs(high));
    const below = xx.map((value, i) => (keys[i % keys.length]! < seen.threshold[n]! ? 0 : value));
    return [...differing(`threshold ${n} of percentile ${percentile}`, [seen.threshold[n]!], [threshold], () => between), ...differing(`image ${n}`, now, below)];
  }

  const PERCENTILES = [50, 0, 1, 25, 77.7, 99.9, 100, 33.3];
  test.each(Object.keys(KEYS))('numpy\'s percentile of keys that are %s', async (key) => {
    for (const [height, width] of [[1, 1], [1, 2], [8, 16], [13, 9], [67, 61]] as const) {
      expect(await check({ batch: 8, channels: 1, height, width }, key, PERCENTILES), `${height} x ${width}`).toEqual([]);
    }
  });
  test('of sums over channels, and of many', async () => {
    expect(await check({ batch: 2, channels: 3, height: 13, width: 9 }, 'few different', [40, 60])).toEqual([]);
    expect(await check({ batch: 2, channels: 2, height: 128, width: 160 }, 'few different', [40, 60])).toEqual([]);
  });
  test.each([
    ['rank_key', 'sum += -xx[at]', 'sum += xx[at]', 'spread'],
    ['rank_key', 'bin < 2048u', 'bin < 1024u', 'spread'],
    // A rank just behind the last key of a run, or of a bin, belongs to the next one; empty ones are passed all the same.
    ['rank_digit', 'rest >= runs[lane]', '(rest > runs[lane] || runs[lane] == 0u)', 'spread'],
    ['rank_digit', 'rest >= bins[bin]', '(rest > bins[bin] || bins[bin] == 0u)', 'spread'],
    ['rank_digit', 'fraction >= 0.5', 'fraction > 0.5', 'so far apart that their difference is rounded'],
    ['rank_count', 'known > prefix', 'known >= prefix', 'spread'],
    ['rank_count', 'bin < 2048u', 'bin < 1024u', 'spread'],
    ['rank_digit', 'rest + 1u < bins[bin]', 'rest < bins[bin]', 'spread'],
    ['rank_digit', 'larger = prefix | next', 'larger = prefix', 'equal but for the lowest bits'],
    ['cut', '< threshold', '<= threshold', 'few different'],
  ])('a bug planted in %s is seen: %s', async (kernel, find, replace, key) => {
    await expectCaught((mutate) => check({ batch: 8, channels: 1, height: 8, width: 16 }, key, PERCENTILES, mutate), kernel, find, replace);
  });

  /** All clips of a size together, each on what the one before has left. */
  test.each(named(SIZES))('every kind, one after the other: %s', async (_, size) => {
    const units = unitsOf(size);
    const image = filled(shapeOf(size), (i) => ((i * 7919) % 23) - 11);
    const gradient = filled(shapeOf(size), (i) => ((i * 104729) % 17) - 8);
    const settings = perImage(size, { smallValue: 13, smallNorm: 20, contribution: 7, absContribution: 31 });
    const loop: Loop = { size, units: { ...units, scale: units.scale.map(() => 0.5) }, settings, image, gradient };
    let before = image;
    for (const kind of ['smallValue', 'smallNorm', 'contribution', 'absContribution'] as const) {
      const seen = await runLoop(engine(), { ...loop, image: before }, [`clip.${kind}`]);
      const plane = size.height * size.width;
      for (let n = 0; n < size.batch; n++) {
        const xx = partOf(size, before.data, n);
        const g = partOf(size, gradient.data, n);
        const sum = (i: number, term: (at: number) => number): number => Array.from({ length: size.channels }, (_unused, c) => term(c * plane + i)).reduce((a, b) => a + b, 0);
        const keys = {
          smallValue: (): number[] => xx.map(Math.abs),
          smallNorm: (): number[] => Array.from({ length: plane }, (_unused, i) => round(Math.sqrt(sum(i, (at) => xx[at]! ** 2)))),
          contribution: (): number[] => Array.from({ length: plane }, (_unused, i) => sum(i, (at) => -xx[at]! * 0.5 * g[at]!)),
          absContribution: (): number[] => Array.from({ length: plane }, (_unused, i) => Math.abs(sum(i, (at) => -xx[at]! * 0.5 * g[at]!))),
        }[kind]();
        expect(compare(size, n, xx, keys, settings[n]![kind], seen, kind === 'smallNorm'), kind).toEqual([]);
      }
      before = { shape: before.shape, data: seen.image };
    }
    expect(before.data.some((value, i) => value !== image.data[i])).toBe(size.height > 1);
  });

  test('keys that are NaN rank above all others, and an image that does not move keeps all', async () => {
    const size: Size = { batch: 3, channels: 1, height: 8, width: 16 };
    const image = filled(shapeOf(size), (i) => (i % 128 < 30 ? NaN : i % 128));
    const settings = [ascentSettings({ smallValue: 50 }), ascentSettings({ smallValue: 50, iterations: 1 }), ascentSettings({ smallValue: 99 })];
    const seen = await runLoop(engine(), { size, units: unitsOf(size), settings, image }, ['clip.smallValue']);
    // 98 numbers 30 .. 127 below 30 NaN: the rank of 50 % is 63.5.
    expect(seen.threshold[0]).toBe(93.5);
    expect(partOf(size, seen.image, 0)).toEqual(partOf(size, image.data, 0).map((value) => (value < 93.5 ? 0 : value)));
    expect(partOf(size, seen.image, 1)).toEqual(partOf(size, image.data, 1));
    expect(partOf(size, seen.image, 2)).toEqual(partOf(size, image.data, 2));
    expect(seen.cleared).toBe(true);
  });
});
