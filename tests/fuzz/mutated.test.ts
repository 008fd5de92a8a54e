/** Mutated files of every format: a typed error or a network, soon, whatever the damage. `npm run fuzz` does 10,000 of each. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readNpy, writeNpy } from '../../src/formats/npy.ts';
import { readSafetensors, writeSafetensors } from '../../src/formats/safetensors.ts';
import { tensor } from '../network/graphs.ts';
import { damaged, damages } from './mutations.ts';
import { collect, opened, outcomeOf, withinMemory } from './outcome.ts';
import { seeds } from './seeds.ts';

/** Mutations per format: the long run is `npm run fuzz`; FUZZ_SEED=N shows it other files. */
const RUNS = Number(process.env.FUZZ_RUNS);
const options = { numRuns: RUNS, seed: Number(process.env.FUZZ_SEED ?? 1) };
const TIMEOUT = Math.max(60_000, RUNS * 60);

describe(`${RUNS} mutations each`, () => {
  test.each(seeds())('$format', async ({ files, reach }) => {
    expect((await outcomeOf(opened(files))).code).toBeUndefined();
    let count = 0;
    // Copies of the files that nobody holds are no memory in use.
    const often = Math.max(1, Math.min(100, Math.floor(2 ** 24 / files.reduce((sum, { bytes }) => sum + bytes.length, 0))));
    const property = fc.asyncProperty(fc.nat(files.length - 1), damages, async (which, list) => {
      if (count++ % often === 0) collect();
      await outcomeOf(opened(files.map((file, index) => (index === which ? { ...file, bytes: damaged(file.bytes, list, reach) } : file))));
    });
    await withinMemory(files, () => fc.assert(property, options));
  }, TIMEOUT);

  test.each<[string, Uint8Array, (bytes: Uint8Array) => unknown]>([
    ['safetensors', writeSafetensors(new Map([['a', tensor([2, 3])], ['b', tensor([])]]), 'f32', new Map([['k', 'v']])), readSafetensors],
    ['.npy', writeNpy(tensor([2, 3])), readNpy],
  ])('%s alone', async (_, bytes, read) => {
    expect((await outcomeOf(() => read(bytes))).code).toBeUndefined();
    await fc.assert(fc.asyncProperty(damages, async (list) => void (await outcomeOf(() => read(damaged(bytes, list))))), options);
  }, TIMEOUT);
});
