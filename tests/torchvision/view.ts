/** Changes of shape as torch.onnx writes them: with literal sizes, or with sizes that the graph works out. */
import type { Exporter } from './exporter.ts';
import { count, type Value } from './graph.ts';
import type { Shape } from '../../src/network/network.ts';

/** The size of an axis as a scalar, from the tensor's shape. */
function size(t: Exporter, at: string, x: Value, axis: number): Value {
  const shape = t.call({ at, op: 'Shape', inputs: [x], shape: [x.shape.length] });
  return t.call({ at, op: 'Gather', inputs: [shape, t.constant(at, [axis], [])], attributes: { axis: 0 }, shape: [] });
}

function unsqueeze(t: Exporter, at: string, x: Value | string, axis: number, shape: Shape): Value {
  return t.opset < 13
    ? t.call({ at, op: 'Unsqueeze', inputs: [x], attributes: { axes: [axis] }, shape })
    : t.call({ at, op: 'Unsqueeze', inputs: [x, t.constant(at, [axis])], shape });
}

/** Reshape to sizes of which some are computed; the others are numbers. `shape` is what comes out. */
function reshapeTo(t: Exporter, at: string, x: Value, sizes: readonly (Value | number)[], shape: Shape): Value {
  const parts = sizes.map((part) => (typeof part === 'number' && t.opset >= 13 ? t.constant(at, [part]) : unsqueeze(t, at, typeof part === 'number' ? t.constant(at, [part], []) : part, 0, [1])));
  const joined = t.call({ at, op: 'Concat', inputs: parts, attributes: { axis: 0 }, shape: [sizes.length] });
  return t.call({ at, op: 'Reshape', inputs: [x, joined], attributes: t.opset >= 14 ? { allowzero: 0 } : {}, shape });
}

function reshape(t: Exporter, at: string, x: Value, shape: Shape): Value {
  return t.call({ at, op: 'Reshape', inputs: [x, t.constant(at, shape)], attributes: t.opset >= 14 ? { allowzero: Number(t.opset >= 18) } : {}, shape });
}

/** All axes but the batch as one: `x.view(x.size(0), -1)` in old models, torch.flatten(x, 1) later, a view in the last exporter. */
export function flatten(t: Exporter, at: string, x: Value): Value {
  const shape = [x.shape[0]!, count(x.shape.slice(1))];
  if (t.opset < 9) return reshapeTo(t, at, x, [size(t, at, x, 0), -1], shape);
  if (t.opset < 18) return t.call({ at, op: 'Flatten', inputs: [x], attributes: { axis: 1 }, shape });
  if (!t.openBatch) return reshape(t, at, x, shape);
  const batch = t.call({ at, op: 'Shape', inputs: [x], attributes: { start: 0, end: 1 }, shape: [1] });
  const joined = t.call({ at, op: 'Concat', inputs: [batch, t.constant(at, [shape[1]!])], attributes: { axis: 0 }, shape: [2] });
  return t.call({ at, op: 'Reshape', inputs: [x, joined], attributes: { allowzero: 1 }, shape });
}

/** Channels of several groups in turn: to five axes, two of them exchanged, and back. */
export function channelShuffle(t: Exporter, at: string, x: Value, groups: number): Value {
  const [batch, channels, height, width] = x.shape as [number, number, number, number];
  const split = [batch, groups, channels / groups, height, width];
  const exchange = (y: Value): Value => t.permute(at, y, [0, 2, 1, 3, 4]);
  if (!t.openBatch) return reshape(t, at, exchange(reshape(t, at, x, split)), x.shape);
  const known = t.opset >= 13;
  const of = (axis: number): Value | number => (known && axis > 0 ? x.shape[axis]! : size(t, at, x, axis));
  const [n, c, h, w] = [of(0), of(1), of(2), of(3)];
  const perGroup = typeof c === 'number' ? c / groups : t.call({ at, op: 'Div', inputs: [c, t.constant(at, [groups], [])], shape: [] });
  return reshapeTo(t, at, exchange(reshapeTo(t, at, x, [n, groups, perGroup, h, w], split)), [n, known ? channels : -1, h, w], x.shape);
}

/** Two halves of the channels: Split (sizes as attribute or operand), or slices whose bounds the graph works out. */
export function chunk(t: Exporter, at: string, x: Value): [Value, Value] {
  const half = x.shape[1]! / 2;
  const shape = x.shape.with(1, half);
  if (t.opset < 11 || t.opset >= 18) {
    const attributes = { axis: 1, ...(t.opset < 13 && { split: [half, half] }) };
    return t.calls({ at, op: 'Split', inputs: t.opset < 13 ? [x] : [x, t.constant(at, [half, half])], attributes, power: x.power }, [shape, shape]) as [Value, Value];
  }
  const axis = t.constant(at, [1]);
  const length = t.call({ at, op: 'Gather', inputs: [t.call({ at, op: 'Shape', inputs: [x], shape: [4] }), axis], attributes: { axis: 0 }, shape: [1] });
  const part = t.call({ at, op: 'Div', inputs: [t.call({ at, op: 'Add', inputs: [length, t.constant(at, [1])], shape: [1] }), t.constant(at, [2])], shape: [1] });
  const end = (index: number): Value => t.call({ at, op: 'Mul', inputs: [part, t.constant(at, [index])], shape: [1] });
  const [first, second] = [end(1), end(2)];
  const slice = (from: Value | string, to: Value): Value => t.call({ at, op: 'Slice', inputs: [x, from, to, axis], shape });
  return [slice(t.constant(at, [0]), first), slice(first, second)];
}

/** `torch.unsqueeze(x[:, channel], 1)` scaled and shifted: how the first Inception models change the normalization. */
export function normalizedChannel(t: Exporter, at: string, x: Value, channel: number, [scale, shift]: readonly [number, number]): Value {
  const [batch, , height, width] = x.shape as [number, number, number, number];
  const shape = [batch, 1, height, width];
  const plane = t.call({ at, op: 'Gather', inputs: [x, t.constant(at, [channel], [])], attributes: { axis: 1 }, shape: [batch, height, width] });
  const scaled = t.call({ at, op: 'Mul', inputs: [unsqueeze(t, at, plane, 1, shape), t.scalar(at, scale)], shape });
  return t.call({ at, op: 'Add', inputs: [scaled, t.scalar(at, shift)], shape });
}
