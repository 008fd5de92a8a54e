/** The options of the packed program. */
import { parseArgs } from 'node:util';

export interface Options {
  readonly only?: string | undefined;
  readonly samples: number;
  readonly json: string;
  readonly list: boolean;
  readonly tune: boolean;
}

export const USAGE = `bench: our networks on this machine's GPU, without a browser
  --only REGEX    rows whose title matches
  --samples N     samples of each row, 7 by default
  --json FILE     the report, bench.json by default; pytorch.py reads it
  --tune          on a GPU, time every kernel of a row's layers first and take the fastest, as the command 'kernels --tune' does
  --list          the titles of the rows
VK_DRIVER_FILES names a Vulkan driver where none is found.`;

/** @throws Error that says what is wrong with which option */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      samples: { type: 'string', default: '7' },
      json: { type: 'string', default: 'bench.json' },
      list: { type: 'boolean', default: false },
      tune: { type: 'boolean', default: false },
    },
  });
  const { only, json, list, tune } = values;
  if (only !== undefined) new RegExp(only); // throws where it is none
  const samples = Number(values.samples);
  if (!Number.isInteger(samples) || samples < 1) throw new Error(`--samples must be a whole number above 0, not '${values.samples}'`);
  return { only, samples, json, list, tune };
}
