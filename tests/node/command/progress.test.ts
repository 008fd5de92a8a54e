import { expect, test } from 'vitest';
import { duration, Progress } from '../../../src/node/command/progress.ts';

function screen(isTTY: boolean) {
  const written: string[] = [];
  return { isTTY, columns: 80, written, write: (text: string) => written.push(text) };
}

test('a terminal sees one line that is rewritten, with the time left', () => {
  let now = 0;
  const terminal = screen(true);
  const progress = new Progress(terminal, () => now);
  for (let step = 0; step <= 10; step++, now += 1000) progress.report('maximize', step, 10);
  expect(terminal.written[5]).toMatch(/^\r\x1b\[Kmaximize \[=+ +\] 5\/10 5\.0 s left$/);
  expect(terminal.written.at(-2)).toMatch(/10\/10 took 10 s$/);
  expect(terminal.written.at(-1)).toBe('\n');
});

test('a terminal is not written more than ten times a second, and never past its width', () => {
  let now = 0;
  const terminal = { ...screen(true), columns: 30 };
  const progress = new Progress(terminal, () => now);
  for (let step = 0; step < 1000; step++, now++) progress.report('a long name of a long job', step, 2000);
  expect(terminal.written.length).toBe(10);
  expect(Math.max(...terminal.written.map((line) => line.length))).toBeLessThanOrEqual(30 + '\r\x1b[K'.length - 1);
});

test('a file sees whole lines, a few of them, and no control codes', () => {
  let now = 0;
  const log = screen(false);
  const progress = new Progress(log, () => now);
  for (let step = 0; step <= 100; step++, now += 200) progress.report('maximize', step, 100);
  expect(log.written).toEqual([
    'maximize: 25 of 100, 15 s left\n',
    'maximize: 50 of 100, 10 s left\n',
    'maximize: 75 of 100, 5.0 s left\n',
    'maximize: 100 of 100, took 20 s\n',
  ]);
});

test('a note does not land in the middle of the line', () => {
  const terminal = screen(true);
  const progress = new Progress(terminal, () => 0);
  progress.report('job', 1, 2);
  progress.note('one image could not be read');
  expect(terminal.written.slice(1)).toEqual(['\r\x1b[K', 'one image could not be read\n']);
});

test.each([
  [400, '0.4 s'], [12_300, '12 s'], [59_700, '1 min 0 s'], [185_000, '3 min 5 s'], [7_800_000, '2 h 10 min'],
])('%d ms is %s', (milliseconds, text) => expect(duration(milliseconds)).toBe(text));

test('what else there is to say stands before the time', () => {
  let now = 0;
  const terminal = { ...screen(true), columns: 200 };
  const progress = new Progress(terminal, () => now);
  for (let step = 0; step <= 10; step++, now += 1000) progress.report('train', step, 10, String, `loss ${10 - step}`);
  expect(terminal.written[5]).toMatch(/\] 5\/10 loss 5, 5\.0 s left$/);
  expect(terminal.written.at(-2)).toMatch(/10\/10 loss 0, took 10 s$/);
});
