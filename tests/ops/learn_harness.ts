/** Runs the gradients of a layer's weights alone, as the scheduler records them, in guarded and poisoned memory. */
import { expect } from 'vitest';
import type { Engine } from '../../src/gpu/engine.ts';
import type { Node, Tensor } from '../../src/network/network.ts';
import { attributesOf, opOf } from '../../src/ops/check.ts';
import type { Capabilities } from '../../src/ops/op.ts';
import { PlanBuilder } from '../../src/scheduler/builder.ts';
import type { Plan } from '../../src/scheduler/plan.ts';
import { runGuarded, type GuardOptions, type PlantedBug, type Subject } from './harness.ts';
import { mismatches, type Sum } from './reference.ts';

/** A layer, what it made of its input (read by a fused activation), and the gradient from above. */
export interface Lesson extends Subject {
  readonly y: Tensor;
  readonly dy: Tensor;
}

export interface LearnOptions {
  readonly capabilities?: Partial<Capabilities>;
  readonly mutate?: GuardOptions['mutate'];
}

/** Gradients by the name of the weight. */
export type Gradients = Readonly<Record<string, Tensor>>;

/** The plan: tensors x, y, dy, and `d NAME` for every weight. */
export function learnPlanOf(lesson: Lesson, capabilities: Capabilities): Plan {
  const { op, attributes = {}, weights = {}, x: [x] } = lesson;
  const node: Node = { name: 'layer', output: 'layer.out', op, inputs: ['x'], attributes, weights };
  const kind = opOf(node);
  const builder = new PlanBuilder(op, x!.shape[0]!, capabilities);
  const [input, y, dy] = [builder.persistent('x', x!.shape), builder.persistent('y', lesson.y.shape), builder.persistent('dy', lesson.dy.shape)];
  const named = (prefix: string) => Object.fromEntries(Object.entries(weights).map(([name, { shape }]) => [name, builder.persistent(`${prefix}${name}`, shape)]));
  kind.learn!({
    ...builder.recorder('backward', 'layer', op),
    node,
    attributes: attributesOf(node, kind),
    x: [input],
    y,
    dy,
    learning: { clock: builder.persistent('clock', [4], 'u32'), weights: named('') },
    dw: named('d '),
    saved: (key) => { throw new Error(`nothing was saved as '${key}'`); },
  });
  return builder.build();
}

/** The gradients of every weight. */
export async function learn(engine: Engine, lesson: Lesson, { capabilities, mutate }: LearnOptions = {}): Promise<Gradients> {
  const plan = learnPlanOf(lesson, { ...engine.capabilities, ...capabilities });
  const names = Object.keys(lesson.weights ?? {});
  const { tensors } = await runGuarded(engine, plan, { x: lesson.x[0]!, y: lesson.y, dy: lesson.dy }, names.map((name) => `d ${name}`), { mutate });
  return Object.fromEntries(names.map((name) => [name, tensors.get(`d ${name}`)!]));
}

/** What differs from the twin's gradients. */
export const differs = (gradients: Gradients, expected: Readonly<Record<string, Sum>>): string[] =>
  Object.entries(expected).flatMap(([name, sum]) => mismatches(`d ${name}`, gradients[name]!, sum));

/** The bug must change a kernel, and the comparison with the twin must see it. */
export async function expectBugSeen(engine: Engine, lesson: Lesson, expected: Readonly<Record<string, Sum>>, bug: PlantedBug, capabilities: Partial<Capabilities>): Promise<void> {
  let changed = 0;
  const mutate = (code: string, kernel: string): string => {
    if (bug.kernel && bug.kernel !== kernel) return code;
    const mutated = code.replaceAll(typeof bug.find === 'string' ? bug.find : new RegExp(bug.find, 'g'), bug.replace);
    if (mutated !== code) changed++;
    return mutated;
  };
  let found: string[];
  try {
    found = differs(await learn(engine, lesson, { capabilities, mutate }), expected);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes('past the end')) throw error;
    found = [error.message];
  }
  expect(changed, `'${bug.name}' changed no kernel`).toBeGreaterThan(0);
  expect(found, `'${bug.name}' was not noticed`).not.toEqual([]);
}
