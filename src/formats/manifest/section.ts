/** One JSON object of a manifest, read key by key; every fault names its path, e.g. `nodes[3].attributes.stride`. */
import { UnitscopeError } from '../../errors.ts';
import { didYouMean, quote } from '../../network/spelling.ts';
import type { Json, JsonObject } from '../json.ts';

export class Section {
  private readonly asked = new Set<string>();
  private readonly members: JsonObject;
  readonly path: string;
  readonly file: string;

  constructor(value: Json | undefined, path: string, file: string) {
    this.path = path;
    this.file = file;
    if (!(value instanceof Map)) throw this.fault('', `must be an object, ${kindOf(value)} is there`);
    this.members = value;
  }

  /** A 'model-format' error about a key of this object. */
  fault(key: string, message: string, hint = ''): UnitscopeError {
    const path = [this.path, key].filter(Boolean).join('.') || 'the manifest';
    return new UnitscopeError('model-format', `${path}: ${message}`, { file: this.file, attribute: path }, hint);
  }

  has(key: string): boolean {
    this.asked.add(key);
    return this.members.has(key);
  }

  keys(): string[] {
    return [...this.members.keys()];
  }

  raw(key: string): Json | undefined {
    this.asked.add(key);
    return this.members.get(key);
  }

  text(key: string): string {
    const value = this.raw(key);
    if (typeof value !== 'string') throw this.fault(key, `must be a text, ${kindOf(value)} is there`);
    return value;
  }

  /** A text that names something: not empty. */
  title(key: string): string {
    const value = this.text(key);
    if (value === '') throw this.fault(key, 'must not be empty');
    return value;
  }

  oneOf<T extends string>(key: string, words: readonly T[]): T {
    const value = this.text(key);
    const found = words.find((word) => word === value);
    if (found === undefined) throw this.fault(key, `${quote(value)} is none of ${words.join(', ')}`, didYouMean(value, words));
    return found;
  }

  number(key: string): number {
    const value = this.raw(key);
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      throw this.fault(key, `must be a finite number, ${kindOf(value)} is there`);
    }
    return value;
  }

  list(key: string): readonly Json[] {
    const value = this.raw(key);
    if (!Array.isArray(value)) throw this.fault(key, `must be a list, ${kindOf(value)} is there`);
    return value as readonly Json[];
  }

  texts(key: string): string[] {
    return this.list(key).map((value, index) => {
      if (typeof value !== 'string') throw this.fault(`${key}[${index}]`, `must be a text, ${kindOf(value)} is there`);
      return value;
    });
  }

  numbers(key: string): number[] {
    return this.list(key).map((value, index) => {
      if (typeof value === 'number' && Number.isFinite(value)) return value;
      throw this.fault(`${key}[${index}]`, `must be a finite number, ${kindOf(value)} is there`);
    });
  }

  sizes(key: string): number[] {
    return this.numbers(key).map((value, index) => {
      if (Number.isSafeInteger(value) && value > 0) return value;
      throw this.fault(`${key}[${index}]`, `must be a whole number above 0, ${value} is there`);
    });
  }

  section(key: string): Section {
    return new Section(this.raw(key), [this.path, key].filter(Boolean).join('.'), this.file);
  }

  sections(key: string): Section[] {
    const path = [this.path, key].filter(Boolean).join('.');
    return this.list(key).map((value, index) => new Section(value, `${path}[${index}]`, this.file));
  }

  /** Refuses keys that nobody asked for. */
  finish(): void {
    for (const key of this.members.keys()) {
      if (!this.asked.has(key)) throw this.fault(key, 'is unknown', didYouMean(key, [...this.asked]));
    }
  }
}

function kindOf(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Map) return 'an object';
  return typeof value === 'string' ? `the text ${quote(value)}` : `${typeof value} ${String(value)}`;
}
