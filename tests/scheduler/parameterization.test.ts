/** Images made of pixels and of spectra, and their gradients, against double precision; and an image that is found. */
import { describe, expect, test } from 'vitest';
import type { Shape, Tensor } from '../../src/network/network.ts';
import { imageParameterization, type ImageParameterization } from '../../src/methods/parameterization.ts';
import { PlanBuilder } from '../../src/scheduler/builder.ts';
import { correctionsOf, recordUpdate, type Optimizer } from '../../src/scheduler/optimizer.ts';
import { recordPixelImage, type FourierOptions } from '../../src/scheduler/parameterization.ts';
import { Runner } from '../../src/scheduler/runner.ts';
import { useEngine } from '../gpu.ts';
import { dot, random } from '../ops/reference.ts';
import { halfOf, inverseTwin } from './fourier_twin.ts';
import { expectBugFound, faultsOf, runRecorded, type Bug, type Recording } from './recorded_run.ts';

const engine = useEngine();

type Size = readonly [number, number, number, number];

/** Lucid's matrix, over the length of its longest column; its mean color. */
const COLUMNS = 0.46195237849804385;
const MATRIX = [[0.26, 0.09, 0.02], [0.27, 0, -0.05], [0.27, -0.09, 0.03]].map((row) => row.map((value) => value / COLUMNS));
const MEAN = [0.48, 0.46, 0.41];

function colorTwin(x: ArrayLike<number>, [batch, channels, height, width]: Size, { correlate = true, sigmoid = true }: FourierOptions): Float64Array {
  const plane = height * width;
  return Float64Array.from({ length: batch * channels * plane }, (_, i) => {
    const [n, r, p] = [Math.floor(i / plane / channels), Math.floor(i / plane) % channels, i % plane];
    const t = correlate ? MATRIX[r]!.reduce((sum, share, c) => sum + share * x[(n * channels + c) * plane + p]!, 0) : x[i]!;
    return sigmoid ? 1 / (1 + Math.exp(-t)) : Math.min(Math.max(t + (channels === 3 ? MEAN[r]! : 0.45), 0), 1);
  });
}

/** sqrt(W H) / max(f, 1 / max(W, H))^decay / 4, with frequencies as numpy's fftfreq and rfftfreq have them. */
function fourierTwin(spectrum: ArrayLike<number>, size: Size, { decay = 1, ...options }: FourierOptions): Float64Array {
  const [batch, channels, height, width] = size;
  const half = halfOf(width);
  const scaled = Float64Array.from(spectrum, (value, i) => {
    const [row, column] = [Math.floor(i / 2 / half) % height, Math.floor(i / 2) % half];
    const fy = (2 * row < height ? row : row - height) / height;
    const f = Math.max(Math.sqrt(fy * fy + (column / width) ** 2), 1 / Math.max(width, height));
    return ((value * Math.sqrt(width * height)) / f ** decay) / 4;
  });
  return colorTwin(inverseTwin(scaled, [batch * channels, height, width]), size, options);
}

interface Case extends FourierOptions {
  readonly kind: ImageParameterization['kind'];
  readonly size: Size;
}

const twinOf = (c: Case): ((x: ArrayLike<number>) => Float64Array) => (x) => (c.kind === 'pixels' ? colorTwin(x, c.size, c) : fourierTwin(x, c.size, c));

function recordingOf({ kind, size, ...options }: Case): Recording {
  const parameterization = imageParameterization(kind, options);
  const [batch, , height, width] = size;
  const shape = parameterization.shape(batch, height, width);
  return {
    given: { parameters: random(shape, 1, -0.7, 0.7), dimage: random(size, 2) },
    wanted: { image: size, dparameters: shape },
    record(recorder, { parameters, image, dimage, dparameters }) {
      parameterization.record(recorder, { parameters: parameters!, image: image! });
      parameterization.recordBackward(recorder, { image: image!, dimage: dimage!, dparameters: dparameters! });
    },
  };
}

/** The image against the twin; the gradient against central differences of the twin, along some directions and in single parameters. */
function faults(c: Case, { given, wanted }: Recording, found: Record<string, Float32Array>): string[] {
  const twin = twinOf(c);
  const x = Float64Array.from(given.parameters!.data);
  const h = 1e-5;
  const slopeAlong = (direction: ArrayLike<number>): number => {
    const moved = (step: number): Float64Array => twin(x.map((value, i) => value + step * direction[i]!));
    const [after, before] = [moved(h), moved(-h)];
    return dot(after.map((value, i) => (value - before[i]!) / (2 * h)), given.dimage!.data).value;
  };
  const slopes = [0, 1, 2].flatMap((round) => {
    const direction = random(wanted.dparameters!, 20 + round).data;
    const { value, magnitude } = dot(found.dparameters!, direction);
    const slope = slopeAlong(direction);
    return Math.abs(value - slope) <= 2e-6 * magnitude + 1e-6 ? [] : [`the slope along direction ${round} is ${value}, not ${slope}`];
  });
  const single = [0, 1, x.length - 1].flatMap((at) => {
    const slope = slopeAlong(x.map((_, i) => (i === at ? 1 : 0)));
    return faultsOf(`dparameters ${at}`, [found.dparameters![at]!], [slope], 1e-5 * Math.abs(slope) + 2e-6);
  });
  return [...faultsOf('image', found.image!, twin(x), 3e-6), ...slopes, ...single];
}

const CASES: readonly Case[] = [
  { kind: 'pixels', size: [2, 3, 5, 7] },
  { kind: 'pixels', size: [1, 3, 4, 6], sigmoid: false },
  { kind: 'pixels', size: [1, 3, 1, 1], correlate: false },
  { kind: 'pixels', size: [2, 3, 3, 4], correlate: false, sigmoid: false },
  { kind: 'fourier', size: [2, 3, 6, 8] },
  { kind: 'fourier', size: [1, 3, 5, 7], decay: 0.5, sigmoid: false },
  { kind: 'fourier', size: [1, 3, 1, 9], correlate: false },
];

test.each(CASES)('$kind $size, decay $decay, correlated $correlate, sigmoid $sigmoid', async (c) => {
  const recording = recordingOf(c);
  expect(faults(c, recording, await runRecorded(engine(), recording))).toEqual([]);
});

describe('images of one channel', () => {
  const pixels = (correlate: boolean): Recording => ({
    given: { parameters: random([2, 1, 3, 3], 1) },
    wanted: { image: [2, 1, 3, 3] },
    record: (recorder, { parameters, image }) => recordPixelImage(recorder, { parameters: parameters!, image: image! }, { correlate, sigmoid: false }),
  });

  test('have colors of their own', async () => {
    const recording = pixels(false);
    const { image } = await runRecorded(engine(), recording);
    expect(faultsOf('image', image!, colorTwin(recording.given.parameters!.data, [2, 1, 3, 3], { correlate: false, sigmoid: false }), 1e-6)).toEqual([]);
  });

  test('cannot be correlated', () => expect(runRecorded(engine(), pixels(true))).rejects.toMatchObject({ code: 'usage', address: { attribute: 'correlate' } }));
});

test('a spectrum without a finite decay is refused', () =>
  expect(runRecorded(engine(), recordingOf({ kind: 'fourier', size: [1, 3, 4, 4], decay: NaN }))).rejects.toMatchObject({ code: 'usage', address: { attribute: 'decay' } }));

test('pixels of another shape are refused', () => {
  const recording = { ...recordingOf({ kind: 'pixels', size: [1, 3, 4, 4] }), wanted: { image: [1, 3, 4, 5] as Shape, dparameters: [1, 3, 4, 4] as Shape } };
  return expect(runRecorded(engine(), recording)).rejects.toMatchObject({ code: 'usage' });
});

/** From the start to a picture, by Adam on half the squared distance. */
describe.each(['pixels', 'fourier'] as const)('a picture is found from %s', (kind) => {
  test('within 80 steps', async () => {
    const size: Size = [1, 3, 6, 7];
    const target: Tensor = random(size, 9, 0.2, 0.8);
    const parameterization = imageParameterization(kind);
    const shape = parameterization.shape(1, 6, 7);
    const adam: Optimizer = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
    const builder = new PlanBuilder('found', 1, engine().capabilities);
    const [w, g, m, v] = ['w', 'g', 'm', 'v'].map((name) => builder.persistent(name, shape));
    const [image, dimage] = [builder.persistent('image', size), builder.persistent('dimage', size)];
    const [schedule, halt] = [builder.persistent('schedule', [4]), builder.persistent('halt', [2], 'u32')];
    parameterization.record(builder.recorder('forward', 'image', kind), { parameters: w!, image });
    const back = builder.recorder('backward', 'image', kind);
    parameterization.recordBackward(back, { image, dimage, dparameters: g! });
    recordUpdate(back, adam, { w: w!, g: g!, moments: { m: m!, v: v! }, schedule, halt }, { decay: 0 });
    const runner = await Runner.create(engine(), builder.build());
    try {
      runner.write('w', parameterization.initial(shape, 7));
      const distances: number[] = [];
      for (let t = 1; t <= 80; t++) {
        runner.run(['forward']);
        const { data } = await runner.read('image');
        distances.push(Math.sqrt(data.reduce((sum, value, i) => sum + (value - target.data[i]!) ** 2, 0) / data.length));
        runner.write('dimage', data.map((value, i) => value - target.data[i]!));
        runner.write('schedule', Float32Array.of(0.2, ...correctionsOf(adam, t), 0));
        runner.run(['backward']);
      }
      expect(distances[0]).toBeGreaterThan(0.15);
      expect(distances.at(-1)).toBeLessThan(0.03);
    } finally {
      runner.dispose();
    }
  });
});

describe('a planted bug is noticed', () => {
  const pixels: Case = { kind: 'pixels', size: [2, 3, 5, 7] };
  const clipped: Case = { kind: 'pixels', size: [2, 3, 3, 4], sigmoid: false };
  const bugs: readonly (Bug & { readonly in: Case })[] = [
    { name: 'the sigmoid is not differentiated', find: 'g * v * (1.0 - v)', replace: 'g * v', in: pixels },
    { name: 'a channel has the place of the next', find: 'at + 35u', replace: 'at + 70u', in: pixels },
    { name: 'an image has the channels of the one before', find: /let at = i \+ .*;/, replace: 'let at = i;', in: pixels },
    { name: 'the mean color is left out', find: /\+ \(0\.4\S+\),/, replace: ',', in: clipped },
    { name: 'clipped colors have a gradient', find: /select\(vec4f\(0\), g, .*?\);/, replace: 'g;', in: clipped },
    { name: 'the matrix is not transposed', find: /dx\[(.*?)\] = \(\S+\) \* t0 \+ \S+ \* t1/, replace: 'dx[$1] = 0.5 * t0 + 0.5 * t1', in: pixels },
  ];
  test.each(bugs)('$name', async ({ in: c, ...bug }) => {
    const recording = recordingOf(c);
    await expectBugFound(engine(), recording, bug, (found) => faults(c, recording, found));
  });
});
