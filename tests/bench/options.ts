/** The options of the benchmark's command line. */
import { parseArgs } from 'node:util';
import { PEERS, type PeerName } from './record.ts';

export interface Options {
  /** Rows whose title matches. */
  readonly only?: string | undefined;
  readonly peers: readonly PeerName[];
  readonly samples: number;
  readonly quick: boolean;
  readonly full: boolean;
  readonly scaling: boolean;
  /** Where the report goes. */
  readonly json: string;
}

export const USAGE = `bench: ours beside its peers in one headless browser
  --only REGEX    rows whose title matches, of all groups
  --peers LIST    of ort, tfjs, jax, wasm, or none; ort,tfjs,jax by default (none with --scaling).
                  wasm: onnxruntime on 2 CPU threads
  --samples N     samples of each row, 7 by default (3 with --quick; at most 3 for what takes over 3 s)
  --quick         small rows only, few samples
  --full          large networks too: minutes and gigabytes
  --scaling       one network over batches and image sizes instead
  --json FILE     the report, dist/bench/bench.json by default; pictures (.svg) go beside it`;

/** @throws Error that says what is wrong with which option */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      peers: { type: 'string' },
      samples: { type: 'string' },
      quick: { type: 'boolean', default: false },
      full: { type: 'boolean', default: false },
      scaling: { type: 'boolean', default: false },
      json: { type: 'string', default: 'dist/bench/bench.json' },
    },
  });
  const { only, quick, full, scaling, json } = values;
  if (only !== undefined) new RegExp(only); // throws where it is none
  if ([quick, full, scaling].filter(Boolean).length > 1) throw new Error('--quick, --full and --scaling exclude one another');
  const wanted = values.peers ?? (scaling ? 'none' : 'ort,tfjs,jax');
  const names = wanted === 'none' ? [] : wanted.split(',');
  const unknown = names.find((name) => !(PEERS as readonly string[]).includes(name));
  if (unknown !== undefined) throw new Error(`--peers knows ${PEERS.join(', ')} and none, not '${unknown}'`);
  const samples = Number(values.samples ?? (quick ? 3 : 7));
  if (!Number.isInteger(samples) || samples < 1) throw new Error(`--samples must be a whole number above 0, not '${values.samples}'`);
  return { only, peers: names as PeerName[], samples, quick, full, scaling, json };
}
