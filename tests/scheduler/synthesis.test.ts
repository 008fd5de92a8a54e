/** The kernels around a synthesis against float64 loops, over sizes of every kind; and bugs planted in them. */
import { describe, expect, test } from 'vitest';
import { NOTE, NOTE_ROWS } from '../../shaders/note.wgsl.ts';
import type { Tensor } from '../../src/network/network.ts';
import {
  recordLengths,
  recordNetworkInput,
  recordNetworkInputBackward,
  recordNote,
  recordRedirect,
  recordRow,
  recordStride,
  recordTick,
  type InputMap,
} from '../../src/scheduler/synthesis.ts';
import { useEngine } from '../gpu.ts';
import { count, dot, filled, random } from '../ops/reference.ts';
import { expectBugFound, faultsOf, runRecorded, type Bug, type Recording } from './recorded_run.ts';

const engine = useEngine();

type Shape = readonly number[];

const words = (values: readonly number[]): Tensor => ({ shape: [values.length], data: new Float32Array(Uint32Array.from(values).buffer) });

/** Whole quads, none, single pixels, several workgroups. */
const SIZES: readonly Shape[] = [[1, 3, 4, 6], [2, 3, 5, 7], [3, 3, 1, 1], [2, 3, 40, 76]];

const BGR: InputMap = { matrix: [[0, 0, 2], [0, 3, 0], [4, 0, 0]], offset: [-1, 0, 0.5] };
const GREY: InputMap = { matrix: [[0.3, 0.6, 0.1]], offset: [-0.4] };
const MIXED: InputMap = { matrix: [[1, 2, 3], [0, 0, 0], [-1, 0.5, 1], [0, 1, 0]], offset: [0, 7, 0, -2] };

function inputTwin(image: Tensor, { matrix, offset }: InputMap): number[] {
  const [batch, inputs, ...rest] = image.shape as [number, number, ...number[]];
  const plane = count(rest);
  return Array.from({ length: batch * matrix.length * plane }, (_, i) => {
    const [n, c, at] = [Math.floor(i / plane / matrix.length), Math.floor(i / plane) % matrix.length, i % plane];
    return matrix[c]!.reduce((sum, factor, k) => sum + factor * image.data[(n * inputs + k) * plane + at]!, offset[c]!);
  });
}

describe('from an image to the network', () => {
  const forward = (image: Tensor, map: InputMap): Recording => ({
    given: { image },
    wanted: { x: [image.shape[0]!, map.matrix.length, ...image.shape.slice(2)] },
    record: (recorder, { image: from, x }) => recordNetworkInput(recorder, { image: from!, x: x! }, map),
  });
  const backward = (dx: Tensor, map: InputMap): Recording => ({
    given: { dx },
    wanted: { dimage: [dx.shape[0]!, map.matrix[0]!.length, ...dx.shape.slice(2)] },
    record: (recorder, { dx: from, dimage }) => recordNetworkInputBackward(recorder, { dx: from!, dimage: dimage! }, map),
  });

  test.each(SIZES.map((shape) => ({ shape })))('$shape', async ({ shape }) => {
    for (const map of [BGR, GREY, MIXED]) {
      const image = random(shape, 1);
      const dx = random([shape[0]!, map.matrix.length, ...shape.slice(2)], 2);
      const { x } = await runRecorded(engine(), forward(image, map));
      expect(faultsOf('x', x!, inputTwin(image, map), 2e-6)).toEqual([]);
      const { dimage } = await runRecorded(engine(), backward(dx, map));
      const linear = inputTwin(image, { ...map, offset: map.offset.map(() => 0) });
      const [left, right] = [dot(linear, dx.data), dot(image.data, dimage!)];
      expect(Math.abs(left.value - right.value)).toBeLessThanOrEqual(1e-6 * left.magnitude);
    }
  });

  const bugs: readonly Bug[] = [
    { name: 'the offset is forgotten', find: ' + (-2.0f)', replace: '' },
    { name: 'channels are taken for one another', find: 'n * 72u + 24u', replace: 'n * 72u + 48u' },
    { name: 'images are taken for one another', find: 'n * 72u', replace: '0u' },
  ];
  test.each(bugs)('a planted bug is noticed: $name', async (bug) => {
    const image = random([2, 3, 8, 12], 1);
    await expectBugFound(engine(), forward(image, MIXED), bug, ({ x }) => faultsOf('x', x!, inputTwin(image, MIXED), 2e-6));
  });
});

describe('lengths and strides', () => {
  const lengths = (x: Tensor): Recording => ({
    given: { x },
    wanted: { length: [x.shape[0]!] },
    record: (recorder, { x: from, length }) => recordLengths(recorder, from!, length!),
  });
  const lengthTwin = ({ shape, data }: Tensor): number[] =>
    Array.from({ length: shape[0]! }, (_, n) => Math.hypot(...data.subarray((n * data.length) / shape[0]!, ((n + 1) * data.length) / shape[0]!)));
  const relative = (values: readonly number[]) => (i: number): number => 1e-5 * Math.abs(values[i]!);

  const stride = (w: Tensor, g: Tensor, rate: number): Recording => ({
    given: { w, g, schedule: filled([4], (i) => (i === 0 ? rate : NaN)) },
    wanted: { w: w.shape },
    record: (recorder, { w: to, g: along, schedule }) => recordStride(recorder, { w: to!, g: along!, schedule: schedule! }),
  });
  const strideTwin = (w: Tensor, g: Tensor, rate: number): number[] => {
    const [size, norms] = [w.data.length / w.shape[0]!, lengthTwin(g)];
    return Array.from(w.data, (value, i) => {
      const norm = norms[Math.floor(i / size)]!;
      return norm > 0 ? value + (rate * Math.sqrt(size) * g.data[i]!) / norm : value;
    });
  };

  test.each(SIZES.map((shape) => ({ shape })))('$shape', async ({ shape }) => {
    const x = random(shape, 3);
    const norms = lengthTwin(x);
    expect(faultsOf('length', (await runRecorded(engine(), lengths(x))).length!, norms, relative(norms))).toEqual([]);
    const w = random(shape, 4);
    expect(faultsOf('w', (await runRecorded(engine(), stride(w, x, 0.3))).w!, strideTwin(w, x, 0.3), 2e-5)).toEqual([]);
  });

  test('an image without a gradient stays, one that is not finite is told', async () => {
    const g = filled([3, 5, 7], (i) => (i < 35 ? 0 : i === 40 ? Infinity : 1));
    const [none, broken, length] = (await runRecorded(engine(), lengths(g))).length!;
    expect([none, broken]).toEqual([0, -1]);
    expect(length! / Math.sqrt(35)).toBeCloseTo(1, 6); // a square root in WGSL may be off in the last place
    const w = random([3, 5, 7], 5);
    const moved = (await runRecorded(engine(), stride(w, g, 1))).w!;
    expect([...moved.subarray(0, 70)]).toEqual([...w.data.subarray(0, 70)]);
    expect(moved[70]).toBeCloseTo(w.data[70]! + 1, 5);
  });

  test.each<Bug>([
    { name: 'a step of the length of the gradient', find: /schedule\[0\] \* g\[i\] \* .*;/, replace: 'schedule[0] * g[i];' },
    { name: 'images share a length', find: /length\[i \/ \d+u\]/, replace: 'length[0]' },
    { name: 'parts are forgotten', find: /sums\[local\] \+= sums\[other\];/, replace: '' },
  ])('a planted bug is noticed: $name', async (bug) => {
    const [w, g] = [random([2, 3, 40, 76], 6), random([2, 3, 40, 76], 7, -1, 2)];
    const scaled = { shape: g.shape, data: g.data.map((value, i) => (i < g.data.length / 2 ? value : 3 * value)) };
    await expectBugFound(engine(), stride(w, scaled, 0.3), bug, ({ w: moved }) => faultsOf('w', moved!, strideTwin(w, scaled, 0.3), 2e-5));
  });
});

describe('redirect', () => {
  const shape = [3, 5, 7];
  const [dx, open] = [random(shape, 8), random(shape, 9)];
  const recording: Recording = {
    given: { dx, open, length: { shape: [3], data: Float32Array.of(0, 2, -1) } },
    wanted: { dx: shape },
    record: (recorder, tensors) => recordRedirect(recorder, { dx: tensors.dx!, open: tensors.open!, length: tensors.length! }),
  };
  const expected = Array.from(dx.data, (value, i) => (i < 35 ? open.data[i]! : value));

  test('takes the open gradient where there is no other', async () => {
    expect(faultsOf('dx', (await runRecorded(engine(), recording)).dx!, expected, 0)).toEqual([]);
  });

  test.each<Bug>([
    { name: 'every image is redirected', find: '== 0.0', replace: '== length[i / 35u]' },
    { name: 'the wrong image is', find: '/ 35u', replace: '/ 7u' },
  ])('a planted bug is noticed: $name', async (bug) => {
    await expectBugFound(engine(), recording, bug, ({ dx: found }) => faultsOf('dx', found!, expected, 0));
  });
});

describe('notes and the timetable', () => {
  const clockAt = (done: number): Tensor => words([done]);

  test('a row of progress lies where its step says, round and round', async () => {
    const progress = filled([NOTE_ROWS, 3, NOTE.words], () => -7);
    const given = { score: random([3], 1), length: random([3], 2), clock: clockAt(NOTE_ROWS + 5), progress };
    const record: Recording['record'] = (recorder, { score, length, clock, progress: ring }) => recordNote(recorder, { score: score!, length: length!, clock: clock!, progress: ring! });
    const { progress: found } = await runRecorded(engine(), { given, wanted: { progress: progress.shape }, record });
    const row = 5 * 3 * NOTE.words;
    const expected = Array.from(progress.data, (_, i) => {
      const n = Math.floor((i - row) / NOTE.words);
      if (n < 0 || n >= 3 || i < row) return -7;
      return (i % NOTE.words === NOTE.score ? given.score : given.length).data[n]!;
    });
    expect(faultsOf('progress', found!, expected, 0)).toEqual([]);
  });

  test.each([[0, 0], [3, 3], [4, 4], [9, 4]])('after %i steps, row %i of five is on', async (done, wanted) => {
    const table = random([5, 7, 11], 3);
    const record: Recording['record'] = (recorder, { table: from, clock, row }) => recordRow(recorder, { table: from!, clock: clock!, row: row! });
    const { row } = await runRecorded(engine(), { given: { table, clock: clockAt(done) }, wanted: { row: [7, 11] }, record });
    expect([...row!]).toEqual([...table.data.subarray(77 * wanted, 77 * (wanted + 1))]);
  });

  test('the clock goes on by one', async () => {
    const { clock } = await runRecorded(engine(), { given: { clock: clockAt(41) }, wanted: { clock: [1] }, record: (recorder, tensors) => recordTick(recorder, tensors.clock!) });
    expect(new Uint32Array(clock!.buffer)[0]).toBe(42);
  });
});
