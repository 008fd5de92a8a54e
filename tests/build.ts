/**
 * Builds the viewer and the command line once before the tests that use them (pages and commands), so
 * that none of them sees an old build. A failed build is told to `checks.test.ts`, which reports it.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** What went wrong in the builds; empty when all is well or nothing was built. */
    buildFault: string;
  }
}

const root = join(import.meta.dirname, '..');
const USES_BUILD = /[\\/]tests[\\/](checks\.|e2e[\\/]|node[\\/]command[\\/])/;

export default async function setup(project: TestProject): Promise<void> {
  const filters = process.argv.slice(2).filter((word) => !word.startsWith('-') && word !== 'run');
  const { testFiles } = await project.globTestFiles(filters);
  const isUsed = testFiles.some((file) => USES_BUILD.test(file));
  project.provide('buildFault', isUsed ? build() + build('--mode', 'node') : '');
}

/** Runs vite in a process of its own: a build that fails must not take the tests with it. */
function build(...words: string[]): string {
  const vite = join(root, 'node_modules/vite/bin/vite.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [vite, 'build', '--logLevel', 'warn', ...words], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, NODE_ENV: 'production', VITEST: '' },
  });
  return status === 0 ? '' : `vite build ${words.join(' ')}: exit code ${status}\n${stdout}${stderr}`;
}
