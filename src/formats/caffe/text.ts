/**
 * Protobuf's text format, as prototxt files are written in it: fields with their values in order, and where each stands.
 * What a field means is not known here. Untrusted: depth is bounded, every fault has its line and column.
 * Source: the protobuf text format specification.
 */
import { UnitscopeError } from '../../errors.ts';
import { quote } from '../../network/spelling.ts';
import { Budget } from '../budget.ts';

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A number, a word or a string as it is written, quotes and escapes resolved. */
export interface Scalar extends Position {
  readonly text: string;
  readonly quoted: boolean;
}

export interface Message extends Position {
  readonly fields: readonly TextField[];
}

export interface TextField extends Position {
  readonly name: string;
  readonly value: Scalar | Message;
}

export const isMessage = (value: Scalar | Message): value is Message => 'fields' in value;

/** A field and its value. */
const FIELD_BYTES = 240;

/** Deeper than any network description. */
const DEPTH_LIMIT = 32;

interface Token extends Position {
  readonly kind: 'word' | 'string' | 'mark' | 'end';
  readonly text: string;
}

const SPACE = /(?:[\s,;]|#[^\n]*)*/y;
const WORD = /[A-Za-z_][\w.]*|[-+]?(?:0[xX][\da-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?[fF]?|inf(?:inity)?|nan)/y;
const STRING = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/y;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v' };

/** @throws model-format with line and column */
export function parseText(text: string, file: string): Message {
  const tokens = new Tokens(text, file, new Budget(file, text.length));
  const fields = readFields(tokens, '', 0);
  return { line: 1, column: 1, fields };
}

class Tokens {
  private at = 0;
  private line = 1;
  private lineStart = 0;
  current: Token;

  constructor(
    private readonly text: string,
    private readonly file: string,
    readonly budget: Budget,
  ) {
    this.current = this.read();
  }

  /** The current token; the next one becomes current. */
  take(): Token {
    const token = this.current;
    if (token.kind !== 'end') this.current = this.read();
    return token;
  }

  takeMark(mark: string): boolean {
    if (this.current.kind !== 'mark' || this.current.text !== mark) return false;
    this.take();
    return true;
  }

  fault(message: string, { line, column }: Position = this.current): UnitscopeError {
    return new UnitscopeError('model-format', `line ${line}, column ${column}: ${message}`, { file: this.file });
  }

  private read(): Token {
    SPACE.lastIndex = this.at;
    const space = SPACE.exec(this.text)![0];
    for (let n = space.indexOf('\n'); n >= 0; n = space.indexOf('\n', n + 1)) {
      this.line++;
      this.lineStart = this.at + n + 1;
    }
    this.at += space.length;
    const place = { line: this.line, column: this.at - this.lineStart + 1 };
    if (this.at >= this.text.length) return { kind: 'end', text: 'the end of the file', ...place };
    for (const [kind, pattern] of [['word', WORD], ['string', STRING]] as const) {
      pattern.lastIndex = this.at;
      const match = pattern.exec(this.text)?.[0];
      if (match === undefined) continue;
      this.at += match.length;
      return { kind, text: match, ...place };
    }
    const mark = this.text[this.at]!;
    if (!'{}<>[]:'.includes(mark)) throw this.fault(`${quote(mark)} is not expected here`, place);
    this.at++;
    return { kind: 'mark', text: mark, ...place };
  }
}

function readFields(tokens: Tokens, close: string, depth: number): TextField[] {
  if (depth > DEPTH_LIMIT) throw tokens.fault(`more than ${DEPTH_LIMIT} levels of braces`);
  const fields: TextField[] = [];
  for (;;) {
    if (close !== '' && tokens.takeMark(close)) return fields;
    const { current } = tokens;
    if (current.kind === 'end' && close === '') return fields;
    if (current.kind !== 'word' || !/^[A-Za-z_]/.test(current.text)) {
      throw tokens.fault(`a name is expected, ${current.kind === 'end' ? `${quote(close)} is missing at ${current.text}` : `not ${quote(current.text)}`}`);
    }
    const { text: name, line, column } = tokens.take();
    const colon = tokens.takeMark(':');
    for (const value of readValues(tokens, colon, depth)) {
      tokens.budget.take(FIELD_BYTES);
      fields.push({ name, value, line, column });
    }
  }
}

/** One value, or those of a list. */
function readValues(tokens: Tokens, colon: boolean, depth: number): (Scalar | Message)[] {
  if (!tokens.takeMark('[')) return [readValue(tokens, colon, depth)];
  const values: (Scalar | Message)[] = [];
  while (!tokens.takeMark(']')) {
    if (tokens.current.kind === 'end') throw tokens.fault("']' is missing");
    values.push(readValue(tokens, true, depth));
  }
  return values;
}

function readValue(tokens: Tokens, colon: boolean, depth: number): Scalar | Message {
  const { line, column } = tokens.current;
  for (const [open, close] of ['{}', '<>']) {
    if (tokens.takeMark(open!)) return { line, column, fields: readFields(tokens, close!, depth + 1) };
  }
  if (!colon) throw tokens.fault("':' or '{' is expected");
  const { kind } = tokens.current;
  if (kind === 'word') return { line, column, text: tokens.take().text, quoted: false };
  if (kind !== 'string') throw tokens.fault(`a value is expected, not ${quote(tokens.current.text)}`);
  let text = '';
  while (tokens.current.kind === 'string') text += unescape(tokens.take().text.slice(1, -1)); // strings in a row are one
  return { line, column, text, quoted: true };
}

/** Bytes above 127 that are written as numbers stay code points: names and paths are all that is written so. */
function unescape(text: string): string {
  return text.replace(/\\(x[\da-fA-F]{1,2}|[0-7]{1,3}|.)/gs, (_, code: string) => {
    if (/^x[\da-fA-F]/.test(code)) return String.fromCharCode(parseInt(code.slice(1), 16));
    if (/^[0-7]/.test(code)) return String.fromCharCode(parseInt(code, 8));
    return ESCAPES[code] ?? code;
  });
}
