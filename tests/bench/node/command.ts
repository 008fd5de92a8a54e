/** `npm run bench:node`: the benchmark in Node on this machine, or packed for another one. */
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { bundle, PROGRAM } from './bundle.ts';
import { LIMIT, pack, type PackedFile } from './pack.ts';

const ROOT = resolve(import.meta.dirname, '../../..');

const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

export function formatSizes(folder: string, files: readonly PackedFile[]): string {
  const sum = (of: (file: PackedFile) => number): number => files.reduce((total, file) => total + of(file), 0);
  const packed = sum(({ bytes }) => bytes);
  const lines = files.map(({ path, bytes, rawBytes }) => `  ${path.padEnd(30)} ${mib(bytes).padStart(10)}${rawBytes > bytes ? `, ${mib(rawBytes)} unpacked` : ''}`);
  const verdict = packed > LIMIT ? `MORE than the ${mib(LIMIT)} that may be carried` : `below ${mib(LIMIT)}`;
  return [folder, ...lines, `  ${mib(packed)} in all, ${verdict}; ${mib(sum(({ rawBytes }) => rawBytes))} unpacked`, '', 'there: sh run.sh, then python3 pytorch.py bench.json'].join('\n');
}

/** `--pack DIR`, or the options of the program. */
export async function main(args: readonly string[]): Promise<number> {
  const [first, folder, ...rest] = args;
  if (first === '--pack') {
    if (!folder || rest.length > 0) {
      console.error('--pack takes a folder and nothing else');
      return 2;
    }
    const files = await pack(resolve(folder));
    console.log(formatSizes(resolve(folder), files));
    return files.reduce((total, { bytes }) => total + bytes, 0) > LIMIT ? 1 : 0;
  }
  const built = join(ROOT, 'dist/bench/node');
  await bundle(built, false);
  const { status } = spawnSync(process.execPath, [join(built, PROGRAM), ...args], { stdio: 'inherit' });
  return status ?? 1;
}
