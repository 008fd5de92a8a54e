import { expect, test } from 'vitest';
import { tally } from './reporter.ts';

test('passed and failed tests are counted over all files', () => {
  const modules = [{ tests: ['passed', 'passed'] as const, errors: 0 }, { tests: ['failed', 'passed'] as const, errors: 0 }];
  expect(tally(modules, 0)).toEqual({ passed: 3, failed: 1 });
});

test('a skipped or unfinished test is a failed test', () => {
  expect(tally([{ tests: ['passed', 'skipped', 'pending'], errors: 0 }], 0)).toEqual({ passed: 1, failed: 2 });
});

test('a file that does not load, a broken hook and a loose rejection fail the run', () => {
  expect(tally([{ tests: [], errors: 1 }, { tests: ['passed'], errors: 1 }], 1)).toEqual({ passed: 1, failed: 3 });
});

test('no test at all is a failure', () => {
  expect(tally([], 0)).toEqual({ passed: 0, failed: 1 });
});
