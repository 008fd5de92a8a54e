/** The pictures of a set that could not be read: each is told once, and all of them in the end. */
import type { UnitscopeError } from '../../errors.ts';
import type { Picture } from '../../index.ts';
import type { Call } from './command.ts';
import { counted } from './quantity.ts';

export interface BrokenPicture {
  /** Index into the set. */
  readonly index: number;
  readonly name: string;
  readonly message: string;
}

/** Most names in the text of a report; `--json` has all. */
const SHOWN = 10;

export class BrokenPictures {
  private readonly found = new Map<number, BrokenPicture>();

  constructor(
    private readonly call: Call,
    known: readonly BrokenPicture[] = [],
  ) {
    for (const picture of known) this.found.set(picture.index, picture);
  }

  /** For `BatchOptions.broken`. */
  readonly add = ({ name }: Picture, error: UnitscopeError, index: number): void => {
    if (this.found.has(index)) return;
    this.found.set(index, { index, name, message: error.message });
    this.call.warn(error.describe());
  };

  /** Those ahead of picture `end`, in their order. */
  list(end = Infinity): BrokenPicture[] {
    return [...this.found.values()].filter(({ index }) => index < end).sort((a, b) => a.index - b.index);
  }

  /** What a report says of them. */
  lines(): string[] {
    const all = this.list();
    if (all.length === 0) return [];
    const more = all.length > SHOWN ? [`  and ${all.length - SHOWN} more`] : [];
    return [`${counted(all.length, 'picture')} could not be read:`, ...all.slice(0, SHOWN).map(({ name, message }) => `  ${name}: ${message}`), ...more];
  }
}
