/**
 * What was measured of kernels, in the browser's IndexedDB. A browser may have none, deny it (private windows, blocked
 * storage) or hold something else under its name: then nothing is known and nothing is kept, and the page goes on.
 */
import { readRecord, type KernelRecord, type KernelStore } from '../src/index.ts';

const DATABASE = 'unitscope';
const STORE = 'kernels';

/** A database that does not answer must not keep the page waiting. */
const PATIENCE_MS = 2000;

export class BrowserKernelStore implements KernelStore {
  async load(adapter: string): Promise<KernelRecord | undefined> {
    const record = readRecord(await this.ask('readonly', (store) => store.get(adapter)));
    return typeof record === 'string' || record.adapter !== adapter ? undefined : record;
  }

  async save(record: KernelRecord): Promise<void> {
    await this.ask('readwrite', (store) => store.put(record, record.adapter));
  }

  async clear(adapter: string): Promise<void> {
    await this.ask('readwrite', (store) => store.delete(adapter));
  }

  async list(): Promise<KernelRecord[]> {
    const stored = (await this.ask<unknown[]>('readonly', (store) => store.getAll())) ?? [];
    return stored.map(readRecord).filter((record) => typeof record !== 'string');
  }

  /** The answer to one request, undefined where there is none. */
  private async ask<T>(mode: IDBTransactionMode, request: (store: IDBObjectStore) => IDBRequest<T>): Promise<T | undefined> {
    let database: IDBDatabase | undefined;
    try {
      database = await openDatabase();
      return await answer(request(database.transaction(STORE, mode).objectStore(STORE)));
    } catch {
      return undefined;
    } finally {
      database?.close();
    }
  }
}

function openDatabase(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  return answer(request);
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('the database does not answer')), PATIENCE_MS);
    request.onsuccess = () => {
      clearTimeout(late);
      resolve(request.result);
    };
    request.onerror = () => {
      clearTimeout(late);
      reject(request.error ?? new Error('the database refuses'));
    };
  });
}
