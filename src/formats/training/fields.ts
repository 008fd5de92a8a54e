/**
 * One JSON object of a training's description, read key by key. A fault is noted with its path (`layers[3].kernel`) and
 * reading goes on with a number that fits, so that a person sees all faults at once.
 */
import { didYouMean, quote } from '../../network/spelling.ts';
import type { Json, JsonObject } from '../json.ts';

/** What is wrong, in the order of reading. */
export class Faults {
  readonly lines: string[] = [];

  add(path: string, message: string, hint = ''): void {
    this.lines.push(`${path || 'the description'} ${message}${hint && ` (${hint})`}`);
  }
}

export interface Bounds {
  readonly least?: number;
  readonly most?: number;
  /** The bounds themselves are not allowed. */
  readonly open?: boolean;
}

export class Fields {
  private readonly asked = new Set<string>();
  private readonly members: JsonObject;

  constructor(
    value: Json | undefined,
    readonly path: string,
    readonly faults: Faults,
  ) {
    if (!(value instanceof Map)) faults.add(path, `must be an object, ${described(value)} is there`);
    this.members = value instanceof Map ? (value as JsonObject) : new Map<string, Json>();
  }

  at(key: string): string {
    return [this.path, key].filter(Boolean).join('.');
  }

  fault(key: string, message: string, hint = ''): void {
    this.faults.add(this.at(key), message, hint);
  }

  keys(): string[] {
    return [...this.members.keys()];
  }

  has(key: string): boolean {
    this.asked.add(key);
    return this.members.has(key);
  }

  raw(key: string): Json | undefined {
    this.asked.add(key);
    return this.members.get(key);
  }

  /** @param preset what stands for a missing key; without it the key must be there */
  number(key: string, preset: number | undefined, { least = -Infinity, most = Infinity, open = false }: Bounds = {}): number {
    const value = this.raw(key);
    if (value === undefined && preset !== undefined) return preset;
    const fits = typeof value === 'number' && (open ? value > least && value < most : value >= least && value <= most) && Number.isFinite(value);
    if (fits) return value;
    const ends = open ? [`above ${least}`, `below ${most}`] : [`from ${least}`, `to ${most}`];
    const bounds = [least > -Infinity && ends[0], most < Infinity && ends[1]].filter(Boolean).join(' ');
    this.fault(key, `must be a number${bounds && ` ${bounds}`}, ${described(value)} is there`);
    return preset ?? (Number.isFinite(least) ? least : 0);
  }

  whole(key: string, preset: number | undefined, least: number, most: number): number {
    const value = this.raw(key);
    if (value === undefined && preset !== undefined) return preset;
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
    this.fault(key, `must be a whole number from ${least} to ${most}, ${described(value)} is there`);
    return preset ?? least;
  }

  flag(key: string, preset: boolean): boolean {
    const value = this.raw(key);
    if (value === undefined) return preset;
    if (typeof value !== 'boolean') this.fault(key, `must be true or false, ${described(value)} is there`);
    return value === true;
  }

  text(key: string, preset?: string): string {
    const value = this.raw(key);
    if (value === undefined && preset !== undefined) return preset;
    if (typeof value === 'string' && value !== '') return value;
    this.fault(key, `must be a text that is not empty, ${described(value)} is there`);
    return preset ?? '';
  }

  oneOf<T extends string>(key: string, words: readonly T[], preset?: T): T {
    const value = this.raw(key);
    if (value === undefined && preset !== undefined) return preset;
    const found = words.find((word) => word === value);
    if (found !== undefined) return found;
    this.fault(key, `must be one of ${words.join(', ')}, ${described(value)} is there`, typeof value === 'string' ? didYouMean(value, words) : '');
    return preset ?? words[0]!;
  }

  list(key: string): readonly Json[] {
    const value = this.raw(key);
    if (Array.isArray(value)) return value as readonly Json[];
    this.fault(key, `must be a list, ${described(value)} is there`);
    return [];
  }

  /** A list of `count` numbers. */
  numbers(key: string, count: number, preset: readonly number[] | undefined, fits: (value: number) => boolean, wanted: string): readonly number[] {
    const value = this.raw(key);
    if (value === undefined && preset) return preset;
    if (Array.isArray(value) && value.length === count && value.every((one) => typeof one === 'number' && Number.isFinite(one) && fits(one))) return value as number[];
    this.fault(key, `must be a list of ${count} numbers ${wanted}`.trimEnd());
    return preset ?? new Array<number>(count).fill(1);
  }

  fields(key: string): Fields {
    return new Fields(this.raw(key), this.at(key), this.faults);
  }

  /** Notes keys that nobody asked for, each with the known name nearest to it. */
  finish(): void {
    for (const key of this.members.keys()) if (!this.asked.has(key)) this.fault(key, 'is unknown', didYouMean(key, [...this.asked]));
  }
}

export function described(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Map) return 'an object';
  return typeof value === 'string' ? `the text ${quote(value)}` : String(value as number | boolean);
}
