/** What is timed: one row is a network, or a single layer, and one kind of work on it. */
import type { Network } from '../../src/index.ts';

export const KINDS = ['forward', 'input gradient', 'forward + gradient', 'maximize step', 'occlusion', 'training step'] as const;

/**
 * `input gradient`: the backward pass alone. `maximize step`: preset 3, mean of whole iterations. `occlusion`: the score of
 * covered pictures, of a map of 13 x 13 places. `training step`: forward, softmax cross-entropy, the gradients of all weights
 * and their update by SGD with momentum, see training.ts.
 */
export type Kind = (typeof KINDS)[number];

/** Work that no peer has a function for. */
export const OWN_KINDS: readonly Kind[] = ['maximize step', 'occlusion'];

/** A network to be made in the page, or the files to load it from, below the addresses of `FILES`. */
export type Source = { readonly make: () => Network } | { readonly files: readonly string[] };

/**
 * When a row runs, unless `--only` names it: always and with `--quick`; always; with `--full` (minutes, gigabytes);
 * never (too small to say anything about speed); with `--scaling`.
 */
export type Group = 'quick' | 'plain' | 'full' | 'smoke' | 'scaling';

export interface Row {
  /** Unique; what `--only` matches. */
  readonly title: string;
  readonly kind: Kind;
  readonly group: Group;
  readonly source: Source;
  /** Largest magnitude of the input values. */
  readonly amplitude: number;
  /** Images at once. */
  readonly batch: number;
  /** Height and width of the input, where they are not the network's own. */
  readonly size?: number;
  /** The layer that is computed; the scores before softmax without it. */
  readonly layer?: string;
}
