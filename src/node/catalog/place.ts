/** Where the files of a network go: into one folder, and never out of it. */
import { lstat, mkdir, realpath, statfs } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { UnitscopeError } from '../../errors.ts';
import { ioFault } from '../command/files.ts';
import { binary } from '../command/quantity.ts';
import { isInside, type CatalogEntry } from './catalog.ts';
import { Part } from './part.ts';

/** Makes the folder NAME in `out` and returns its real path. Throws 'io' where it leads elsewhere. */
export async function placeFor(out: string, { name }: CatalogEntry): Promise<string> {
  const folder = join(out, name);
  try {
    await mkdir(folder, { recursive: true });
    if ((await lstat(folder)).isSymbolicLink()) throw new UnitscopeError('io', `'${folder}' is a link to another place`, { file: folder }, 'move it away, or give another folder with --out');
    return await realpath(folder);
  } catch (cause) {
    throw cause instanceof UnitscopeError ? cause : ioFault('write', folder, cause);
  }
}

/** The path of a file in its folder; the folders above it are made. Throws 'io' where it would lie outside. */
export async function placeIn(folder: string, path: string): Promise<string> {
  const target = join(folder, path);
  try {
    if (!isInside(path)) throw new UnitscopeError('io', `'${path}' may lead out of '${folder}'`, { file: path });
    await mkdir(dirname(target), { recursive: true });
    const real = await realpath(dirname(target));
    if (real !== folder && !real.startsWith(folder + sep)) throw new UnitscopeError('io', `'${target}' lies outside of '${folder}': a folder on the way is a link`, { file: target });
  } catch (cause) {
    throw cause instanceof UnitscopeError ? cause : ioFault('write', target, cause);
  }
  return target;
}

/** Refuses, before anything is asked for, what the disk cannot hold. Throws 'io'. */
export async function checkSpace(folder: string, { files }: CatalogEntry): Promise<void> {
  let needed = 0;
  for (const { path, bytes = 0 } of files) {
    const target = join(folder, path);
    if (!(await lstat(target).catch(() => undefined))) needed += Math.max(0, bytes - (await new Part(target).size()));
  }
  const disk = await statfs(folder).catch(() => undefined); // some disks do not say it
  const free = disk ? disk.bavail * disk.bsize : Infinity;
  if (needed > free) throw new UnitscopeError('io', `the files need ${binary(needed)}, ${binary(free)} are free`, { file: folder }, 'make room, or give a folder on another disk with --out');
}
