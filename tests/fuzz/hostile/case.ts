/** A file made to do harm, and what must be said of it. */
import type { NamedFile } from '../../../src/formats/loader.ts';
import { encodeText } from '../../../src/formats/text.ts';

export interface HostileCase {
  readonly title: string;
  /** Made when it is needed: some are large. */
  readonly files: () => readonly NamedFile[];
  /** Of the message or the hint; undefined where the file does no harm and must load. */
  readonly says: RegExp | undefined;
}

export const hostile = (title: string, says: RegExp | undefined, ...files: readonly (readonly [name: string, content: () => string | Uint8Array])[]): HostileCase => ({
  title,
  says,
  files: () => files.map(([name, content]) => ({ name, bytes: bytesOf(content()) })),
});

const bytesOf = (content: string | Uint8Array): Uint8Array => (typeof content === 'string' ? encodeText(content) : content);
