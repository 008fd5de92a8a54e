/** Relu, Clip, Add, Sum, Dropout, Identity. */
import type { Shape, Tensor } from '../../../network/network.ts';
import { asWeight } from '../tensor.ts';
import type { Mapping, NodeTranslation } from '../translation.ts';

/** Largest finite float32: stands for a bound that is left out. */
const UNBOUNDED = 3.4028234663852886e38;

export const relu: Mapping = (t) => {
  const x = t.runtime(0);
  t.emit({ op: 'relu', inputs: [x.name], shape: x.shape });
};

/** Clip: bounds are attributes before version 11, operands from then on. */
export const clip: Mapping = (t) => {
  const bound = (index: number, name: 'min' | 'max', unbounded: number): number => {
    let value = t.opset < 11 ? t.attributes.float(name, unbounded) : unbounded;
    if (t.opset >= 11 && t.operand(index)) {
      const { data, shape } = t.weight(index, `the bound ${name}`);
      if (data.length !== 1) throw t.invalid(`the bound ${name} has the shape [${shape}]`);
      value = data[0]!;
    }
    if (Number.isNaN(value)) throw t.invalid(`the bound ${name} is not a number`);
    return Math.max(-UNBOUNDED, Math.min(UNBOUNDED, value));
  };
  const attributes = { min: bound(1, 'min', -UNBOUNDED), max: bound(2, 'max', UNBOUNDED) };
  const x = t.runtime(0);
  t.emit({ op: 'clip', inputs: [x.name], attributes, shape: x.shape });
};

export const add: Mapping = (t) => {
  let axis: number | undefined;
  if (t.opset < 7) {
    // Before version 7 the second operand was aligned at `axis`, or at the end, and only with `broadcast`.
    t.attributes.ignore('broadcast');
    if (t.attributes.has('axis')) axis = t.attributes.integer('axis', 0);
  }
  if (t.node.inputs.length !== 2) throw t.invalid(`has ${t.node.inputs.length} operands instead of 2`);
  addOperands(t, 0, 1, axis);
};

/** Sum of any number of operands, as a chain of additions. */
export const sum: Mapping = (t) => {
  const count = t.node.inputs.length;
  if (count === 0) throw t.invalid('has no operands');
  if (count === 1) {
    identity(t);
    return;
  }
  if (count === 2) {
    addOperands(t, 0, 1, undefined);
    return;
  }
  let total = t.runtime(0);
  for (let index = 1; index < count; index++) {
    const x = t.runtime(index);
    const shape = broadcast(t, total.shape, x.shape);
    const part = index < count - 1 ? `sum${index}` : undefined;
    const name = t.emit({ op: 'add', inputs: [total.name, x.name], shape, ...(part && { part }) });
    total = { name, shape, batched: total.batched };
  }
};

function addOperands(t: NodeTranslation, left: number, right: number, axis: number | undefined): void {
  const constant = t.operand(right)?.constant ?? t.operand(left)?.constant;
  if (!constant) {
    const [a, b] = [t.runtime(left), t.runtime(right)];
    if (axis !== undefined && axis + b.shape.length !== a.shape.length) {
      throw t.refuse(`adding a computed tensor at axis ${axis} is not supported`, 'axis');
    }
    const shape = broadcast(t, a.shape, b.shape);
    t.emit({ op: 'add', inputs: [a.name, b.name], shape, batched: a.shape.length >= b.shape.length ? a.batched : b.batched });
    return;
  }
  const x = t.runtime(t.operand(right)?.constant ? left : right);
  const addend: Tensor | undefined = asWeight(constant);
  if (!addend) throw t.refuse(`adds ${constant.type} numbers`);
  const aligned = axis === undefined ? addend.shape : alignedAt(t, addend.shape, axis, x.shape.length);
  const shape = broadcast(t, x.shape, aligned);
  t.emit({ op: 'add', inputs: [x.name], weights: { addend: { shape: aligned, data: addend.data } }, shape });
}

/** A shape that begins at `axis` of a tensor with `rank` axes, filled up with ones behind. */
function alignedAt(t: NodeTranslation, shape: Shape, axis: number, rank: number): Shape {
  const start = axis < 0 ? axis + rank : axis;
  const behind = rank - start - shape.length;
  if (start < 0 || behind < 0) throw t.invalid(`the second operand [${shape}] does not fit at axis ${axis}`);
  return [...shape, ...new Array<number>(behind).fill(1)];
}

/** The common shape of two operands by the rules of numpy. */
function broadcast(t: NodeTranslation, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    if (left !== right && left !== 1 && right !== 1) throw t.invalid(`[${a}] and [${b}] cannot be added`);
    return Math.max(left, right);
  });
}

/** Dropout does nothing at inference. */
export const dropout: Mapping = (t) => {
  t.attributes.ignore('ratio', 'seed', 'is_test');
  if (t.isUsed(1)) throw t.refuse('its mask is used');
  const training = t.opset >= 12 ? t.optionalConstant(2, 'training_mode') : undefined;
  if (training?.data.some((value) => value !== 0)) throw t.refuse('training_mode is not supported');
  identity(t);
};

export const identity: Mapping = (t) => {
  const known = t.operand(0)?.constant;
  if (known) {
    t.fold(known);
    return;
  }
  const x = t.runtime(0);
  t.emit({ op: 'identity', inputs: [x.name], shape: x.shape });
};
