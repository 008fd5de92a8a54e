import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';

const root = join(import.meta.dirname, '..');

function run(script: string, ...words: string[]): string {
  const { stdout, stderr, status } = spawnSync(process.execPath, [join(root, script), ...words], {
    cwd: root,
    encoding: 'utf8',
  });
  return status === 0 ? '' : `exit code ${status}\n${stdout}${stderr}`;
}

describe('types', () => {
  test.each(['.', 'src', 'src/node', 'viewer', 'tests'])('%s', (folder) => {
    expect(run('tests/types.mjs', folder)).toBe('');
  });
});

test('lint', () => {
  expect(run('node_modules/eslint/bin/eslint.js', '.', '--max-warnings', '0')).toBe('');
});

test('the viewer and the command line build', () => {
  expect(inject('buildFault')).toBe('');
});
