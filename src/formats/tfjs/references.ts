/** What a call reads: references to tensors in the form of Keras 2 (and TensorFlow.js), and in that of Keras 3. */
import { UnitscopeError } from '../../errors.ts';
import { quote } from '../../network/spelling.ts';
import type { Json, JsonObject } from '../json.ts';
import type { Section } from '../manifest/section.ts';

/** The output `tensor` of the call `node` of a layer. */
export interface Reference {
  readonly layer: string;
  readonly node: number;
  readonly tensor: number;
}

/** Arguments of a call that say nothing about inference, or what is true here anyway. */
const isIdle = (name: string, value: Json): boolean => value === null || (name === 'training' && value === false);

/**
 * All references under a key, in order.
 *   Keras 2: [[layer, node, tensor, {arguments}], ...], or one such entry without the outer list
 *   Keras 3: {args: [tensor or [tensor, ...]], kwargs: {}}, tensor = {class_name: '__keras_tensor__', config: {keras_history: [layer, node, tensor]}}
 * @throws model-format, model-unsupported for arguments that would change the layer
 */
export function readReferences(section: Section, key: string): Reference[] {
  const value = section.raw(key);
  const found: Reference[] = [];
  const fault = (): UnitscopeError => section.fault(key, 'is no list of references [layer, call, output]');
  const refuse = (what: string): UnitscopeError => new UnitscopeError('model-unsupported', `${section.path}: ${what} is not supported`, { file: section.file });

  const visit = (part: Json | undefined): void => {
    if (Array.isArray(part)) {
      const list = part as readonly Json[];
      if (typeof list[0] === 'string') found.push(entry(list));
      else list.forEach(visit);
    } else if (part instanceof Map) object(part as JsonObject);
    else throw fault();
  };
  const entry = (list: readonly Json[]): Reference => {
    const [layer, node, tensor, more] = list;
    const whole = [node, tensor].every((index) => typeof index === 'number' && Number.isSafeInteger(index) && index >= 0);
    if (typeof layer !== 'string' || !whole || list.length > 4) throw fault();
    if (more !== undefined) argumentsOf(more);
    return { layer, node: node as number, tensor: tensor as number };
  };
  const argumentsOf = (named: Json): void => {
    if (!(named instanceof Map)) throw fault();
    for (const [name, given] of named as JsonObject) if (!isIdle(name, given)) throw refuse(`the argument ${quote(name)} of a call`);
  };
  const object = (part: JsonObject): void => {
    if (part.get('class_name') === '__keras_tensor__') {
      const config = part.get('config');
      const history = config instanceof Map ? (config as JsonObject).get('keras_history') : undefined;
      if (!Array.isArray(history)) throw fault();
      found.push(entry(history as readonly Json[]));
    } else if (part.has('args')) {
      const named = part.get('kwargs');
      if (named !== undefined) argumentsOf(named);
      visit(part.get('args'));
    } else throw refuse(`a call of ${quote(String(part.get('class_name') ?? [...part.keys()][0] ?? 'nothing'))}`);
  };

  visit(value);
  return found;
}
