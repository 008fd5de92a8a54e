/**
 * The pieces of a job that makes many pictures: NAME.json with the facts and, where there is one, NAME.png. The facts come last: with
 * them a piece is finished. Each says of which recipe it is and which bytes its picture has, so that what is damaged, or of another
 * job, is seen and made again.
 */
import { throwIfAborted } from '../../errors.ts';
import { hashBytes, recipeText, type Json, type Recipe } from '../../index.ts';
import type { JobFolder } from './job_folder.ts';

/** What JSON makes of a fact; a `?` lets it be null. */
export type Kind = 'string' | 'number' | 'boolean' | 'string?' | 'number?' | 'boolean?';

/** Which facts a piece has. */
export type Kinds<T> = { readonly [K in keyof T]-?: Kind };

/** What a piece is called. */
export interface PieceName {
  /** Of its files, without their endings. */
  readonly name: string;
  /** SHA-256 of the job that it is. */
  readonly key: string;
}

export interface Piece<T> {
  readonly facts: T;
  /** Whether there is a picture. */
  readonly pictured: boolean;
  /** The PNG, where it was asked for. */
  readonly picture?: Uint8Array;
}

/**
 * SHA-256 of all that decides a picture: the bytes of the network, unit, method, settings and seed. It names the result of a job
 * wherever it is made.
 */
export function jobKey({ network: { hash }, method, units, settings, seed }: Pick<Recipe, 'network' | 'method' | 'units' | 'settings' | 'seed'>): Promise<string> {
  const text = recipeText({ network: { name: '', hash }, method, units, settings, seed, iterations: 0, adapter: '', version: '' });
  return hashBytes(new TextEncoder().encode(text));
}

/** @throws io */
export async function keepPiece(folder: JobFolder, { name, key }: PieceName, facts: Readonly<Record<string, Json>>, picture?: Uint8Array): Promise<void> {
  if (picture) await folder.write(`${name}.png`, picture);
  const text = JSON.stringify({ key, picture: picture ? await hashBytes(picture) : null, facts }, null, 1);
  await folder.write(`${name}.json`, new TextEncoder().encode(`${text}\n`));
}

/** A finished piece with its picture; `damaged` where there is something of that name which is none. @throws io */
async function findPiece<T>(folder: JobFolder, { name, key }: PieceName, kinds: Kinds<T>): Promise<Piece<T> | 'damaged' | undefined> {
  if (!folder.has(`${name}.json`)) return undefined;
  const kept = parsed(await folder.read(`${name}.json`));
  if (!kept || kept.key !== key || !fits(kept.facts, kinds)) return 'damaged';
  if (kept.picture === null) return { facts: kept.facts, pictured: false };
  if (!folder.has(`${name}.png`)) return 'damaged';
  const picture = await folder.read(`${name}.png`);
  return kept.picture === (await hashBytes(picture)) ? { facts: kept.facts, pictured: true, picture } : 'damaged';
}

export interface FindOptions {
  /** Hold the pictures too. */
  readonly pictures: boolean;
  readonly signal: AbortSignal;
  /** Told of what has to be made again. */
  readonly warn: (text: string) => void;
}

/** All finished pieces of a job. @throws io, aborted */
export async function findPieces<P extends PieceName, T>(folder: JobFolder, places: readonly P[], kinds: Kinds<T>, { pictures, signal, warn }: FindOptions): Promise<Map<P, Piece<T>>> {
  const pieces = new Map<P, Piece<T>>();
  for (const place of places) {
    throwIfAborted(signal);
    const piece = await findPiece(folder, place, kinds);
    if (piece === 'damaged') warn(`${place.name} is damaged or of something else: it is made again`);
    else if (piece) pieces.set(place, pictures ? piece : { facts: piece.facts, pictured: piece.pictured });
  }
  return pieces;
}

function parsed(bytes: Uint8Array): { key?: unknown; picture?: unknown; facts?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function fits<T>(facts: unknown, kinds: Kinds<T>): facts is T {
  if (typeof facts !== 'object' || facts === null) return false;
  return Object.entries<Kind>(kinds).every(([name, kind]) => {
    const value = (facts as Record<string, unknown>)[name];
    return typeof value === kind.replace('?', '') || (kind.endsWith('?') && value === null);
  });
}
