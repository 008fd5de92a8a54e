/** The part of a file that has come so far: `NAME.part`, and `NAME.part.json` with what tells that the rest still belongs to it. */
import { constants } from 'node:fs';
import { link, lstat, open, readFile, rename, rm, type FileHandle } from 'node:fs/promises';
import { UnitscopeError } from '../../errors.ts';
import { ioFault } from '../command/files.ts';

/** Which version of which file a part is of. */
export interface Origin {
  readonly url: string;
  /** ETag or date, as If-Range wants it. */
  readonly validator: string;
}

export class Part {
  readonly path: string;

  constructor(private readonly target: string) {
    this.path = `${target}.part`;
  }

  private get note(): string {
    return `${this.path}.json`;
  }

  /** Bytes that have come. Throws 'io' where something else has that name: it is not ours to write through a link. */
  async size(): Promise<number> {
    const found = await lstat(this.path).catch(() => undefined);
    if (found && !found.isFile()) throw new UnitscopeError('io', `'${this.path}' is no ordinary file`, { file: this.path }, 'move it away');
    return found?.size ?? 0;
  }

  async origin(): Promise<Origin | undefined> {
    try {
      const { url, validator } = JSON.parse(await readFile(this.note, 'utf8')) as Partial<Origin>;
      return typeof url === 'string' && typeof validator === 'string' ? { url, validator } : undefined;
    } catch {
      return undefined;
    }
  }

  /** Opens it for writing, from the start or after what is there. Throws 'io'. */
  async open(fresh: boolean, origin: Origin | undefined): Promise<FileHandle> {
    const { O_WRONLY, O_CREAT, O_TRUNC, O_APPEND, O_NOFOLLOW = 0 } = constants;
    try {
      if (fresh) await rm(this.note, { force: true });
      const file = await open(this.path, O_WRONLY | O_CREAT | O_NOFOLLOW | (fresh ? O_TRUNC : O_APPEND), 0o666);
      if (fresh && origin) await this.remember(origin);
      return file;
    } catch (cause) {
      throw ioFault('write', this.path, cause);
    }
  }

  private async remember(origin: Origin): Promise<void> {
    const file = await open(this.note, 'wx');
    try {
      await file.writeFile(JSON.stringify(origin));
    } finally {
      await file.close();
    }
  }

  async remove(): Promise<void> {
    await rm(this.path, { force: true }).catch(() => undefined);
    await rm(this.note, { force: true }).catch(() => undefined);
  }

  /** Gives the whole file its name. A file that has the name by now is not replaced. Throws 'io'. */
  async finish(): Promise<void> {
    try {
      // A link cannot be made over a file; where a disk knows no links, nothing but a look before is left.
      await link(this.path, this.target).catch(async (cause: NodeJS.ErrnoException) => {
        if (cause.code === 'EEXIST' || (await lstat(this.target).catch(() => undefined))) throw cause;
        await rename(this.path, this.target);
      });
    } catch (cause) {
      throw ioFault('write', this.target, cause);
    }
    await this.remove();
  }
}
