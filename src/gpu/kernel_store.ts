/**
 * What was measured of the kernels on an adapter, and where that is kept from one run to the next. A record comes from a
 * file or a database that others may have written: whatever it says is checked, and can do no more than choose a kernel.
 */
import type { KernelChoices } from './capabilities.ts';

/** Of the kernels and of what a record says: one more whenever old measurements say nothing about the new kernels. */
export const KERNELS_VERSION = 1;

export interface MeasuredShape {
  /** The kernel to take. */
  readonly variant: string;
  /** Milliseconds by kernel. */
  readonly times: Readonly<Record<string, number>>;
}

export interface KernelRecord {
  /** Key of the adapter. */
  readonly adapter: string;
  readonly version: number;
  /** By family: measured time / predicted cost, relative to the direct kernel. */
  readonly factors: Readonly<Record<string, number>>;
  /** By the key of a shape. */
  readonly measured: Readonly<Record<string, MeasuredShape>>;
}

/** Records of this version, by adapter. */
export interface KernelStore {
  /** Undefined where there is none that can be used. */
  load(adapter: string): Promise<KernelRecord | undefined>;
  /** In place of an older one of that adapter. @throws io */
  save(record: KernelRecord): Promise<void>;
  /** @throws io */
  clear(adapter: string): Promise<void>;
  list(): Promise<KernelRecord[]>;
}

/** Factors and times beyond these are no measurements. */
const FACTOR = { least: 1 / 64, most: 64 };
const MOST_MS = 1e6;
/** Shapes of a record, kernels of a shape, letters of a name. */
const MOST_SHAPES = 10_000;
const MOST_VARIANTS = 64;
const MOST_LETTERS = 200;

/** What an adapter is filed under. */
export function adapterKey({ vendor, architecture, description }: { readonly vendor: string; readonly architecture: string; readonly description: string }): string {
  return [vendor, architecture, description].map((word) => word.trim() || '-').join(' / ').slice(0, MOST_LETTERS);
}

export function emptyRecord(adapter: string): KernelRecord {
  return { adapter, version: KERNELS_VERSION, factors: {}, measured: {} };
}

/** The record with more shapes, new measurements over old ones; the oldest go where there are too many. */
export function withMeasured(record: KernelRecord, measured: Readonly<Record<string, MeasuredShape>>): KernelRecord {
  const old = Object.entries(record.measured).filter(([key]) => !Object.hasOwn(measured, key));
  return { ...record, measured: Object.fromEntries([...old, ...Object.entries(measured)].slice(-MOST_SHAPES)) };
}

/** What a record chooses. */
export function choicesOf({ factors, measured }: KernelRecord): KernelChoices {
  return {
    ...(Object.keys(factors).length > 0 && { factors }),
    measured: new Map(Object.entries(measured).map(([key, { variant }]) => [key, variant])),
  };
}

/** A record as it was stored, or what is wrong with it. A record of another version is none. */
export function readRecord(stored: unknown): KernelRecord | string {
  if (!isObject(stored)) return 'it is no object';
  const { adapter, version, factors, measured } = stored;
  if (!isName(adapter)) return 'it names no adapter';
  if (version !== KERNELS_VERSION) return `it is of version ${String(version).slice(0, 20)}, not ${KERNELS_VERSION}`;
  const numbers = readNumbers(factors, FACTOR.least, FACTOR.most);
  if (!numbers) return `a factor is no number from 1/${FACTOR.most} to ${FACTOR.most}`;
  if (!isObject(measured) || Object.keys(measured).length > MOST_SHAPES) return 'it holds no shapes, or too many';
  const shapes: Record<string, MeasuredShape> = {};
  for (const [key, shape] of Object.entries(measured)) {
    const times = isObject(shape) ? readNumbers(shape.times, 0, MOST_MS) : undefined;
    if (!isName(key) || !isObject(shape) || !isName(shape.variant) || !times) return `the shape '${key.slice(0, MOST_LETTERS)}' is no measurement`;
    shapes[key] = { variant: shape.variant, times };
  }
  return { adapter, version: KERNELS_VERSION, factors: numbers, measured: shapes };
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Short, of printable letters, and no name that objects have a use for. */
const isName = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= MOST_LETTERS && !value.startsWith('__') && !/\p{C}/u.test(value);

function readNumbers(value: unknown, least: number, most: number): Record<string, number> | undefined {
  if (!isObject(value)) return undefined;
  const entries = Object.entries(value);
  const good = entries.every(([name, number]) => isName(name) && typeof number === 'number' && number >= least && number <= most);
  return good && entries.length <= MOST_VARIANTS ? (Object.fromEntries(entries) as Record<string, number>) : undefined;
}
