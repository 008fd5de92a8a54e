/** The command line under test: the built program as a process, and the same commands in this process. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { commands } from '../../../src/node/command/index.ts';
import { main } from '../../../src/node/command/main.ts';

const root = join(import.meta.dirname, '../../..');
const program = join(root, 'dist/node/unitscope.js');

/** A picture that comes with the embedded network. */
export const example = (name: string): string => join(root, `models/embedded/examples/${name}.png`);

export interface Ending {
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
  /** Milliseconds between the last output and the end of the process. */
  readonly lingered: number;
}

interface Circumstances {
  readonly environment?: Readonly<Record<string, string>>;
  /** Called with every piece of stderr. */
  readonly watch?: (text: string, child: ChildProcess) => void;
  /** Called once, with the process. */
  readonly started?: (child: ChildProcess) => void;
}

/** Starts the built program as a shell does: without what the test process was given for its own GPU. */
export function start(words: readonly string[], { environment = {}, watch, started }: Circumstances = {}): Promise<Ending> {
  expect(existsSync(program), `${program} is not built`).toBe(true);
  const own = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES', 'LD_LIBRARY_PATH', 'UNITSCOPE_DRIVER'];
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.includes(name)));
  const child = spawn(process.execPath, [program, ...words], { env: { ...inherited, ...environment } });
  started?.(child);
  let out = '';
  let err = '';
  let last = performance.now();
  child.stdout.on('data', (data: Buffer) => ((out += data), (last = performance.now())));
  child.stderr.on('data', (data: Buffer) => {
    err += data;
    last = performance.now();
    watch?.(String(data), child);
  });
  return new Promise((resolve) => {
    child.on('close', (exit) => resolve({ exit, out, err, lingered: performance.now() - last }));
  });
}

/** Runs a command line in this process: for what ends before a GPU is needed. */
export async function call(...words: string[]): Promise<Omit<Ending, 'lingered'>> {
  let out = '';
  let err = '';
  const stdout = { write: (text: string) => (out += text) };
  const stderr = { write: (text: string) => (err += text) };
  const signal = new AbortController().signal;
  const exit = await main(words, commands, { stdout, stderr, environment: {}, signal, version: '0.0.0' });
  return { exit, out, err };
}

/** A folder of the test file, removed after its tests. Call at the top of the file; ask for paths inside the tests. */
export function useFolder(): (name?: string) => string {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'unitscope-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return (name = '') => join(folder, name);
}
