/** Long jobs under test: stopped in the middle, and their folders compared byte by byte. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commands } from '../../../src/node/command/index.ts';
import { main } from '../../../src/node/command/main.ts';

/** The files of a folder by name, as hexadecimal text. */
export function filesIn(folder: string): Record<string, string> {
  return Object.fromEntries(readdirSync(folder).sort().map((name) => [name, readFileSync(join(folder, name), 'hex')]));
}

/** Runs a command line that is asked to stop as soon as its folder has a file whose name matches. */
export async function stopped(words: readonly string[], folder: string, once: RegExp): Promise<{ exit: number; text: string }> {
  const stop = new AbortController();
  let text = '';
  const screen = { write: (part: string) => (text += part) };
  const watch = setInterval(() => {
    if (existsSync(folder) && readdirSync(folder).some((name) => once.test(name))) stop.abort();
  }, 1);
  try {
    const exit = await main(words, commands, { stdout: screen, stderr: screen, environment: {}, signal: stop.signal, version: '0' });
    return { exit, text };
  } finally {
    clearInterval(watch);
  }
}
