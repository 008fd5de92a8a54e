/**
 * Operations that are no layers: arithmetic that was written between them. Keras 3 calls them by their own names and gives
 * constants among the operands; Keras 2 has TFOpLambda with the name of a TensorFlow function.
 */
import { quote } from '../../../network/spelling.ts';
import type { LayerTranslation, Mapping } from '../translation.ts';
import { plainOrder, transposed, type Value } from '../value.ts';
import { applied } from './activation.ts';
import { add, divide, maximum, minimum, multiply, subtract } from './merge.ts';

/** Operations of two operands: the op, and the name that its constant has. */
const ARITHMETIC: Readonly<Record<string, { op: string; mapping: Mapping }>> = {
  add: { op: 'add', mapping: add },
  subtract: { op: 'subtract', mapping: subtract },
  multiply: { op: 'multiply', mapping: multiply },
  divide: { op: 'divide', mapping: divide },
  truedivide: { op: 'divide', mapping: divide },
  truediv: { op: 'divide', mapping: divide },
  maximum: { op: 'maximum', mapping: maximum },
  minimum: { op: 'minimum', mapping: minimum },
};

/** `math.truediv` and `__operators__.add` of TensorFlow, `TrueDivide` of Keras. */
function nameOf(t: LayerTranslation): string {
  const { type } = t.call.layer;
  return (type === 'TFOpLambda' ? t.config.text('function').split('.').at(-1)! : type).toLowerCase();
}

const arithmeticOf = (name: string) => (Object.hasOwn(ARITHMETIC, name) ? ARITHMETIC[name] : undefined);

/** A TensorFlow function of tensors. */
export const operation: Mapping = (t) => {
  const name = nameOf(t);
  const known = arithmeticOf(name);
  return known ? known.mapping(t) : applied(t, t.input(), name);
};

/** How a call with constants among its operands is made. */
export function withConstant(t: LayerTranslation): Mapping {
  const name = nameOf(t);
  const known = arithmeticOf(name);
  const { constants, inputs } = t.call;
  if (!known || constants.length !== 1 || inputs.length !== 1) throw t.refuse(`${quote(name)} of ${inputs.length} tensors and ${constants.length} constants is not supported`);
  return () => withOperand(t, known.op);
}

function withOperand(t: LayerTranslation, op: string): Value {
  const [{ at, value }] = t.call.constants as [(typeof t.call.constants)[number]];
  const input = t.input();
  const rank = input.shape.length;
  if (value.shape.length > rank) throw t.refuse(`a constant of ${value.shape.length} axes is not supported here`);
  const single = value.data.length === 1;
  const x = single || !input.flattened ? input : t.plain(input);
  const wide = [...plainOrder(rank - value.shape.length).map(() => 1), ...value.shape];
  if (wide.some((size, axis) => size !== 1 && size !== x.shape[axis])) throw t.invalid(`a constant of [${value.shape}] does not fit [${x.shape}]`);
  const constant = single ? { shape: [1], data: value.data } : transposed({ shape: wide, data: value.data }, x.order);
  const weights = op === 'add' ? { addend: constant } : { operand: constant };
  const reversed = at === 0 && op !== 'add';
  return { ...x, name: t.emit({ op, inputs: [x.name], weights, ...(reversed && { attributes: { reversed } }) }) };
}
