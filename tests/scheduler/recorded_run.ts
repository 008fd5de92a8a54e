/** Runs what a recorder records over named tensors, through the planner and the runner, in memory that is full of NaN. */
import { expect } from 'vitest';
import type { Engine } from '../../src/gpu/engine.ts';
import type { Shape, Tensor } from '../../src/network/network.ts';
import type { Recorder, TensorRef } from '../../src/ops/op.ts';
import { PlanBuilder } from '../../src/scheduler/builder.ts';
import { runGuarded } from '../ops/harness.ts';

export interface Recording {
  /** Tensors that the caller provides, by name. */
  readonly given: Readonly<Record<string, Tensor>>;
  /** Shapes of those that are read afterwards, by name; a name may be a given one's too. */
  readonly wanted: Readonly<Record<string, Shape>>;
  record(recorder: Recorder, tensors: Readonly<Record<string, TensorRef>>): void;
}

export type Mutate = (code: string) => string;

export async function runRecorded(engine: Engine, { given, wanted, record }: Recording, mutate?: Mutate): Promise<Record<string, Float32Array>> {
  const builder = new PlanBuilder('recorded', 1, engine.capabilities);
  const shapes: Record<string, Shape> = { ...wanted, ...Object.fromEntries(Object.entries(given).map(([name, { shape }]) => [name, shape])) };
  const tensors = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, builder.persistent(name, shape)]));
  record(builder.recorder('forward', 'layer', 'kernel'), tensors);
  const { tensors: read } = await runGuarded(engine, builder.build(), given, Object.keys(wanted), { mutate });
  return Object.fromEntries([...read].map(([name, { data }]) => [name, data]));
}

export interface Bug {
  readonly name: string;
  readonly find: string | RegExp;
  readonly replace: string;
}

/** Runs the recording with a bug in its kernels: their text must really change, and `faults` must find some, or a write past an end. */
export async function expectBugFound(engine: Engine, recording: Recording, { name, find, replace }: Bug, faults: (found: Record<string, Float32Array>) => readonly string[]): Promise<void> {
  let changed = 0;
  const mutate = (code: string): string => {
    const mutated = code.replaceAll(typeof find === 'string' ? find : new RegExp(find, 'g'), replace);
    if (mutated !== code) changed++;
    return mutated;
  };
  let found: readonly string[];
  try {
    found = faults(await runRecorded(engine, recording, mutate));
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes('past the end')) throw error;
    found = [error.message];
  }
  expect(changed, `'${name}' changed no kernel`).toBeGreaterThan(0);
  expect(found, `'${name}' was not noticed`).not.toEqual([]);
}

/** At most three lines on values that are further from the expected ones than `bound` allows; NaN is. */
export function faultsOf(name: string, found: ArrayLike<number>, expected: ArrayLike<number>, bound: number | ((i: number) => number)): string[] {
  if (found.length !== expected.length) return [`${name} has ${found.length} values, not ${expected.length}`];
  const lines: string[] = [];
  for (let i = 0; i < expected.length && lines.length < 3; i++) {
    const allowed = typeof bound === 'number' ? bound : bound(i);
    if (!(Math.abs(found[i]! - expected[i]!) <= allowed)) lines.push(`${name}[${i}] is ${found[i]}, not ${expected[i]} (allowed ${allowed.toExponential(1)})`);
  }
  return lines;
}

export const largest = (values: ArrayLike<number>): number => Array.from(values, Math.abs).reduce((most, value) => Math.max(most, value), 0);
