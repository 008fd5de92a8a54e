/** The options of the benchmark's command line. */
import { parseArgs } from 'node:util';
import { PEERS, type PeerName } from './record.ts';

export interface Options {
  /** Rows whose title matches, hidden ones included. */
  readonly only?: string | undefined;
  readonly peers: readonly PeerName[];
  readonly samples: number;
  readonly quick: boolean;
  /** Where the report goes. */
  readonly json: string;
}

export const USAGE = `bench: ours beside its peers in one headless browser
  --only REGEX    rows whose title matches
  --peers LIST    of ort, tfjs, jax, wasm, or none; ort,tfjs,jax by default. wasm: onnxruntime on 2 CPU threads
  --samples N     samples of each row, 7 by default (3 with --quick; at most 3 for what takes over 3 s)
  --quick         small rows only, few samples
  --json FILE     the report, dist/bench/bench.json by default`;

/** @throws Error that says what is wrong with which option */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      peers: { type: 'string', default: 'ort,tfjs,jax' },
      samples: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string', default: 'dist/bench/bench.json' },
    },
  });
  const { only, quick, json } = values;
  if (only !== undefined) new RegExp(only); // throws where it is none
  const names = values.peers === 'none' ? [] : values.peers.split(',');
  const unknown = names.find((name) => !(PEERS as readonly string[]).includes(name));
  if (unknown !== undefined) throw new Error(`--peers knows ${PEERS.join(', ')} and none, not '${unknown}'`);
  const samples = Number(values.samples ?? (quick ? 3 : 7));
  if (!Number.isInteger(samples) || samples < 1) throw new Error(`--samples must be a whole number above 0, not '${values.samples}'`);
  return { only, peers: names as PeerName[], samples, quick, json };
}
