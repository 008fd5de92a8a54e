/** Packs the benchmark for a server that has a GPU and nothing of ours: Node, Dawn, a Vulkan loader and one file, compressed. */
import { copyFileSync, createReadStream, createWriteStream, mkdirSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { bundledVulkan } from '../../../src/node/bundled_chromium.ts';
import { bundle } from './bundle.ts';

/** What may be carried to such a server. */
export const LIMIT = 64 * 2 ** 20;

export interface PackedFile {
  readonly path: string;
  /** As it lies in the folder. */
  readonly bytes: number;
  /** As it is used. */
  readonly rawBytes: number;
}

/** Binaries by their place in the folder. */
function binaries(): Readonly<Record<string, string>> {
  const dawn = join(dirname(createRequire(import.meta.url).resolve('webgpu')), 'dist/linux-x64/dawn.node');
  const loader = bundledVulkan()?.loaderFolder;
  return {
    node: process.execPath,
    'dist/linux-x64/dawn.node': dawn,
    ...(loader && { 'lib/libvulkan.so.1': join(loader, 'libvulkan.so.1') }),
  };
}

async function compress(from: string, to: string, level: number): Promise<void> {
  mkdirSync(dirname(to), { recursive: true });
  await pipeline(createReadStream(from), createGzip({ level }), createWriteStream(to));
}

/**
 * Fills a folder that is empty or not there.
 * @param level of gzip, 1 to 9
 * @throws Error on another platform, or where the folder has files
 */
export async function pack(folder: string, level = 6): Promise<PackedFile[]> {
  if (process.platform !== 'linux' || process.arch !== 'x64') throw new Error('the pack takes this machine\'s Node along and is for Linux x64: make it there');
  mkdirSync(folder, { recursive: true });
  if (readdirSync(folder).length > 0) throw new Error(`${folder} is not empty`);
  const sources = binaries();
  await bundle(folder, true);
  for (const file of ['run.sh', 'pytorch.py']) copyFileSync(join(import.meta.dirname, file), join(folder, file));
  for (const [path, source] of Object.entries(sources)) await compress(source, join(folder, `${path}.gz`), level);
  const size = (path: string): number => statSync(path).size;
  return (readdirSync(folder, { recursive: true }) as string[])
    .filter((path) => statSync(join(folder, path)).isFile())
    .map((path) => ({ path, bytes: size(join(folder, path)), rawBytes: size(sources[path.replace(/\.gz$/, '')] ?? join(folder, path)) }));
}
