/** What a call reads: references to tensors in the form of Keras 2 (and TensorFlow.js), and in that of Keras 3; constants too. */
import type { UnitscopeError } from '../../errors.ts';
import type { Tensor } from '../../network/network.ts';
import { quote } from '../../network/spelling.ts';
import { elementCount } from '../../network/validate.ts';
import type { Json, JsonObject } from '../json.ts';
import type { Section } from '../manifest/section.ts';

/** The output `tensor` of the call `node` of a layer. */
export interface Reference {
  readonly layer: string;
  readonly node: number;
  readonly tensor: number;
}

/** A number, or an array of numbers, in place of a tensor that is computed. */
export interface Constant {
  /** Its place among the operands. */
  readonly at: number;
  readonly value: Tensor;
}

export interface Operands {
  readonly references: readonly Reference[];
  readonly constants: readonly Constant[];
  /** What of the call is not supported. */
  readonly refused: readonly string[];
}

/** Arguments of a call that say nothing about inference, or what is true here anyway. */
const isIdle = (name: string, value: Json): boolean => value === null || name === 'name' || (name === 'training' && value === false);
/** Names that the second operand of an operation has. */
const SECOND = ['y', 'x2'];
/** Objects that hold an array of numbers. */
const ARRAYS: readonly Json[] = ['__tensor__', '__numpy__'];

/**
 * All operands under a key, in order.
 *   Keras 2: [[layer, node, tensor, {arguments}], ...], or one such entry without the outer list
 *   Keras 3: {args: [tensor or [tensor, ...]], kwargs: {}}, tensor = {class_name: '__keras_tensor__', config: {keras_history: [layer, node, tensor]}}
 * @throws model-format
 */
export function readOperands(section: Section, key: string): Operands {
  const references: Reference[] = [];
  const constants: Constant[] = [];
  const fault = (): UnitscopeError => section.fault(key, 'is no list of references [layer, call, output]');
  const refused: string[] = [];
  const constant = (value: Json): void => {
    const tensor = tensorOf(value);
    if (!tensor) throw fault();
    constants.push({ at: references.length + constants.length, value: tensor });
  };

  const visit = (part: Json | undefined): void => {
    if (typeof part === 'number' || isNumbers(part)) constant(part);
    else if (Array.isArray(part)) {
      const list = part as readonly Json[];
      if (typeof list[0] === 'string') entry(list);
      else list.forEach(visit);
    } else if (part instanceof Map) object(part as JsonObject);
    else throw fault();
  };
  const entry = (list: readonly Json[]): void => {
    const [layer, node, tensor, more] = list;
    const whole = [node, tensor].every((index) => typeof index === 'number' && Number.isSafeInteger(index) && index >= 0);
    if (typeof layer !== 'string' || !whole || list.length > 4) throw fault();
    references.push({ layer, node: node as number, tensor: tensor as number });
    if (more !== undefined) named(more);
  };
  const named = (given: Json): void => {
    if (!(given instanceof Map)) throw fault();
    for (const [name, value] of given as JsonObject) {
      if (SECOND.includes(name)) visit(value);
      else if (!isIdle(name, value)) refused.push(`the argument ${quote(name)} of its call is not supported`);
    }
  };
  const object = (part: JsonObject): void => {
    const type = part.get('class_name') ?? null;
    const config = part.get('config');
    if (type === '__keras_tensor__') {
      const history = config instanceof Map ? (config as JsonObject).get('keras_history') : undefined;
      if (!Array.isArray(history)) throw fault();
      entry(history as readonly Json[]);
    } else if (ARRAYS.includes(type)) constant((config instanceof Map ? (config as JsonObject).get('value') : null) ?? null);
    else if (part.has('args')) {
      visit(part.get('args'));
      const more = part.get('kwargs');
      if (more !== undefined) named(more);
    } else refused.push(`${quote(String(type ?? [...part.keys()][0] ?? 'nothing'))} among the operands of its call is not supported`);
  };

  visit(section.raw(key));
  return { references, constants, refused };
}

/** References alone. @throws model-format where there is anything else */
export function readReferences(section: Section, key: string): readonly Reference[] {
  const { references, constants, refused } = readOperands(section, key);
  if (constants.length > 0 || refused.length > 0) throw section.fault(key, 'holds more than references');
  return references;
}

/** Numbers, nested or not, at least one. */
const isNumbers = (value: Json | undefined): value is readonly Json[] =>
  Array.isArray(value) && value.length > 0 && (value as readonly Json[]).every((part) => typeof part === 'number' || isNumbers(part));

/** A number or nested lists of one shape; undefined for anything else. */
function tensorOf(value: Json): Tensor | undefined {
  const shape: number[] = [];
  for (let part = value; Array.isArray(part); part = (part as readonly Json[])[0] ?? null) shape.push((part as readonly Json[]).length);
  let flat: readonly Json[] = [value];
  for (let depth = 0; depth < shape.length; depth++) flat = flat.flatMap((part) => part as readonly Json[]);
  if (flat.length !== elementCount(shape) || !flat.every((number): number is number => typeof number === 'number')) return undefined;
  return { shape, data: Float32Array.from(flat) };
}
