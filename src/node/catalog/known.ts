/** Networks that are known by their content: a file may have any name and lie anywhere. */
import type { NamedFile } from '../../index.ts';
import type { Catalog, CatalogEntry } from './catalog.ts';
import { fits } from './digest.ts';

/** The entry whose weights, its largest file, are among the files; undefined when there is none. */
export function knownEntry({ entries }: Catalog, files: readonly NamedFile[]): CatalogEntry | undefined {
  return entries.find((entry) => {
    const weights = entry.files.reduce((a, b) => ((b.bytes ?? 0) > (a.bytes ?? 0) ? b : a));
    // The size is looked at first: it costs nothing.
    return files.some(({ bytes }) => bytes.length === weights.bytes && fits(bytes, weights.digests));
  });
}
