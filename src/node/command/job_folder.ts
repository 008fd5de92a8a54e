/**
 * A folder that a long job fills, piece by piece: each piece is there whole or not at all, so that a job which was killed at any
 * moment goes on where it was. `job.json` says what the job is; another job is refused.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UnitscopeError } from '../../errors.ts';
import { hashBytes } from '../../index.ts';
import { ioFault, kindOf, makeFolder, readBytes, writeWhole } from './files.ts';

const JOB = 'job.json';

export class JobFolder {
  private constructor(
    readonly path: string,
    /** SHA-256 of the job. */
    readonly hash: string,
    private readonly names: Set<string>,
  ) {}

  /**
   * @param job all that decides the result, as JSON with sorted keys (`recipeText`, or `JSON.stringify` of what has a fixed order)
   * @throws usage where the folder holds another job or other things; io
   */
  static async open(path: string, job: string): Promise<JobFolder> {
    const hash = await hashBytes(new TextEncoder().encode(job));
    const kind = await kindOf(path);
    if (kind === 'file' || kind === 'other') throw new UnitscopeError('usage', `'${path}' is no folder`, { file: path });
    await makeFolder(path);
    const names = new Set(await list(path));
    const place = join(path, JOB);
    if (names.has(JOB)) {
      if (new TextDecoder().decode(await readBytes(place)) !== `${job}\n`) {
        throw new UnitscopeError('usage', `'${path}' holds another job`, { file: place }, 'choose another folder, or the settings that its job.json says');
      }
    } else {
      if (names.size > 0) throw new UnitscopeError('usage', `'${path}' has files of something else`, { file: path }, 'choose an empty or a new folder');
      await writeWhole(place, new TextEncoder().encode(`${job}\n`));
    }
    return new JobFolder(path, hash, names);
  }

  has(name: string): boolean {
    return this.names.has(name);
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** @throws io */
  async write(name: string, bytes: Uint8Array): Promise<void> {
    await writeWhole(this.file(name), bytes);
    this.names.add(name);
  }

  /** @throws io */
  read(name: string): Promise<Uint8Array> {
    return readBytes(this.file(name));
  }
}

/** Names of what is there; hidden files, unfinished ones of a kill among them, are not. */
async function list(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).filter((name) => !name.startsWith('.'));
  } catch (cause) {
    throw ioFault('read', path, cause);
  }
}
