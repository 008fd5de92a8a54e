/** Reads tar archives (ustar), as much of the format as software packages use: plain files. */

export interface TarFile {
  readonly path: string;
  /** Permission bits, e.g. 0o755. */
  readonly mode: number;
  readonly data: Uint8Array;
}

const BLOCK = 512;
const PLAIN_FILE = new Set(['0', '\0']);

function text(block: Uint8Array, offset: number, length: number): string {
  const field = block.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end)).trim();
}

/** The plain files of an archive, in order; folders and links are passed over. */
export function* readTar(archive: Uint8Array): Generator<TarFile> {
  for (let offset = 0; offset + BLOCK <= archive.length; ) {
    const header = archive.subarray(offset, offset + BLOCK);
    const name = text(header, 0, 100);
    if (name === '') return; // an empty block ends the archive
    const size = Number.parseInt(text(header, 124, 12), 8);
    if (!(size >= 0) || offset + BLOCK + size > archive.length) {
      throw new RangeError(`tar entry '${name}' does not fit its archive`);
    }
    const prefix = text(header, 345, 155);
    if (PLAIN_FILE.has(String.fromCharCode(header[156]))) {
      yield {
        path: prefix ? `${prefix}/${name}` : name,
        mode: Number.parseInt(text(header, 100, 8), 8) & 0o777,
        data: archive.subarray(offset + BLOCK, offset + BLOCK + size),
      };
    }
    offset += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
}
