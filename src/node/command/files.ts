/** Files in and out, with typed errors. What is written is there whole or not at all. */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdir, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UnitscopeError } from '../../errors.ts';

const MEANING: Readonly<Record<string, string>> = {
  ENOENT: 'it is not there',
  EACCES: 'it may not be used by you',
  EPERM: 'it may not be used by you',
  EROFS: 'it lies on a read-only disk',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is no folder',
  ENOSPC: 'the disk is full',
  EFBIG: 'it is larger than you may write',
  EDQUOT: 'your share of the disk is full',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'its name is too long',
  ERR_FS_FILE_TOO_LARGE: 'it is larger than 2 GiB',
};

/** An 'io' error that says which file and what is wrong with it. */
export function ioFault(doing: 'read' | 'write', path: string, cause: unknown, hint = ''): UnitscopeError {
  const { code = '', message } = cause as NodeJS.ErrnoException;
  return new UnitscopeError('io', `cannot ${doing} '${path}': ${MEANING[code] ?? message}`, { file: path }, hint, { cause });
}

/** The bytes of a file. Throws 'io'. */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    const buffer = await readFile(path);
    return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  } catch (cause) {
    throw ioFault('read', path, cause);
  }
}

/** Bytes of a file that are read at once. */
const PIECE = 2 ** 30;

/**
 * The bytes of a file that may be large, with `room` bytes before them in their buffer: what lies in the file at some
 * offset can so be made to lie aligned in memory, and need not be copied. Throws 'io'.
 * @param room is told the first 16 bytes
 */
export async function readLarge(path: string, room: (start: Uint8Array) => number): Promise<Uint8Array> {
  try {
    const file = await open(path);
    try {
      const stats = await file.stat();
      if (!stats.isFile()) return await file.readFile();
      const start = new Uint8Array(Math.min(16, stats.size));
      await file.read(start, 0, start.length, 0);
      const before = room(start);
      const whole = new Uint8Array(before + stats.size);
      let end = before;
      for (;;) {
        const { bytesRead } = await file.read(whole, end, Math.min(PIECE, whole.length - end), end - before);
        end += bytesRead;
        if (bytesRead === 0 || end === whole.length) return whole.subarray(before, end);
      }
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw ioFault('read', path, cause);
  }
}

export async function kindOf(path: string): Promise<'file' | 'folder' | 'other' | 'nothing'> {
  try {
    const found = await stat(path);
    return found.isFile() ? 'file' : found.isDirectory() ? 'folder' : 'other';
  } catch {
    return 'nothing';
  }
}

/** True for a path that ends like a folder or is one. */
export async function isFolder(path: string): Promise<boolean> {
  return /[/\\]$/.test(path) || (await kindOf(path)) === 'folder';
}

/** Makes a folder and those above it. Throws 'io'. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    throw ioFault('write', path, cause);
  }
}

/** Refuses, before any work, a file that cannot be written in the end. Throws 'usage' or 'io'. */
export async function checkTarget(path: string, extension: string): Promise<void> {
  if (!path.toLowerCase().endsWith(extension)) {
    throw new UnitscopeError('usage', `'${path}' must be a ${extension} file`, {}, `for example ${basename(path) || 'result'}${extension}`);
  }
  const kind = await kindOf(path);
  if (kind === 'folder' || kind === 'other') throw new UnitscopeError('io', `cannot write '${path}': it is no ordinary file`, { file: path });
  try {
    await access(dirname(path), constants.W_OK);
  } catch (cause) {
    throw ioFault('write', dirname(path), cause, 'the folder must be there before');
  }
}

/** Writes a file beside its place and moves it there, over an older one of that name. Throws 'io'. */
export async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  // A link stays a link: what it leads to is replaced.
  const target = await realpath(path).catch(() => path);
  const draft = join(dirname(target), `.${basename(target).slice(0, 100)}.${randomBytes(4).toString('hex')}.part`);
  try {
    const file = await open(draft, 'wx');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, target);
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw ioFault('write', path, cause);
  }
}

/** File names for names from strangers, in their order: no folders, no odd characters, none twice. */
export function fileNames(names: readonly string[], extension: string): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    const base = name.replace(/[^\w.@,:+-]+/g, '_').replace(/:/g, '-').replace(/^\.+/, '_').slice(0, 120) || '_';
    let file = `${base}${extension}`;
    for (let count = 2; taken.has(file.toLowerCase()); count++) file = `${base}-${count}${extension}`;
    taken.add(file.toLowerCase());
    return file;
  });
}
