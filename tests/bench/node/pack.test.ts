import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { findVulkan } from '../../../src/node/vulkan.ts';
import { LIMIT, pack } from './pack.ts';
import type { ServerReport } from './report.ts';

const scratch = mkdtempSync(join(tmpdir(), 'unitscope-pack-'));
const isPackable = process.platform === 'linux' && process.arch === 'x64';

afterAll(() => rmSync(scratch, { recursive: true }));

test('the packed folder runs alone, on any adapter, and writes what another program compares with', async () => {
  const folder = join(scratch, 'pack');
  if (!isPackable) {
    await expect(pack(folder)).rejects.toThrow('Linux x64');
    return;
  }
  const files = await pack(folder, 1);
  expect(files.map(({ path }) => path).sort()).toEqual(expect.arrayContaining(['bench.mjs', 'dist/linux-x64/dawn.node.gz', 'node.gz', 'pytorch.py', 'run.sh']));
  expect(files.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(LIMIT);

  const json = join(scratch, 'bench.json');
  const words = [join(folder, 'run.sh'), '--only', '^smoke conv', '--samples', '2', '--json', json];
  // The machine's driver, or the software one by name: the folder carries none.
  const env = { PATH: process.env.PATH, ...findVulkan().environment };
  const { status, stdout, stderr } = spawnSync('sh', words, { cwd: scratch, encoding: 'utf8', env });
  expect({ status, stderr }).toMatchObject({ status: 0 });
  expect(stdout).toContain('smoke conv x2 input gradient');
  const report = JSON.parse(readFileSync(json, 'utf8')) as ServerReport;
  expect(report.rows.map(({ kind, timing, x, result }) => [kind, timing.samples.length, x!.shape, result!.shape])).toEqual([
    ['forward', 2, [2, 3, 12, 12], [2, 8, 12, 12]],
    ['input gradient', 2, [2, 3, 12, 12], [2, 3, 12, 12]],
  ]);
  expect(report.networks['smoke conv']!.nodes).toHaveLength(1);
});

test('a folder with files in it is left alone', async () => {
  const folder = join(scratch, 'full');
  mkdirSync(folder);
  writeFileSync(join(folder, 'file'), '');
  await expect(pack(folder)).rejects.toThrow(isPackable ? 'not empty' : 'Linux x64');
});
