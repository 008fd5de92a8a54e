/** Images moved along their gradients, against plain loops; what has no direction stays. */
import { describe, expect, it } from 'vitest';
import { perturb } from '../../shaders/perturb.wgsl.ts';
import { PlanBuilder } from '../../src/scheduler/builder.ts';
import { recordPerturb } from '../../src/scheduler/perturb.ts';
import type { Plan } from '../../src/scheduler/plan.ts';
import { Runner } from '../../src/scheduler/runner.ts';
import { useEngine } from '../gpu.ts';
import { random } from '../ops/reference.ts';

const engine = useEngine();

/** @param spoil what is done to the kernel's code */
async function run(shape: readonly number[], x: Float32Array, g: Float32Array, distance: number, spoil = (code: string): string => code): Promise<Float32Array> {
  const builder = new PlanBuilder('perturb', shape[0]!, engine().capabilities);
  const tensors = { x: builder.persistent('x', shape), g: builder.persistent('g', shape), schedule: builder.persistent('schedule', [4]) };
  recordPerturb(builder.recorder('perturb', 'x', 'perturb'), tensors);
  const plan = builder.build();
  const passes: Plan['passes'] = new Map([['perturb', plan.passes.get('perturb')!.map((step) => ({ ...step, code: spoil(step.code) }))]]);
  const runner = await Runner.create(engine(), { ...plan, passes });
  try {
    runner.write('x', x);
    runner.write('g', g);
    runner.write('schedule', Float32Array.of(1, 2, 3, distance));
    runner.run(['perturb']);
    return (await runner.read('x')).data;
  } finally {
    runner.dispose();
  }
}

function twin(x: Float32Array, g: Float32Array, images: number, distance: number): Float64Array {
  const size = x.length / images;
  return Float64Array.from(x, (value, i) => {
    const from = size * Math.floor(i / size);
    let square = 0;
    for (let k = from; k < from + size; k++) square += g[k]! ** 2;
    return square > 0 && Number.isFinite(square) ? value + (distance * g[i]!) / Math.sqrt(square) : value;
  });
}

const error = (actual: Float32Array, expected: Float64Array): number => actual.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0);

describe('perturb', () => {
  it.each([[1, 1, 1, 1], [3, 3, 5, 7], [2, 3, 96, 96], [5, 1, 4, 4]])('moves [%i, %i, %i, %i]', async (...shape) => {
    const [x, g] = [random(shape, 1).data, random(shape, 2).data.map((value) => 1e-4 * value)];
    expect(error(await run(shape, x, g, 2.5), twin(x, g, shape[0]!, 2.5))).toBeLessThan(3e-6);
  });

  it('leaves images whose gradient is nothing, or is not finite', async () => {
    const shape = [4, 2, 3, 3];
    const [x, g] = [random(shape, 3).data, random(shape, 4).data];
    g.fill(0, 0, 18);
    [g[20], g[40]] = [Infinity, NaN];
    const moved = await run(shape, x, g, 1);
    expect(moved.subarray(0, 54)).toEqual(x.subarray(0, 54));
    expect(error(moved, twin(x, g, 4, 1))).toBeLessThan(1e-6);
  });

  it.each([
    ['the norm of another image', 'parts[n *', 'parts[0u *'],
    ['the square of the norm', 'sqrt(square)', 'square'],
    ['the way down', '+= scale', '-= scale'],
    ['the rate for the distance', 'schedule[3]', 'schedule[0]'],
  ])('notices %s', async (_, from, to) => {
    const shape = [3, 2, 4, 4];
    const [x, g] = [random(shape, 5).data, random(shape, 6).data];
    expect(perturb({ size: 32 })).toContain(from);
    const spoilt = await run(shape, x, g, 2, (code) => (code.includes('schedule') ? code.replaceAll(from, to) : code));
    expect(error(spoilt, twin(x, g, 3, 2))).toBeGreaterThan(1e-3);
  });
});
