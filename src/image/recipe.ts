/**
 * The recipe of a picture: all that is needed to make it again. It travels in the PNG (see png.ts) and in the
 * viewer's address, so whatever is read back is checked like any input from a stranger.
 */
import { UnitscopeError } from '../errors.ts';

/** What JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export interface Recipe {
  /** `hash`: SHA-256 of the model file's bytes, in hexadecimal. */
  readonly network: { readonly name: string; readonly hash: string };
  /** Name of a method, e.g. `maximize`. */
  readonly method: string;
  /** Units as a person writes them, `layer:channel` or `layer:channel@y,x`. */
  readonly units: readonly string[];
  /** The method's settings, all of them, defaults too. */
  readonly settings: { readonly [key: string]: Json };
  readonly seed: number;
  readonly iterations: number;
  /** What the GPU calls itself: other adapters round differently. */
  readonly adapter: string;
  /** Version of the program. */
  readonly version: string;
}

/** Keyword of the text chunk that holds the recipe. */
export const RECIPE_KEYWORD = 'unitscope';

const MAX_LENGTH = 1 << 16;
const MAX_DEPTH = 8;
const MAX_UNITS = 4096;

/** The recipe as JSON with sorted keys: equal recipes give equal text, so its hash can name the result. */
export function recipeText(recipe: Recipe): string {
  return JSON.stringify(sorted(checkRecipe(recipe)));
}

/** Reads what `recipeText` wrote. Fields that it does not know are dropped. Throws `usage` naming the field. */
export function parseRecipe(text: string): Recipe {
  if (text.length > MAX_LENGTH) throw wrong('text', `is longer than ${MAX_LENGTH} characters`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UnitscopeError('usage', 'the recipe is no valid JSON', {}, (cause as Error).message, { cause });
  }
  return checkRecipe(value);
}

/** SHA-256 of the bytes in lower-case hexadecimal. Throws `usage` where the browser offers no cryptography. */
export async function hashBytes(bytes: Uint8Array): Promise<string> {
  // A page that came over plain http has no `subtle`, whatever the types say.
  const subtle = (globalThis.crypto as { subtle?: typeof crypto.subtle } | undefined)?.subtle;
  if (!subtle) {
    throw new UnitscopeError('usage', 'SHA-256 is not available here', {}, 'open the page over https or from localhost');
  }
  const whole = bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);
  const digest = new Uint8Array(await subtle.digest('SHA-256', whole));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function checkRecipe(value: unknown): Recipe {
  const record = asRecord(value, 'recipe');
  const network = asRecord(record['network'], 'network');
  const hash = asText(network['hash'], 'network.hash');
  if (!/^[0-9a-f]{64}$/.test(hash)) throw wrong('network.hash', 'must be 64 hexadecimal digits');
  const units = record['units'];
  if (!Array.isArray(units) || units.length > MAX_UNITS) {
    throw wrong('units', `must be a list of at most ${MAX_UNITS} units`);
  }
  return {
    network: { name: asText(network['name'], 'network.name'), hash },
    method: asText(record['method'], 'method'),
    units: units.map((unit, i) => asText(unit, `units[${i}]`)),
    settings: asJson(asRecord(record['settings'], 'settings'), 'settings', 1) as Recipe['settings'],
    seed: asCount(record['seed'], 'seed', 0xffffffff),
    iterations: asCount(record['iterations'], 'iterations', 1e9),
    adapter: asText(record['adapter'], 'adapter'),
    version: asText(record['version'], 'version'),
  };
}

function asRecord(value: unknown, field: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(field, 'must be an object');
  return value as Record<string, unknown>;
}

function asText(value: unknown, field: string): string {
  if (typeof value !== 'string' || value.length > 1024) throw wrong(field, 'must be a text of at most 1024 characters');
  return value;
}

function asCount(value: unknown, field: string, most: number): number {
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > most) {
    throw wrong(field, `must be a whole number from 0 to ${most}`);
  }
  return value as number;
}

/** A copy that holds plain JSON only. fromEntries defines keys, so that one named __proto__ stays a mere key. */
function asJson(value: unknown, field: string, depth: number): Json {
  if (depth > MAX_DEPTH) throw wrong(field, `is nested deeper than ${MAX_DEPTH}`);
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Array.isArray(value)) return value.map((item, i) => asJson(item, `${field}[${i}]`, depth + 1));
  if (typeof value !== 'object') throw wrong(field, `cannot be ${typeof value === 'number' ? value : typeof value}`);
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.map(([key, item]) => [key, asJson(item, `${field}.${key}`, depth + 1)]));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}

function wrong(field: string, complaint: string): UnitscopeError {
  return new UnitscopeError('usage', `the recipe's ${field} ${complaint}`, { attribute: field });
}
