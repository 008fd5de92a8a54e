/** Every method is in the list, and each is a command. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { METHODS } from '../../src/index.ts';
import { commands } from '../../src/node/command/index.ts';

const folder = join(import.meta.dirname, '../../src/methods');

test('the list has every method that a file declares, once', () => {
  const declared = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => [...readFileSync(join(folder, file), 'utf8').matchAll(/export const \w+_METHOD: Method = \{\s*name: '(\w+)'/g)].map(([, name]) => name!));
  expect(METHODS.map(({ name }) => name).sort()).toEqual(declared.sort());
  expect(new Set(declared).size).toBe(declared.length);
});

test.each(METHODS)('$name is a command, with the same words', ({ name, summary, source }) => {
  expect(commands.find((command) => command.name === name)?.summary).toBe(summary);
  expect(summary).not.toMatch(/\.$/);
  expect(source).not.toBe('');
});
