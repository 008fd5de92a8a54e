/** Checks a network against the list of ops and infers every shape, before any GPU memory is taken. */
import { UnitscopeError } from '../errors.ts';
import type { Attributes, Network, Node, Shape } from '../network/network.ts';
import { OPS } from './index.ts';
import type { Op, Refuse } from './op.ts';

/** The op of a node, or a typed error. */
export function opOf(node: Node): Op {
  const op = OPS.get(node.op);
  if (!op) {
    throw new UnitscopeError(
      'model-unsupported',
      `layer '${node.name}' asks for the op '${node.op}', which is not implemented`,
      { layer: node.name, op: node.op },
      `implemented: ${[...OPS.keys()].join(', ')}`,
    );
  }
  return op;
}

/** The node's attributes over the op's defaults; an unknown or ill-typed one is an error. */
export function attributesOf(node: Node, op: Op): Attributes {
  for (const [name, value] of Object.entries(node.attributes)) {
    const expected = op.attributes[name];
    const address = { layer: node.name, op: node.op, attribute: name };
    if (expected === undefined) {
      const known = Object.keys(op.attributes).join(', ') || 'none';
      throw new UnitscopeError('model-unsupported', `${op.name} has no attribute '${name}'`, address, `known: ${known}`);
    }
    const numbers = Array.isArray(expected);
    const fits = numbers
      ? Array.isArray(value) && value.every(Number.isFinite) && (expected.length === 0 || value.length === expected.length || name === 'shape')
      : typeof value === typeof expected && (typeof value !== 'number' || Number.isFinite(value));
    if (!fits) {
      const wanted = numbers ? (expected.length ? `${expected.length} numbers` : 'a list of numbers') : `a ${typeof expected}`;
      throw new UnitscopeError('model-invalid', `attribute '${name}' of layer '${node.name}' must be ${wanted}, got ${JSON.stringify(value)}`, address);
    }
  }
  return { ...op.attributes, ...node.attributes };
}

/** Sizes past this are refused: no GPU of today holds such a tensor, and products stay exact. */
const MAX_ELEMENTS = 2 ** 31;

/**
 * The shape of every tensor of the network by name.
 * @param batch replaces axis 0 of every input; without it the sizes of the file are taken.
 * @throws model-unsupported (op, attribute), model-invalid (operands that do not fit), each naming the layer.
 */
export function shapesOf(network: Network, batch?: number): Map<string, Shape> {
  if (batch !== undefined && (!Number.isInteger(batch) || batch < 1)) {
    throw new UnitscopeError('usage', `the batch must be a positive whole number, got ${batch}`);
  }
  const shapes = new Map<string, Shape>();
  for (const { name, shape } of network.inputs) {
    shapes.set(name, batch === undefined ? shape : [batch, ...shape.slice(1)]);
  }
  for (const node of network.nodes) {
    const op = opOf(node);
    const refuse: Refuse = (message, hint = 'the model file contradicts itself, or it was exported for another input size') =>
      new UnitscopeError('model-invalid', `layer '${node.name}' (${node.op}): ${message}`, { layer: node.name, op: node.op }, hint);
    const inputs = node.inputs.map((name) => {
      const shape = shapes.get(name);
      if (!shape) throw refuse(`input '${name}' is made by no layer before it`);
      return shape;
    });
    if (inputs.length < op.arity[0] || inputs.length > op.arity[1]) throw refuse(`takes ${op.arity.join(' to ')} inputs, got ${inputs.length}`);
    for (const [role, required] of Object.entries(op.weights)) {
      if (required && !node.weights[role]) throw refuse(`the weight '${role}' is missing`);
    }
    for (const role of Object.keys(node.weights)) {
      if (!(role in op.weights)) throw refuse(`has no weight called '${role}'`, `known: ${Object.keys(op.weights).join(', ') || 'none'}`);
    }
    const shape = op.shape(inputs, attributesOf(node, op), node.weights, refuse);
    const total = shape.reduce((product, size) => product * size, 1);
    if (!(total <= MAX_ELEMENTS)) throw refuse(`its output [${shape}] has ${total} elements, more than ${MAX_ELEMENTS}`);
    shapes.set(node.output, shape);
  }
  return shapes;
}
