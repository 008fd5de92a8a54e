/**
 * Files that a model names by a path below its own folder. What leads out of the folder is no such path, and links are
 * passed over on the way: a model that was downloaded reaches nothing else.
 */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { formats } from '../../formats/index.ts';
import type { NamedFile } from '../../index.ts';
import { readLarge } from './files.ts';

/** Those that are there, each once; the loader tells which are missing. Throws 'io' where one cannot be read. */
export async function companionsIn(folder: string, mains: readonly NamedFile[]): Promise<NamedFile[]> {
  const paths = new Set(mains.flatMap((main) => formats.find((format) => format.recognise(main))?.companions?.(main) ?? []));
  const files: NamedFile[] = [];
  for (const path of paths) {
    const parts = path.split('/');
    if (parts.some((part) => part === '..' || part === '' || /[\\:\0]/.test(part))) continue;
    if (await isOrdinary(folder, parts)) files.push({ name: join(folder, ...parts), bytes: await readLarge(join(folder, ...parts), () => 0) });
  }
  return files;
}

/** True for a file behind folders, none of them a link. */
async function isOrdinary(folder: string, parts: readonly string[]): Promise<boolean> {
  for (let length = 1; length <= parts.length; length++) {
    const found = await lstat(join(folder, ...parts.slice(0, length))).catch(() => undefined);
    if (length < parts.length ? !found?.isDirectory() : !found?.isFile()) return false;
  }
  return true;
}
