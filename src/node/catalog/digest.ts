/** Hashes of files, as their publishers state them. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** Strong ones first. */
export const ALGORITHMS = ['sha256', 'sha384', 'sha1', 'md5'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** Hexadecimal digits of each. */
export const HASH_LENGTH: Readonly<Record<Algorithm, number>> = { sha256: 64, sha384: 96, sha1: 40, md5: 32 };

export const HASH_NAME: Readonly<Record<Algorithm, string>> = { sha256: 'SHA-256', sha384: 'SHA-384', sha1: 'SHA-1', md5: 'MD5' };

/** Hashes by algorithm, lower-case hexadecimal; all that are there must fit. */
export type Digests = Readonly<Partial<Record<Algorithm, string>>>;

/** Counts and hashes bytes as they pass. Where no hash is wanted SHA-256 is taken, so that there is one to report. */
export class Digester {
  private readonly hashes: readonly (readonly [Algorithm, Hash])[];
  bytes = 0;

  constructor(private readonly wanted: Digests) {
    const algorithms = ALGORITHMS.filter((algorithm) => wanted[algorithm] !== undefined);
    this.hashes = (algorithms.length > 0 ? algorithms : (['sha256'] as const)).map((algorithm) => [algorithm, createHash(algorithm)]);
  }

  update(bytes: Uint8Array): void {
    this.bytes += bytes.length;
    for (const [, hash] of this.hashes) hash.update(bytes);
  }

  /** Ends it: the first hash that differs, or the strongest one that fits. */
  finish(): { readonly algorithm: Algorithm; readonly value: string; readonly fits: boolean } {
    const results = this.hashes.map(([algorithm, hash]) => {
      const value = hash.digest('hex');
      return { algorithm, value, fits: this.wanted[algorithm] === undefined || this.wanted[algorithm] === value };
    });
    return results.find(({ fits }) => !fits) ?? results[0];
  }
}

/** A digester that has read the whole of a file. */
export async function digestFile(path: string, wanted: Digests, signal?: AbortSignal): Promise<Digester> {
  const digester = new Digester(wanted);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, ...(signal && { signal }) })) digester.update(chunk as Buffer);
  return digester;
}

/** True where the bytes have every hash that is wanted, and one is wanted. */
export function fits(bytes: Uint8Array, wanted: Digests): boolean {
  const digester = new Digester(wanted);
  digester.update(bytes);
  return Object.keys(wanted).length > 0 && digester.finish().fits;
}
