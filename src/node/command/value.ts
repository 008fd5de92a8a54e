/** The values of options: from text to number or word, refused with the option's name. */
import { UnitscopeError } from '../../errors.ts';
import { nearest } from './arguments.ts';

/** Any finite number. */
export function numberOf(option: string, text: string): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (!Number.isFinite(value)) throw new UnitscopeError('usage', `--${option} needs a number, got '${text}'`);
  return value;
}

/** A whole number between `least` and `most`, both included. */
export function countOf(option: string, text: string, least: number, most: number): number {
  const value = numberOf(option, text);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new UnitscopeError('usage', `--${option} needs a whole number from ${least} to ${most}, got '${text}'`);
  }
  return value;
}

/** Whole numbers from the first to the last, both included. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** `FROM..TO`, or one number. */
export function rangeOf(option: string, text: string): Range {
  const [, from, to = from] = /^(\d{1,9})(?:\.\.(\d{1,9}))?$/.exec(text.trim()) ?? [];
  const range = { from: Number(from), to: Number(to) };
  if (range.from <= range.to) return range;
  throw new UnitscopeError('usage', `--${option} needs FROM..TO, whole numbers that rise, got '${text}'`, {}, `for example --${option} 0..31`);
}

/** Sizes separated by commas, `1,3,224,224`. */
export function sizesOf(option: string, text: string): number[] {
  const sizes = text.split(',').map((size) => (/^\s*\d+\s*$/.test(size) ? Number(size) : NaN));
  if (sizes.every((size) => size >= 1 && size <= 2 ** 31)) return sizes;
  throw new UnitscopeError('usage', `--${option} needs whole numbers from 1 on with commas between them, got '${text}'`, {}, `for example --${option} 1,3,224,224`);
}

export function choiceOf<T extends string>(option: string, text: string, words: readonly T[]): T {
  const word = words.find((candidate) => candidate === text);
  if (word !== undefined) return word;
  const near = nearest(text, words);
  const hint = `${near ? `did you mean ${near}? ` : ''}the choices are ${words.join(', ')}`;
  throw new UnitscopeError('usage', `--${option} cannot be '${text}'`, {}, hint);
}
