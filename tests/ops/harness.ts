/**
 * Runs one op, or a small network, through the planner and the runner as the program does, in memory that is
 * full of NaN: every element must be written, none may be read before, and nothing past the end may be touched.
 */
import { expect } from 'vitest';
import type { Engine } from '../../src/gpu/engine.ts';
import type { Attributes, Network, Node, Tensor } from '../../src/network/network.ts';
import type { BackwardRules, Capabilities } from '../../src/ops/op.ts';
import { compile } from '../../src/scheduler/compile.ts';
import type { Plan, PlannedTensor, Step } from '../../src/scheduler/plan.ts';
import { Runner } from '../../src/scheduler/runner.ts';
import { count, dot, mismatches, random, type Sum, type Tolerance } from './reference.ts';

/** Bytes behind every tensor that no kernel may write. */
const GUARD = 256;
/** A quiet NaN that no computation makes. */
const SENTINEL = 0x7fc5a5a5;

/** One layer with its operands. */
export interface Subject {
  readonly op: string;
  readonly attributes?: Attributes;
  readonly weights?: Readonly<Record<string, Tensor>>;
  readonly x: readonly Tensor[];
}

export interface RunOptions extends Partial<BackwardRules> {
  readonly capabilities?: Partial<Capabilities>;
  readonly fuse?: boolean;
  /** The layer runs twice on the same input and the results are added: gradients must accumulate. */
  readonly twice?: boolean;
  readonly mutate?: GuardOptions['mutate'];
}

export interface Outcome {
  readonly y: Tensor;
  readonly dy: Tensor;
  /** Gradients by input. */
  readonly dx: readonly Tensor[];
}

export interface GuardOptions {
  /** Rewrites the text of every kernel of the layer itself. */
  readonly mutate?: ((code: string, kernel: string, pass: string) => string) | undefined;
  /** apart: every tensor in a buffer of its own, with a guard behind it. planned: as the plan says, nothing added. */
  readonly layout?: 'apart' | 'planned';
}

/** The plan with a name for every tensor; laid apart, the room behind a tensor is bound to the kernels too. */
function guard(plan: Plan, { mutate = (code) => code, layout = 'apart' }: GuardOptions): Plan {
  const rewrite = (step: Step): Step => (step.label.startsWith('layer') ? { ...step, code: mutate(step.code, step.kernel, step.pass) } : step);
  const own = (tensor: PlannedTensor): PlannedTensor => {
    const offset = tensor.offset - plan.tensors[tensor.root]!.offset;
    return { ...tensor, bytes: tensor.bytes + GUARD, ...(tensor.buffer >= 0 && { buffer: tensor.root, offset }) };
  };
  return {
    ...plan,
    ...(layout === 'apart' && { tensors: plan.tensors.map(own), buffers: plan.tensors.map(({ bytes }) => bytes + GUARD) }),
    named: new Map([...plan.named, ...plan.tensors.map(({ id }) => [`#${id}`, id] as const)]),
    passes: new Map([...plan.passes].map(([pass, steps]) => [pass, steps.map(rewrite)])),
  };
}

/** Runs passes of a plan over the given tensors in poisoned memory and returns the tensors named in `read`. */
export async function runGuarded(
  engine: Engine,
  plan: Plan,
  write: Readonly<Record<string, Tensor | ((shape: readonly number[]) => Tensor)>>,
  read: readonly string[],
  options: GuardOptions = {},
): Promise<{ tensors: Map<string, Tensor>; written: Map<string, Tensor> }> {
  const guarded = guard(plan, options);
  const runner = await Runner.create(engine, guarded);
  try {
    const constants = new Set(plan.constants.map(({ tensor }) => guarded.tensors[tensor]!.buffer));
    /** Bytes in use, by buffer. */
    const used = guarded.buffers.map(() => 0);
    for (const { buffer, offset, shape } of guarded.tensors) if (buffer >= 0) used[buffer] = Math.max(used[buffer]!, offset + 4 * count(shape));
    const bufferOf = new Map(guarded.tensors.filter(({ buffer }) => buffer >= 0).map(({ id, buffer }) => [buffer, runner.binding(`#${id}`).buffer]));
    for (const [index, buffer] of bufferOf) {
      const from = constants.has(index) ? used[index]! : 0;
      engine.device.queue.writeBuffer(buffer, from, new Uint32Array((guarded.buffers[index]! - from) / 4).fill(SENTINEL));
    }
    const written = new Map<string, Tensor>();
    for (const [name, value] of Object.entries(write)) {
      const tensor = typeof value === 'function' ? value(runner.tensor(name).shape) : value;
      written.set(name, tensor);
      runner.write(name, tensor.data);
    }
    runner.run([...plan.passes.keys()]);
    for (const [index, buffer] of bufferOf) {
      if (guarded.buffers[index] === used[index]) continue;
      const tail = new Uint32Array(await engine.read(buffer, guarded.buffers[index]! - used[index]!, used[index]));
      const at = tail.findIndex((word) => word !== SENTINEL);
      if (at >= 0) {
        const owners = guarded.tensors.filter((tensor) => tensor.buffer === index).map(({ label, shape }) => `${label} [${shape}]`);
        throw new Error(`a kernel wrote ${at} elements past the end of ${owners.join(' or ')}`);
      }
    }
    const tensors = new Map<string, Tensor>();
    for (const name of read) tensors.set(name, await runner.read(name));
    return { tensors, written };
  } finally {
    runner.dispose();
  }
}

/** The network that holds the subject: one layer, or two that are added. */
function networkOf({ op, attributes = {}, weights = {}, x }: Subject, twice: boolean): Network {
  const inputs = x.map((tensor, i) => ({ name: `x${i}`, shape: tensor.shape }));
  const layer = (name: string): Node => ({ name, output: `${name}.out`, op, inputs: inputs.map(({ name: input }) => input), attributes, weights });
  const sum: Node = { name: 'sum', output: 'sum.out', op: 'add', inputs: ['layer.out', 'layer again.out'], attributes: {}, weights: {} };
  return {
    name: op,
    inputs,
    nodes: twice ? [layer('layer'), layer('layer again'), sum] : [layer('layer')],
    outputs: [twice ? 'sum.out' : 'layer.out'],
  };
}

/** Runs the subject forward and backward, with a seeded gradient from above. */
export async function run(engine: Engine, subject: Subject, options: RunOptions = {}): Promise<Outcome> {
  const { rule = 'gradient', switches, lrn, capabilities, fuse, twice = false, mutate } = options;
  const top = twice ? 'sum' : 'layer';
  const plan = compile(networkOf(subject, twice), {
    layers: [...new Set(['layer', top])],
    backward: { from: top, rule, switches, lrn },
    capabilities: { ...engine.capabilities, ...capabilities },
    ...(fuse !== undefined && { fuse }),
  });
  const names = subject.x.map((_, i) => `x${i}`);
  const { tensors, written } = await runGuarded(
    engine,
    plan,
    { ...Object.fromEntries(subject.x.map((x, i) => [`x${i}`, x])), seed: (shape) => random(shape, 77) },
    ['layer', ...names.map((name) => `d ${name}`)],
    { mutate },
  );
  return { y: tensors.get('layer')!, dy: written.get('seed')!, dx: names.map((name) => tensors.get(`d ${name}`)!) };
}

/** The float64 twin of an op: its result, and its gradients for a gradient from above. */
export interface Twin {
  readonly y: Sum;
  dx(dy: Float32Array): readonly Sum[];
}

/** Every line that differs between a run and the twin; empty when all is well. */
export function differences(
  outcome: Outcome,
  twin: Twin,
  tolerance: Tolerance & { readonly exactGradient?: boolean; readonly twice?: boolean } = {},
): string[] {
  const { exactGradient = false, twice = false, ...rest } = tolerance;
  const gradients = twin.dx(outcome.dy.data).map((dx) => (twice ? doubled(dx) : dx));
  return [
    ...mismatches('y', outcome.y, twin.y, rest),
    ...gradients.flatMap((dx, i) => mismatches(`dx${i}`, outcome.dx[i]!, dx, { ...rest, exact: exactGradient })),
  ];
}

function doubled(sum: Sum): Sum {
  const twice = sum.map((value) => 2 * value);
  twice.magnitudes.forEach((_, i) => (twice.magnitudes[i]! *= 2));
  return twice;
}

/** Runs the subject and fails with the first lines that differ from its twin. */
export async function prove(
  engine: Engine,
  subject: Subject,
  twin: Twin,
  options: RunOptions & Tolerance & { readonly exactGradient?: boolean } = {},
): Promise<Outcome> {
  const outcome = await run(engine, subject, options);
  expect(differences(outcome, twin, { ...options })).toEqual([]);
  return outcome;
}

/** <A x, dy> = <x, A' dy> of a linear op, `offset` being what A adds (a bias) as <A 0, dy>. */
export function expectAdjoint(subject: Subject, outcome: Outcome, twin: Twin, offset = 0): void {
  const left = dot(outcome.y.data, outcome.dy.data);
  const right = subject.x.reduce((sum, x, i) => sum + dot(x.data, outcome.dx[i]!.data).value, 0);
  const terms = Math.max(...twin.y.terms);
  const magnitude = dot(twin.y.magnitudes, outcome.dy.data.map(Math.abs)).value;
  expect(Math.abs(left.value - offset - right), '<A x, dy> - <x, A\' dy>').toBeLessThanOrEqual(8 * Math.sqrt(terms) * 2 ** -24 * magnitude + 1e-7);
}

/**
 * The twin's own gradient against central differences of its result along a random direction, h = 1e-5: the two
 * agree to about 1e-8 where the op is smooth around x.
 */
export function expectCentralDifferences(twin: (x: Float64Array) => Twin, x: Tensor, rounds = 3): void {
  for (let round = 0; round < rounds; round++) {
    const here = twin(Float64Array.from(x.data));
    const dy = random(here.y.shape, 100 + round).data;
    const direction = random(x.shape, 200 + round).data;
    const h = 1e-5;
    const at = (step: number): number => dot(twin(Float64Array.from(x.data, (v, i) => v + step * direction[i]!)).y.values, dy).value;
    const product = dot(here.dx(dy)[0]!.values, direction).value;
    expect(Math.abs((at(h) - at(-h)) / (2 * h) - product), `central difference against ${product}`).toBeLessThanOrEqual(1e-6 * (1 + Math.abs(product)));
  }
}

/** A planted bug: what to replace in the kernel's text, and what it stands for. */
export interface PlantedBug {
  readonly name: string;
  /** Only kernels of this file name, where a layer runs several. */
  readonly kernel?: string;
  readonly pass?: 'forward' | 'backward';
  readonly find: string | RegExp;
  readonly replace: string;
}

/** Runs the subject with the bug in its kernels; the comparison must see it, and the text must really have changed. */
export async function expectCaught(
  engine: Engine,
  subject: Subject,
  twin: Twin,
  bug: PlantedBug,
  options: RunOptions & Tolerance & { readonly exactGradient?: boolean } = {},
): Promise<void> {
  let changed = 0;
  const mutate = (code: string, kernel: string, pass: string): string => {
    if ((bug.kernel && bug.kernel !== kernel) || (bug.pass && bug.pass !== pass)) return code;
    const mutated = code.replaceAll(typeof bug.find === 'string' ? bug.find : new RegExp(bug.find, 'g'), bug.replace);
    if (mutated !== code) changed++;
    return mutated;
  };
  let found: string[];
  try {
    found = differences(await run(engine, subject, { ...options, mutate }), twin, options);
  } catch (error) {
    // A write past the end is as good a find as a wrong number; a kernel that no longer compiles is not.
    if (!(error instanceof Error) || !error.message.includes('past the end')) throw error;
    found = [error.message];
  }
  expect(changed, `'${bug.name}' changed no kernel`).toBeGreaterThan(0);
  expect(found, `'${bug.name}' was not noticed`).not.toEqual([]);
}
