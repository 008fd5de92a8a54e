/** Fourier transforms on the GPU against their definition, and against each other. */
import { describe, expect, test } from 'vitest';
import type { Shape } from '../../src/network/network.ts';
import { radices, recordInverseFft, recordInverseFftBackward } from '../../src/scheduler/fourier.ts';
import { useEngine } from '../gpu.ts';
import { dot, random } from '../ops/reference.ts';
import { adjointTwin, halfOf, inverseTwin, spectrumTwin, type Planes } from './fourier_twin.ts';
import { expectBugFound, faultsOf, largest, runRecorded, type Bug, type Recording } from './recorded_run.ts';

const engine = useEngine();

type Size = readonly [number, number, number, number];

const spectrumOf = ([n, c, h, w]: Size): Shape => [n, c, h, halfOf(w), 2];
const planesOf = ([n, c, h, w]: Size): Planes => [n * c, h, w];

/** A transform and the adjoint of another one, in one plan. */
function recordingOf(size: Size, gained = false, spectrum = random(spectrumOf(size), 1)): Recording {
  const [, , h, w] = size;
  return {
    given: { spectrum, dimage: random(size, 2), ...(gained && { gain: random([h, halfOf(w)], 3, 0.5, 2) }) },
    wanted: { image: size, dspectrum: spectrumOf(size) },
    record(recorder, { spectrum: x, image, dimage, dspectrum, gain: factors }) {
      recordInverseFft(recorder, { spectrum: x!, image: image!, gain: factors });
      recordInverseFftBackward(recorder, { dimage: dimage!, dspectrum: dspectrum!, gain: factors });
    },
  };
}

/** What is further than a hundred-thousandth of the largest value from the definition. */
function faults({ given }: Recording, size: Size, found: Record<string, Float32Array>): string[] {
  const factor = (i: number): number => given.gain?.data[Math.floor(i / 2) % given.gain.data.length] ?? 1;
  const image = inverseTwin(given.spectrum!.data.map((value, i) => value * factor(i)), planesOf(size));
  const dspectrum = adjointTwin(given.dimage!.data, planesOf(size)).map((value, i) => value * factor(i));
  return [
    ...faultsOf('image', found.image!, image, 1e-5 * largest(image)),
    ...faultsOf('dspectrum', found.dspectrum!, dspectrum, 1e-5 * largest(dspectrum)),
  ];
}

/** Powers of two, products, primes within and beyond the radices that are written out, one large prime behind another; single rows, columns, pixels; odd counts of lines. */
const SIZES: readonly Size[] = [
  [1, 1, 1, 1],
  [2, 1, 1, 7],
  [1, 3, 5, 1],
  [1, 1, 3, 5],
  [1, 2, 4, 6],
  [2, 3, 7, 9],
  [1, 1, 13, 11],
  [1, 1, 17, 2],
  [1, 3, 28, 32],
  [1, 1, 96, 15],
  [1, 1, 224, 4],
  [1, 1, 3, 227],
  [1, 1, 2, 323],
];

describe('an inverse transform and its adjoint', () => {
  test.each(SIZES.map((size) => ({ size })))('$size', async ({ size }) => {
    const recording = recordingOf(size);
    const found = await runRecorded(engine(), recording);
    expect(faults(recording, size, found)).toEqual([]);
    // <A x, dy> = <x, A' dy>, on the same random numbers.
    const [left, right] = [dot(found.image!, recording.given.dimage!.data), dot(recording.given.spectrum!.data, found.dspectrum!)];
    expect(Math.abs(left.value - right.value)).toBeLessThanOrEqual(1e-6 * left.magnitude);
  });

  test('each frequency times a gain of its own', async () => {
    const size = [1, 2, 6, 7] as const;
    const recording = recordingOf(size, true);
    expect(faults(recording, size, await runRecorded(engine(), recording))).toEqual([]);
  });

  test('brings back the image that a spectrum is of', async () => {
    const size = [1, 3, 10, 9] as const;
    const image = random(size, 5).data;
    const spectrum = { shape: spectrumOf(size), data: Float32Array.from(spectrumTwin(image, planesOf(size))) };
    const found = await runRecorded(engine(), recordingOf(size, false, spectrum));
    expect(faultsOf('image', found.image!, image, 2e-6)).toEqual([]);
  });

  test('imaginary parts that a real image cannot have are passed over, and have no gradient', async () => {
    const size = [1, 1, 4, 6] as const;
    const alone = [0, 3].flatMap((column) => [0, 2].map((row) => 2 * (row * 4 + column) + 1));
    const spectrum = random(spectrumOf(size), 1);
    const plain = await runRecorded(engine(), recordingOf(size, false, spectrum));
    const other = await runRecorded(engine(), recordingOf(size, false, { ...spectrum, data: spectrum.data.map((value, i) => (alone.includes(i) ? 100 : value)) }));
    expect(faultsOf('image', other.image!, plain.image!, 1e-5)).toEqual([]);
    expect(alone.map((i) => Math.abs(plain.dspectrum![i]!))).toEqual([0, 0, 0, 0]);
  });

  test('the same bits every time', async () => {
    const recording = recordingOf([1, 1, 17, 2]);
    expect(await runRecorded(engine(), recording)).toEqual(await runRecorded(engine(), recording));
  });

  test('a spectrum of another size is refused', () => {
    const recording = { ...recordingOf([1, 1, 4, 6]), wanted: { image: [1, 1, 4, 8], dspectrum: [1, 1, 4, 4, 2] } };
    return expect(runRecorded(engine(), recording)).rejects.toMatchObject({ code: 'usage' });
  });
});

describe('radices', () => {
  test.each([
    [1, [1]],
    [2, [2]],
    [32, [4, 8]],
    [28, [4, 7]],
    [96, [8, 12]],
    [224, [14, 16]],
    [227, [227]],
    [256, [16, 16]],
    [299, [23, 13]],
    [454, [227, 2]],
    [512, [8, 8, 8]],
  ])('of %i', (n, expected) => expect(radices(n)).toEqual(expected));

  test('make up every number', () => {
    const all = Array.from({ length: 1200 }, (_, i) => i + 1);
    expect(all.filter((n) => radices(n).reduce((product, radix) => product * radix, 1) !== n)).toEqual([]);
  });
});

describe('a planted bug is noticed', () => {
  const bugs: readonly (Bug & { readonly in: Size; readonly gained?: boolean })[] = [
    { name: 'nothing is turned between stages', find: 'let w = turns[t];', replace: 'let w = vec2f(1, 0);', in: [1, 1, 1, 32] },
    { name: 'the gradient turns the other way', find: '-w.y', replace: 'w.y', in: [1, 1, 1, 32] },
    { name: 'a stage forgets how far the others came', find: /% 4u;\n {2}let first/, replace: '% 2u;\n  let first', in: [1, 1, 1, 32] },
    { name: 'the other half is not mirrored', find: 'vec2f(-a.y, -b.y)', replace: 'vec2f(a.y, b.y)', in: [1, 1, 1, 5] },
    { name: 'the imaginary part of the mean is seen', find: 'k == 0u || ', replace: '', in: [1, 1, 2, 6] },
    { name: 'the imaginary part of the highest frequency is seen', find: ' || 2u * k == 6u', replace: '', in: [1, 1, 2, 6] },
    { name: 'a bin counts once', find: /select\(\(0\.33\S+/, replace: 'select((0.16666667f),', in: [1, 1, 1, 6] },
    { name: 'the highest frequency counts twice', find: '|| 2u * lane == 6u', replace: '', in: [1, 1, 2, 6] },
    { name: 'lines of a pair are swapped', find: 'line % 2u == 1u', replace: 'line % 2u == 0u', in: [1, 1, 2, 6] },
    { name: 'a line that is not there is written', find: /if \(first < 10u\) (\{.*?\})/, replace: '$1', in: [1, 1, 3, 5] },
    { name: 'a line that is not there is read', find: /select\(0\.0, (.*?), first < 10u\)/, replace: '1.0', in: [1, 1, 3, 5] },
    { name: 'a large prime forgets its last pair', find: '<= 8u', replace: '<= 7u', in: [1, 1, 1, 17] },
    { name: 'a large prime goes on past a whole turn', find: '- 17u', replace: '- 16u', in: [1, 1, 1, 17] },
    { name: 'a large prime has its sines the wrong way round', find: 'vec2f(-s0_0.y, s0_0.x)', replace: 'vec2f(s0_0.y, -s0_0.x)', in: [1, 1, 1, 17] },
    { name: 'the gain is forgotten', find: /gain\[.*?lane\]/, replace: '1.0', in: [1, 1, 2, 6], gained: true },
  ];
  test.each(bugs)('$name', async ({ in: size, gained = false, ...bug }) => {
    const recording = recordingOf(size, gained);
    await expectBugFound(engine(), recording, bug, (found) => faults(recording, size, found));
  });
});
