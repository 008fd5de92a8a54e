/** What may come of an untrusted file: a network, or a typed error, soon and without much memory. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'vitest';
import { UnitscopeError, type ErrorCode } from '../../src/errors.ts';
import { loadNetwork, type LoadOptions, type NamedFile } from '../../src/formats/loader.ts';
import { shapesOf } from '../../src/ops/check.ts';
import { receptiveFields } from '../../src/ops/receptive_field.ts';

/** Of this process's own work, so that a busy machine makes nothing slow. */
const LONGEST_MS = 2000;
/** Beyond twice the files. */
const SPARE_BYTES = 64 * 2 ** 20;
/** A longer message is no help; names and lists in it are cut. */
const LONGEST_MESSAGE = 30_000;

setFlagsFromString('--expose-gc');
/** Frees what nobody holds, so that garbage is not taken for memory in use. */
export const collect = runInNewContext('gc') as () => void;

export interface Outcome {
  /** Undefined where the file does no harm: it is a network. */
  readonly code?: ErrorCode;
  readonly message: string;
  readonly hint: string;
}

/** Runs a reader; anything but a typed error of bounded length within two seconds fails the test. */
export async function outcomeOf(read: () => unknown): Promise<Outcome> {
  const start = process.cpuUsage();
  let outcome: Outcome = { message: '', hint: '' };
  try {
    await read();
  } catch (error) {
    if (!(error instanceof UnitscopeError)) throw error;
    outcome = { code: error.code, message: error.message, hint: error.hint };
    expect(error.describe().length, 'length of the message').toBeLessThan(LONGEST_MESSAGE);
    expect(error.describe(), 'a mark that moves text').not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f\u200e\u200f\u202a-\u202e\u2066-\u2069]/);
  }
  const { user, system } = process.cpuUsage(start);
  expect((user + system) / 1000, 'milliseconds').toBeLessThan(LONGEST_MS);
  return outcome;
}

/** As a person does it: the files are loaded, every shape and receptive field is inferred, before anything is asked of a GPU. */
export const opened = (files: readonly NamedFile[], options: LoadOptions = {}) => async (): Promise<void> => {
  const network = await loadNetwork(files, options);
  shapesOf(network);
  receptiveFields(network);
};

/**
 * Runs something on files; the process may at no time hold more than twice their bytes and 64 MB on top of what it held
 * before. The peak of a process never falls, so what an earlier case took cannot count for this one.
 */
export async function withinMemory<T>(files: readonly NamedFile[], run: () => Promise<T>): Promise<T> {
  collect();
  const before = process.memoryUsage.rss();
  const peakBefore = process.resourceUsage().maxRSS * 1024;
  const result = await run();
  const peak = process.resourceUsage().maxRSS * 1024;
  const allowed = before + 2 * files.reduce((sum, { bytes }) => sum + bytes.length, 0) + SPARE_BYTES;
  expect(peak <= Math.max(peakBefore, allowed), `${Math.round((peak - before) / 2 ** 20)} MiB were taken`).toBe(true);
  return result;
}
