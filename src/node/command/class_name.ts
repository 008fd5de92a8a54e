/** A class as a person names it on the command line. */
import { UnitscopeError } from '../../errors.ts';
import { nearest } from './arguments.ts';

/** Classes that a message lists. */
const LISTED = 8;

/**
 * The index of a class: `281`, a whole label or one of its synonyms (`tabby, tabby cat`), or a part that only one label has.
 * Throws 'usage' with the classes that could be meant.
 */
export function classNamed(text: string, labels: readonly string[] | undefined, count: number): number {
  const wanted = text.trim().toLowerCase();
  if (/^\d+$/.test(wanted)) {
    if (Number(wanted) < count) return Number(wanted);
    throw new UnitscopeError('usage', `there is no class ${text}, the network has 0..${count - 1}`);
  }
  if (!labels) throw new UnitscopeError('usage', `the model has no labels to look for '${text}' in`, {}, 'give its index, or the labels with --labels FILE');
  const names = labels.map((label) => label.toLowerCase());
  const found = (test: (name: string) => boolean) => (wanted === '' ? [] : names.flatMap((name, index) => (test(name) && index < count ? [index] : [])));
  const whole = found((name) => name === wanted || name.split(',').some((part) => part.trim() === wanted));
  const matches = whole.length > 0 ? whole : found((name) => name.includes(wanted));
  if (matches.length === 1) return matches[0];
  const list = matches.slice(0, LISTED).map((index) => `${index} ${labels[index]}`).join('; ');
  if (matches.length > 1) throw new UnitscopeError('usage', `${matches.length} classes are called '${text}'`, {}, `which one? ${list}${matches.length > LISTED ? '; ...' : ''}`);
  const near = nearest(text, labels);
  throw new UnitscopeError('usage', `no class is called '${text}'`, {}, near ? `did you mean '${near}'?` : 'give its index');
}
