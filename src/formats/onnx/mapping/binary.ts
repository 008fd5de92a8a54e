/** Add, Sub, Mul, Div, Min, Max, Sum, Mean, PRelu, Neg, Reciprocal: two or more operands with numpy broadcasting. */
import type { Attributes, Shape, Tensor } from '../../../network/network.ts';
import { broadcastShapes, grownTogether } from '../axes.ts';
import { asWeight } from '../tensor.ts';
import type { Mapping, NodeTranslation } from '../translation.ts';
import type { RuntimeOperand } from '../value.ts';
import { identity } from './curve.ts';

interface Arithmetic {
  readonly op: string;
  /** The role of a constant operand. */
  readonly role: string;
  /** Whether the order of the operands matters. */
  readonly ordered: boolean;
}

const arithmetic = (op: string, ordered = false, role = 'operand'): Arithmetic => ({ op, role, ordered });

const ADD = arithmetic('add', false, 'addend');
const MULTIPLY = arithmetic('multiply');
const DIVIDE = arithmetic('divide', true);

/** Exactly two operands. */
function pair(kind: Arithmetic): Mapping {
  return (t) => {
    let axis: number | undefined;
    if (t.opset < 7) {
      // Before version 7 the second operand was aligned at `axis`, or at the end, and only with `broadcast`.
      t.attributes.ignore('broadcast');
      if (t.attributes.has('axis')) axis = t.attributes.integer('axis', 0);
    }
    if (t.node.inputs.length !== 2) throw t.invalid(`has ${t.node.inputs.length} operands instead of 2`);
    combine(t, kind, axis);
  };
}

export const add = pair(ADD);
export const subtract = pair(arithmetic('subtract', true));
export const multiply = pair(MULTIPLY);
export const divide = pair(DIVIDE);

/** Any number of operands, as a chain; `finish` makes the last layer. */
function chain(kind: Arithmetic, finish?: (t: NodeTranslation, total: RuntimeOperand) => void): Mapping {
  return (t) => {
    const count = t.node.inputs.length;
    if (count === 0) throw t.invalid('has no operands');
    if (count === 1) {
      identity(t);
      return;
    }
    if (count === 2 && !finish) {
      combine(t, kind, undefined);
      return;
    }
    // The computed ones first, so that there is something to combine the constants with.
    const order = [...t.node.inputs.keys()].sort((a, b) => Number(!!t.operand(a)?.constant) - Number(!!t.operand(b)?.constant));
    let total = t.runtime(order[0]!);
    order.slice(1).forEach((index, step) => {
      const isLast = step === count - 2 && !finish;
      const part = isLast ? undefined : `${kind.op}${step + 1}`;
      const constant = t.operand(index)?.constant;
      total = constant ? withConstant(t, kind, total, weightOf(t, index), { part }) : withComputed(t, kind, total, t.runtime(index), part);
    });
    finish?.(t, total);
  };
}

export const sum = chain(ADD);
export const minimum = chain(arithmetic('minimum'));
export const maximum = chain(arithmetic('maximum'));
export const mean = chain(ADD, (t, total) => void withConstant(t, DIVIDE, total, scalar(t.node.inputs.length)));

export const negate = curveWith(MULTIPLY, -1);
export const reciprocal = curveWith(DIVIDE, 1, { reversed: true });

/** A computed operand with one number. */
function curveWith(kind: Arithmetic, value: number, attributes: Attributes = {}): Mapping {
  return (t) => void withConstant(t, kind, t.runtime(0), scalar(value), { attributes });
}

const scalar = (value: number): Tensor => ({ shape: [1], data: Float32Array.of(value) });

function combine(t: NodeTranslation, kind: Arithmetic, axis: number | undefined): void {
  const at = t.operand(1)?.constant ? 1 : t.operand(0)?.constant ? 0 : undefined;
  if (at === undefined) {
    const [a, b] = [t.runtime(0), t.runtime(1)];
    if (axis !== undefined && axis + b.shape.length !== a.shape.length) {
      throw t.refuse(`a computed tensor as second operand at axis ${axis} is not supported`, 'axis');
    }
    withComputed(t, kind, a, b);
    return;
  }
  const x = t.runtime(1 - at);
  const weight = weightOf(t, at);
  const shape = axis === undefined ? weight.shape : alignedAt(t, weight.shape, axis, x.shape.length);
  withConstant(t, kind, x, { shape, data: weight.data }, { attributes: kind.ordered && at === 0 ? { reversed: true } : {} });
}

function weightOf(t: NodeTranslation, index: number): Tensor {
  const constant = t.constant(index, `operand ${index + 1}`);
  const weight = asWeight(constant);
  if (!weight) throw t.refuse(`works on ${constant.type} numbers`);
  const value = t.operand(index)!;
  if (value.grownConstant !== value.constant) t.noteBatch(`operand ${index + 1}`);
  return weight;
}

function withComputed(t: NodeTranslation, { op }: Arithmetic, a: RuntimeOperand, b: RuntimeOperand, part?: string): RuntimeOperand {
  const shape = broadcastShapes(t, [a.shape, b.shape]);
  return t.emit({ op, inputs: [a, b], shape, grown: grownTogether(t, [a.grown, b.grown], shape), part });
}

function withConstant(
  t: NodeTranslation,
  { op, role }: Arithmetic,
  x: RuntimeOperand,
  weight: Tensor,
  { part, attributes = {} }: { part?: string | undefined; attributes?: Attributes } = {},
): RuntimeOperand {
  const shape = broadcastShapes(t, [x.shape, weight.shape]);
  return t.emit({ op, inputs: [x], attributes, weights: { [role]: weight }, shape, grown: grownTogether(t, [x.grown, weight.shape], shape), part });
}

/** A shape that begins at `axis` of a tensor with `rank` axes, filled up with ones behind. */
function alignedAt(t: NodeTranslation, shape: Shape, axis: number, rank: number): Shape {
  const start = axis < 0 ? axis + rank : axis;
  const behind = rank - start - shape.length;
  if (start < 0 || behind < 0) throw t.invalid(`the second operand [${shape}] does not fit at axis ${axis}`);
  return [...shape, ...new Array<number>(behind).fill(1)];
}

/** PRelu. A slope with one number per channel is taken as such where numpy's rules do not allow it: older files have it so. */
export const prelu: Mapping = (t) => {
  const stated = t.weight(1, 'the slope');
  const x = t.runtime(0);
  const channels = x.shape[1];
  const perChannel = stated.shape.length === 1 && stated.data.length === channels && x.shape.length > 2;
  const isOld = perChannel && (t.opset < 7 || x.shape.at(-1) !== channels);
  if (isOld && t.opset >= 7) t.note('its slope is taken as one number per channel');
  const slope = isOld ? { shape: alignedAt(t, stated.shape, 1, x.shape.length), data: stated.data } : stated;
  const shape = broadcastShapes(t, [x.shape, slope.shape]);
  if (shape.some((size, axis) => size !== x.shape[axis]) || shape.length !== x.shape.length) throw t.invalid(`the slope [${slope.shape}] does not fit [${x.shape}]`);
  t.emit({ op: 'prelu', inputs: [x], weights: { slope }, shape: x.shape, grown: grownTogether(t, [x.grown, slope.shape], x.shape) });
};
