/** How a kind of objective is written in a line of text: what every one of them tells the parser. */
import type { Network } from '../../network/network.ts';
import type { Objective } from './objective.ts';

/** What stands in the text. */
export interface Words {
  readonly network: Network;
  readonly operands: readonly string[];
  /** The exponent behind the word, 0 where there is none. */
  readonly power: number;
  /** The numbers of a file. */
  readonly vector: (file: string) => Promise<Float32Array>;
}

export interface Wording {
  readonly word: string;
  /** As the help shows it. */
  readonly form: string;
  readonly meaning: string;
  /** Words behind its own. */
  readonly operands: number;
  /** Takes an exponent: word^N. */
  readonly power?: boolean;
  /** @throws usage, unknown-layer, io */
  read(words: Words): Objective | Promise<Objective>;
}
