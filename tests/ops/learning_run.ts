/** Runs one op forward, backward and for the gradients of its weights as training does, in memory that is full of NaN. */
import type { Engine } from '../../src/gpu/engine.ts';
import type { Attributes, Node, Tensor } from '../../src/network/network.ts';
import { attributesOf, opOf } from '../../src/ops/check.ts';
import type { Capabilities, TensorRef } from '../../src/ops/op.ts';
import { PlanBuilder } from '../../src/scheduler/builder.ts';
import type { Plan } from '../../src/scheduler/plan.ts';
import { runGuarded } from './harness.ts';
import { random } from './reference.ts';

export interface Learner {
  readonly op: string;
  /** Name of the layer. */
  readonly name?: string;
  readonly attributes?: Attributes;
  readonly weights?: Readonly<Record<string, Tensor>>;
  readonly x: Tensor;
}

export interface LearningOptions {
  readonly step?: number;
  readonly seed?: number;
  readonly capabilities?: Partial<Capabilities>;
  /** The gradient of x: written over, added to what is there (random numbers of seed 78), or wanted by nobody. */
  readonly gradient?: 'written' | 'added' | 'unwanted';
  readonly mutate?: (code: string, kernel: string, pass: string) => string;
}

export interface Learned {
  readonly y: Tensor;
  readonly dy: Tensor;
  /** What was in dx before. */
  readonly before: Tensor;
  readonly dx: Tensor | undefined;
  /** Gradients by weight. */
  readonly dw: Readonly<Record<string, Tensor>>;
  /** The weights after the step. */
  readonly weights: Readonly<Record<string, Tensor>>;
}

/** The plan of a step; tensors x, dy, dx, clock, y, and for every weight its name and `d name`. */
export function learningPlan(engine: Engine, { op: opName, name = 'layer', attributes = {}, weights = {}, x }: Learner, { capabilities, gradient = 'written' }: LearningOptions = {}): Plan {
  const node: Node = { name, output: 'y', op: opName, inputs: ['x'], attributes, weights };
  const op = opOf(node);
  const builder = new PlanBuilder(opName, x.shape[0]!, { ...engine.capabilities, ...capabilities });
  const persistent = (prefix: string, names: readonly string[]): Record<string, TensorRef> =>
    Object.fromEntries(names.map((weight) => [weight, builder.persistent(`${prefix}${weight}`, weights[weight]!.shape)]));
  const learned = Object.keys(weights).filter((weight) => !op.state?.includes(weight));
  const [from, seed] = [builder.persistent('x', x.shape), builder.persistent('dy', x.shape)];
  const to = gradient === 'unwanted' ? undefined : builder.persistent('dx', x.shape);
  const learning = { clock: builder.persistent('clock', [4], 'u32'), weights: persistent('', Object.keys(weights)) };
  const y = builder.tensor('y', x.shape);
  builder.keep('y', y);
  const saved = new Map<string, TensorRef>();
  const shared = { node, attributes: attributesOf(node, op), x: [from], y, learning, saved: (key: string) => saved.get(key)! };
  op.forward({ ...builder.recorder('forward', 'layer', op.name), ...shared, training: true, winners: true, save: (key, tensor) => void saved.set(key, tensor) });
  const backward = { ...builder.recorder('backward', 'layer', op.name), ...shared, dy: seed };
  op.backward({ ...backward, dx: [to && { tensor: to, accumulate: gradient === 'added' }], rule: 'gradient', switches: true, lrn: 'true' });
  op.learn?.({ ...backward, dw: persistent('d ', learned) });
  return builder.build();
}

export async function learn(engine: Engine, learner: Learner, options: LearningOptions = {}): Promise<Learned> {
  const { x, weights = {} } = learner;
  const { step = 3, seed = 5, gradient = 'written', mutate } = options;
  const plan = learningPlan(engine, learner, options);
  const [dy, before] = [random(x.shape, 77), random(x.shape, 78)];
  const clock: Tensor = { shape: [4], data: new Float32Array(Uint32Array.of(step, seed, 0, 0).buffer) };
  const given = { x, dy, clock, ...weights, ...(gradient === 'added' && { dx: before }) };
  const gradients = Object.keys(weights).filter((name) => plan.named.has(`d ${name}`));
  const names = ['y', ...(gradient === 'unwanted' ? [] : ['dx']), ...Object.keys(weights), ...gradients.map((name) => `d ${name}`)];
  const { tensors } = await runGuarded(engine, plan, given, names, { mutate });
  const pick = (of: readonly string[], prefix = ''): Record<string, Tensor> => Object.fromEntries(of.map((name) => [name, tensors.get(`${prefix}${name}`)!]));
  return { y: tensors.get('y')!, dy, before, dx: tensors.get('dx'), dw: pick(gradients, 'd '), weights: pick(Object.keys(weights)) };
}
