/**
 * A strict JSON reader for untrusted files. Unlike JSON.parse it refuses a key that stands twice in one object,
 * makes Maps (a key such as `__proto__` is only a key), limits the depth, and says where the text is wrong.
 */
import { UnitscopeError } from '../errors.ts';
import { quote } from '../network/spelling.ts';
import { Budget } from './budget.ts';

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export type JsonObject = ReadonlyMap<string, Json>;

const DEPTH_LIMIT = 64;
/** A list or an object, and one entry in it. */
const PART_BYTES = { list: 32, object: 200, item: 16, member: 80 } as const;
const SPACE = /[ \t\n\r]*/y;
const PLAIN_STRING = /"[^"\\\u0000-\u001f]*"/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;

/**
 * Throws 'model-format' with the character position of the fault.
 * @param base byte offset of the text in the file, added to positions in error addresses
 */
export function parseJson(text: string, file: string, base = 0): Json {
  let position = 0;
  const budget = new Budget(file, text.length);

  const fail = (message: string): UnitscopeError => {
    const before = text.slice(0, position);
    const line = before.split('\n').length;
    const column = position - before.lastIndexOf('\n');
    const where = `line ${line}, column ${column}`;
    return new UnitscopeError('model-format', `${message} (${where})`, { file, offset: base + position });
  };
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = position;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) position += found.length;
    return found;
  };
  const next = (): string => {
    match(SPACE);
    return text.charAt(position);
  };
  const string = (): string => {
    const plain = match(PLAIN_STRING);
    if (plain !== undefined) return plain.slice(1, -1);
    const escaped = match(STRING);
    if (escaped === undefined) throw fail('the JSON text has a broken string');
    return JSON.parse(escaped) as string;
  };
  const word = (expected: string, value: Json): Json => {
    if (!text.startsWith(expected, position)) throw fail('the JSON text has something that is no value');
    position += expected.length;
    return value;
  };

  const value = (depth: number): Json => {
    if (depth > DEPTH_LIMIT) throw fail(`the JSON text nests deeper than ${DEPTH_LIMIT}`);
    const first = next();
    if (first === '{') return object(depth);
    if (first === '[') return array(depth);
    if (first === '"') return string();
    if (first === 't') return word('true', true);
    if (first === 'f') return word('false', false);
    if (first === 'n') return word('null', null);
    if (first === '') throw fail('the JSON text ends too early');
    const number = match(NUMBER);
    if (number === undefined) throw fail('the JSON text has something that is no value');
    return Number(number);
  };
  const object = (depth: number): JsonObject => {
    budget.take(PART_BYTES.object);
    const members = new Map<string, Json>();
    position++;
    if (next() === '}') return (position++, members);
    for (;;) {
      if (next() !== '"') throw fail('the JSON text needs a key here');
      budget.take(PART_BYTES.member);
      const key = string();
      if (members.has(key)) throw fail(`the key ${quote(key)} stands twice in one object`);
      if (next() !== ':') throw fail(`the JSON text needs a ':' after the key ${quote(key)}`);
      position++;
      members.set(key, value(depth + 1));
      const separator = next();
      if (separator !== ',' && separator !== '}') throw fail("the JSON text needs ',' or '}' here");
      position++;
      if (separator === '}') return members;
    }
  };
  const array = (depth: number): Json[] => {
    budget.take(PART_BYTES.list);
    const items: Json[] = [];
    position++;
    if (next() === ']') return (position++, items);
    for (;;) {
      budget.take(PART_BYTES.item);
      items.push(value(depth + 1));
      const separator = next();
      if (separator !== ',' && separator !== ']') throw fail("the JSON text needs ',' or ']' here");
      position++;
      if (separator === ']') return items;
    }
  };

  const result = value(0);
  if (next() !== '') throw fail('the JSON text goes on after its end');
  return result;
}
