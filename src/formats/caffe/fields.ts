/** Fields of a prototxt message by name and type. What nobody has asked for can be told: it would change the network. */
import { UnitscopeError } from '../../errors.ts';
import { quote } from '../../network/spelling.ts';
import { isMessage, type Message, type Position, type Scalar } from './text.ts';

export class Fields {
  private readonly asked = new Set<string>();

  constructor(
    readonly message: Message,
    readonly file: string,
    /** What the message is, for errors, e.g. `pooling_param`. */
    readonly what = 'the network',
  ) {}

  has(name: string): boolean {
    return this.message.fields.some((field) => field.name === name);
  }

  /** All values of a field that are written one after another or as a list. */
  texts(name: string): string[] {
    return this.scalars(name).map(({ text }) => text);
  }

  /** The last one counts, as protobuf has it. */
  text(name: string): string | undefined {
    return this.texts(name).at(-1);
  }

  numbers(name: string): number[] {
    return this.scalars(name).map((scalar) => this.numberOf(name, scalar));
  }

  number(name: string, fallback: number): number {
    return this.numbers(name).at(-1) ?? fallback;
  }

  integers(name: string): number[] {
    return this.scalars(name).map((scalar) => {
      const value = this.numberOf(name, scalar);
      if (!Number.isSafeInteger(value)) throw this.fault(`${name} must be a whole number, not ${quote(scalar.text)}`, scalar);
      return value;
    });
  }

  integer(name: string): number | undefined;
  integer(name: string, fallback: number): number;
  integer(name: string, fallback?: number): number | undefined {
    return this.integers(name).at(-1) ?? fallback;
  }

  boolean(name: string, fallback: boolean): boolean {
    const scalar = this.scalars(name).at(-1);
    if (!scalar) return fallback;
    if (/^(true|t|1)$/i.test(scalar.text)) return true;
    if (/^(false|f|0)$/i.test(scalar.text)) return false;
    throw this.fault(`${name} must be true or false, not ${quote(scalar.text)}`, scalar);
  }

  /** A word of an enumeration, by its name or its number, which is `first` for the first word. */
  word<W extends string>(name: string, words: readonly W[], fallback: W, first = 0): W {
    const scalar = this.scalars(name).at(-1);
    if (!scalar) return fallback;
    const word = words.find((candidate, index) => candidate === scalar.text || String(first + index) === scalar.text);
    if (!word) throw this.fault(`${name} must be one of ${words.join(', ')}, not ${quote(scalar.text)}`, scalar);
    return word;
  }

  messages(name: string): Fields[] {
    this.asked.add(name);
    return this.message.fields
      .filter((field) => field.name === name)
      .map(({ value, line, column }) => {
        if (!isMessage(value)) throw this.fault(`${name} must be a message in braces`, { line, column });
        return new Fields(value, this.file, name);
      });
  }

  /** Fields that change nothing that the network computes. */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.asked.add(name);
  }

  unread(): string[] {
    return [...new Set(this.message.fields.map(({ name }) => name))].filter((name) => !this.asked.has(name));
  }

  fault(message: string, { line, column }: Position = this.message): UnitscopeError {
    return new UnitscopeError('model-invalid', `line ${line}, column ${column}, in ${this.what}: ${message}`, { file: this.file });
  }

  private scalars(name: string): Scalar[] {
    this.asked.add(name);
    return this.message.fields
      .filter((field) => field.name === name)
      .map(({ value, line, column }) => {
        if (isMessage(value)) throw this.fault(`${name} must be a single value`, { line, column });
        return value;
      });
  }

  private numberOf(name: string, scalar: Scalar): number {
    const value = scalar.quoted ? NaN : Number(scalar.text.replace(/(?<!x[\da-fA-F]*)f$/i, ''));
    if (!Number.isFinite(value)) throw this.fault(`${name} must be a number, not ${quote(scalar.text)}`, scalar);
    return value;
  }
}
