/** Records the forward and the backward pass of a network into a plan. */
import { UnitscopeError } from '../errors.ts';
import { consumers } from '../network/lookup.ts';
import type { Network, Node, Shape } from '../network/network.ts';
import { attributesOf, opOf } from '../ops/check.ts';
import type { BackwardRules, GradientTarget, ReluRule, TensorRef } from '../ops/op.ts';
import { passGradient } from '../ops/pass_gradient.ts';
import type { PlanBuilder } from './builder.ts';
import type { Lessons } from './lessons.ts';

/** The rule of ReLU, or what differs from the true gradient. */
export type AskedRules = ReluRule | Partial<BackwardRules>;

/** What the forward pass leaves for the backward pass. */
export interface Recorded {
  readonly network: Network;
  readonly tensors: ReadonlyMap<string, TensorRef>;
  readonly saved: ReadonlyMap<string, TensorRef>;
}

/**
 * @param inputs tensors that the caller provides, by name.
 * @param training keep what a backward pass needs (winners of max pooling, scales of LRN).
 * @param lessons the weights change: layers read them as they are at each run, and behave as they do in training.
 * @param winners the backward pass goes by the switches of max pooling: on, where there will be one, unless told.
 */
export function recordForward(
  builder: PlanBuilder,
  network: Network,
  shapes: ReadonlyMap<string, Shape>,
  inputs: ReadonlyMap<string, TensorRef>,
  training: boolean,
  lessons?: Lessons,
  winners = training,
): Recorded {
  const tensors = new Map(inputs);
  const saved = new Map<string, TensorRef>();
  for (const node of network.nodes) {
    const op = opOf(node);
    const x = node.inputs.map((name) => tensors.get(name)!);
    const shape = shapes.get(node.output)!;
    if (op.view) {
      tensors.set(node.output, builder.view(node.output, x[0]!, shape));
      continue;
    }
    const y = builder.tensor(node.output, shape);
    tensors.set(node.output, y);
    op.forward({
      ...(lessons?.recorder('forward', node) ?? builder.recorder('forward', node.name, op.name)),
      node: lessons?.node(node) ?? node,
      learning: lessons?.learning(node),
      attributes: attributesOf(node, op),
      x,
      y,
      training,
      winners,
      save: (key, tensor) => void saved.set(`${node.output}/${key}`, tensor),
    });
  }
  return { network, tensors, saved };
}

/** Tensors whose gradient is needed: everything between `from`, each of them, and the inputs `to`. */
function onPath(network: Network, from: Iterable<string>, to: ReadonlySet<string>): ReadonlySet<string> {
  const reached = new Set(to);
  for (const node of network.nodes) if (node.inputs.some((input) => reached.has(input))) reached.add(node.output);
  for (const layer of from) {
    if (!reached.has(layer)) throw new UnitscopeError('no-gradient', `'${layer}' does not depend on the input`, { layer }, 'choose a layer that the input reaches');
  }
  return reached;
}

export interface BackwardOptions {
  /** Gradients of other tensors, by name, that the caller has put there as well: what comes from above is added to them. */
  readonly also?: ReadonlyMap<string, TensorRef>;
  /** The pass that the steps belong to. */
  readonly pass?: string;
}

/**
 * Records the backward pass from `from` (whose gradient the caller has put into `dy`) to the inputs in `to`.
 * A tensor that several layers read receives the sum of their gradients, in the fixed order of the layers.
 */
export function recordBackward(
  builder: PlanBuilder,
  { network, tensors, saved }: Recorded,
  from: string,
  dy: TensorRef,
  to: ReadonlyMap<string, TensorRef>,
  rules: AskedRules,
  lessons?: Lessons,
  { also = new Map(), pass = 'backward' }: BackwardOptions = {},
): Map<string, TensorRef> {
  const asked: Partial<BackwardRules> = typeof rules === 'string' ? { rule: rules } : rules;
  const { rule = 'gradient', switches = true, lrn = 'true' } = asked;
  const taught = lessons ? network.nodes.filter((node) => lessons.teaches(node)).map(({ output }) => output) : [];
  const wanted = onPath(network, [from, ...also.keys()], new Set([...to.keys(), ...taught]));
  const readers = consumers(network);
  const gradients = new Map<string, TensorRef>([[from, dy], ...also]);
  const target = (name: string): GradientTarget => {
    const known = gradients.get(name);
    if (known) return { tensor: known, accumulate: true };
    const tensor = to.get(name) ?? builder.tensor(`d ${name}`, tensors.get(name)!.shape);
    gradients.set(name, tensor);
    return { tensor, accumulate: false };
  };
  for (const node of [...network.nodes].reverse()) {
    const gradient = gradients.get(node.output);
    if (!gradient) continue;
    const op = opOf(node);
    if (op.view) {
      const name = node.inputs[0]!;
      const shared = to.has(name) || gradients.has(name) || readers.get(name)!.length > 1;
      if (wanted.has(name)) passThrough(builder, pass, node, gradient, tensors.get(name)!, shared, target, gradients);
      continue;
    }
    const context = {
      ...(lessons?.recorder('backward', node) ?? builder.recorder(pass, node.name, op.name)),
      node: lessons?.node(node) ?? node,
      attributes: attributesOf(node, op),
      x: node.inputs.map((name) => tensors.get(name)!),
      y: tensors.get(node.output)!,
      dy: gradient,
      saved: (key: string) => saved.get(`${node.output}/${key}`)!,
    };
    const learning = lessons?.learning(node);
    op.backward({ ...context, learning, dx: node.inputs.map((name) => (wanted.has(name) ? target(name) : undefined)), rule, switches, lrn });
    if (learning && lessons!.teaches(node)) op.learn!({ ...context, learning, dw: lessons!.targets(node) });
  }
  return gradients;
}

/**
 * The gradient of a view is the same memory under the input's shape. Where the input has other readers, or the
 * caller wants its gradient in a tensor of its own, it is copied or added there instead.
 */
function passThrough(
  builder: PlanBuilder,
  pass: string,
  node: Node,
  gradient: TensorRef,
  x: TensorRef,
  shared: boolean,
  target: (name: string) => GradientTarget,
  gradients: Map<string, TensorRef>,
): void {
  const name = node.inputs[0]!;
  if (!shared) {
    gradients.set(name, builder.view(`d ${name}`, gradient, x.shape));
    return;
  }
  passGradient({ ...builder.recorder(pass, node.name, node.op), dy: gradient }, target(name));
}
