/** What was measured of kernels, in one JSON file of this user: a record for each adapter. */
import { join } from 'node:path';
import { UnitscopeError } from '../errors.ts';
import { KERNELS_VERSION, readRecord, type KernelRecord, type KernelStore } from '../index.ts';
import { privateRoot } from './cache.ts';
import { kindOf, readBytes, writeWhole } from './command/files.ts';

/** Larger files are not ours. */
const MOST_BYTES = 32 * 2 ** 20;

export class KernelFile implements KernelStore {
  /**
   * @param warn told of a file that is damaged (which is then mended) or out of reach
   * @param path for tests
   */
  constructor(
    private readonly warn: (text: string) => void,
    private readonly path?: string,
  ) {}

  async load(adapter: string): Promise<KernelRecord | undefined> {
    return (await this.list()).find((record) => record.adapter === adapter);
  }

  async save(record: KernelRecord): Promise<void> {
    const others = (await this.list()).filter(({ adapter }) => adapter !== record.adapter);
    await this.write([...others, record]);
  }

  async clear(adapter: string): Promise<void> {
    const records = await this.list();
    const others = records.filter((record) => record.adapter !== adapter);
    if (others.length < records.length) await this.write(others);
  }

  /** What the file holds; a damaged record is told of and thrown away, an older one is passed over. */
  async list(): Promise<KernelRecord[]> {
    try {
      const path = this.place();
      if ((await kindOf(path)) === 'nothing') return [];
      const { records, fault } = readFile(await readBytes(path));
      if (fault !== undefined) {
        this.warn(`note: '${path}' was damaged and is mended: ${fault}`);
        await this.write(records);
      }
      return records;
    } catch (error) {
      if (!(error instanceof UnitscopeError)) throw error;
      this.warn(`note: what was measured of kernels is out of reach: ${error.message}`);
      return [];
    }
  }

  /** Throws 'io' where the cache is not ours. */
  place(): string {
    return this.path ?? join(privateRoot(), 'kernels.json');
  }

  private async write(records: readonly KernelRecord[]): Promise<void> {
    await writeWhole(this.place(), new TextEncoder().encode(`${JSON.stringify({ records }, null, 1)}\n`));
  }
}

/** The records that can be used, and what is wrong with the file. */
function readFile(bytes: Uint8Array): { records: KernelRecord[]; fault?: string } {
  if (bytes.length > MOST_BYTES) return { records: [], fault: `it has ${bytes.length} bytes` };
  let content: unknown;
  try {
    content = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return { records: [], fault: 'it is no JSON' };
  }
  const list = (content as { records?: unknown } | null)?.records;
  if (!Array.isArray(list)) return { records: [], fault: 'it has no list of records' };
  const read = list.map((record) => ({ record: readRecord(record), old: isOld(record) }));
  const fault = read.map(({ record, old }) => (typeof record === 'string' && !old ? record : undefined)).find((text) => text !== undefined);
  return { records: read.flatMap(({ record }) => (typeof record === 'string' ? [] : [record])), ...(fault !== undefined && { fault }) };
}

/** A record of other kernels is no damage. */
function isOld(record: unknown): boolean {
  const version = (record as { version?: unknown } | null)?.version;
  return typeof version === 'number' && version !== KERNELS_VERSION;
}
