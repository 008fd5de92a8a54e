/**
 * Folders that are made once per machine and user and then shared by every process, e.g. an
 * unpacked driver. A folder appears whole or not at all.
 */
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { UnitscopeError } from '../errors.ts';
import type { TarFile } from './tar.ts';

/** Where the folders live: one place per user, for libraries from it are loaded into our processes. */
export function cacheRoot(): string {
  // A container may run under a number that has no name.
  return join(tmpdir(), `unitscope-${process.getuid?.() ?? userInfo().username}`);
}

/** The same, made where it is not there. Throws 'io' where it is not ours alone. */
export function privateRoot(): string {
  const root = cacheRoot();
  try {
    makePrivate(root);
  } catch (cause) {
    if (cause instanceof UnitscopeError) throw cause;
    throw new UnitscopeError('io', `the cache cannot be made: ${(cause as Error).message}`, { file: root }, 'set TMPDIR to a folder of your own', { cause });
  }
  return root;
}

/**
 * The folder called `name`, filled by `fill` when it is not there yet or lacks one of `files` (systems
 * sweep old files out of temporary folders). Several processes may ask at once: each fills a folder
 * of its own, the first rename wins and the others take its result. Throws 'io'.
 */
export function cachedFolder(name: string, files: readonly string[], fill: (folder: string) => void): string {
  const root = cacheRoot();
  const folder = join(root, name);
  const isWhole = () => files.every((file) => existsSync(join(folder, file)));
  try {
    makePrivate(root);
    if (isWhole()) return folder;
    const draft = mkdtempSync(join(root, `${name}.draft-`));
    try {
      fill(draft);
      if (!isWhole()) rmSync(folder, { recursive: true, force: true });
      renameSync(draft, folder);
    } finally {
      rmSync(draft, { recursive: true, force: true });
    }
  } catch (cause) {
    if (isWhole()) return folder; // another process was faster
    if (cause instanceof UnitscopeError) throw cause;
    const hint = 'set TMPDIR to a folder of your own with 300 MB of space';
    throw new UnitscopeError('io', `cannot unpack: ${(cause as Error).message}`, { file: folder }, hint, { cause });
  }
  return folder;
}

/** Makes the folder, and makes sure that nobody else can put files there. */
function makePrivate(root: string): void {
  mkdirSync(root, { recursive: true, mode: 0o700 });
  if (process.getuid === undefined) return;
  const status = lstatSync(root);
  if (!status.isDirectory() || status.uid !== process.getuid()) {
    throw new UnitscopeError('io', 'the cache belongs to somebody else', { file: root }, 'set TMPDIR to a folder of your own');
  }
  if ((status.mode & 0o022) !== 0) chmodSync(root, 0o700);
}

/** Writes files below a folder; refuses paths that would leave it. */
export function writeFiles(folder: string, files: Iterable<TarFile>): void {
  for (const { path, mode, data } of files) {
    if (path.startsWith('/') || path.split(/[\\/]/).includes('..')) {
      throw new UnitscopeError('io', `archive entry '${path}' points outside its folder`);
    }
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), data, { mode });
  }
}
