/** Real networks and recorded results for tests; they are not part of the repository. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const projectRoot = fileURLToPath(new URL('../../', import.meta.url));

/** Folder of the reference data: UNITSCOPE_DATA, or `../shared/data` beside the project. */
export const dataRoot = resolve(projectRoot, process.env.UNITSCOPE_DATA ?? '../shared/data');

/** Absolute path inside the reference data; fails with instructions when it is not there. */
export function dataPath(path: string): string {
  const full = resolve(dataRoot, path);
  if (existsSync(full)) return full;
  throw new Error(`${full} is missing: point UNITSCOPE_DATA to the folder of the reference data (it holds models/, golden/, onnx-node-tests/)`);
}

/** The bytes of a file of the reference data, in a buffer of their own. */
export function dataBytes(path: string): Uint8Array {
  return new Uint8Array(readFileSync(dataPath(path)));
}

export function dataJson<T>(path: string): T {
  return JSON.parse(readFileSync(dataPath(path), 'utf8')) as T;
}
