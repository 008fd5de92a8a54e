import { describe, expect, test } from 'vitest';
import { UnitscopeError, type ErrorCode } from '../../../src/errors.ts';
import type { Command, Report } from '../../../src/node/command/command.ts';
import { commands } from '../../../src/node/command/index.ts';
import { commandToRun, main, needsGpu } from '../../../src/node/command/main.ts';

function fake(run: Command['run'], name = 'work'): Command {
  return { name, summary: 'a test', operands: [], options: {}, examples: [['unitscope work', 'works']], gpu: true, run };
}

async function call(words: string[], list: readonly Command[] = commands, signal = new AbortController().signal) {
  let out = '';
  let err = '';
  const stdout = { write: (text: string) => (out += text) };
  const stderr = { write: (text: string) => (err += text) };
  const exit = await main(words, list, { stdout, stderr, environment: {}, signal, version: '1.2.3' });
  return { exit, out, err };
}

const report: Report = { data: { answer: 42 }, text: 'the answer is 42' };

test('the report is printed for people, or as data', async () => {
  const list = [fake(() => Promise.resolve(report))];
  expect(await call(['work'], list)).toEqual({ exit: 0, out: 'the answer is 42\n', err: '' });
  const { out, err } = await call(['work', '--json'], list);
  expect(JSON.parse(out)).toEqual({ answer: 42 });
  expect(err).toBe('');
});

test('progress goes to stderr, and --quiet leaves it out', async () => {
  const list = [
    fake(async ({ progress }) => {
      progress.report('work', 1, 1);
      return report;
    }),
  ];
  expect((await call(['work', '--json'], list)).err).toMatch(/^work: 1 of 1, took/);
  expect((await call(['work', '--quiet'], list)).err).toBe('');
});

describe('exit codes', () => {
  test.each<[ErrorCode, number]>([
    ['usage', 2], ['unknown-layer', 2], ['no-webgpu', 3], ['no-adapter', 3], ['model-format', 4], ['model-unsupported', 4],
    ['model-invalid', 4], ['aborted', 130], ['io', 1], ['image-decode', 1], ['device-lost', 1],
  ])('%s is %d, its message on stderr and nothing on stdout', async (code, exit) => {
    const list = [fake(() => Promise.reject(new UnitscopeError(code, 'it broke', { layer: 'conv1' }, 'mend it')))];
    const result = await call(['work', '--json'], list);
    expect(result).toMatchObject({ exit, out: '' });
    expect(result.err).toBe(`it broke [${code}]\n  where: layer 'conv1'\n  hint: mend it\n`);
  });

  test('a fault of the program is 1 and shows where', async () => {
    const result = await call(['work'], [fake(() => Promise.reject(new TypeError('x is undefined')))]);
    expect(result.exit).toBe(1);
    expect(result.err).toMatch(/unexpected: TypeError: x is undefined\n +at/);
  });

  test('a partial success says so, an interrupted one too', async () => {
    expect((await call(['work'], [fake(() => Promise.resolve({ ...report, exit: 1 }))])).exit).toBe(1);
    const stop = new AbortController();
    const list = [fake(() => (stop.abort(), Promise.resolve(report)))];
    expect((await call(['work'], list, stop.signal)).exit).toBe(130);
  });
});

describe('help', () => {
  test.each([['--help'], ['-h'], ['help']])('%s lists every command', async (word) => {
    const { exit, out } = await call([word]);
    expect(exit).toBe(0);
    for (const { name, summary } of commands) expect(out).toMatch(new RegExp(`^  ${name} +${summary}$`, 'm'));
  });

  test.each(commands.map(({ name }) => name))('%s explains itself, with examples', async (name) => {
    const { exit, out } = await call([name, '--help']);
    expect(exit).toBe(0);
    expect(out).toMatch(/Usage: unitscope/);
    expect(out).toMatch(/Examples:\n {2}\S/);
    expect((await call(['help', name])).out).toBe(out);
  });

  test('no word at all is wrong usage, and shows the help on stderr', async () => {
    const { exit, out, err } = await call([]);
    expect({ exit, out }).toEqual({ exit: 2, out: '' });
    expect(err).toMatch(/Commands:/);
  });

  test('the version', async () => expect(await call(['--version'])).toEqual({ exit: 0, out: '1.2.3\n', err: '' }));
});

test('an unknown command is refused with the nearest name', async () => {
  const { exit, err } = await call(['docter']);
  expect(exit).toBe(2);
  expect(err).toMatch(/did you mean 'doctor'/);
});

test('only a command that is going to run needs the GPU', () => {
  expect(commandToRun(['doctor'], commands)?.name).toBe('doctor');
  for (const words of [[], ['--version'], ['doctor', '--help'], ['nothing']]) expect(commandToRun(words, commands)).toBeUndefined();
  expect([['doctor'], ['plan', '--explain', 'net.onnx']].map((words) => needsGpu(words, commands))).toEqual([true, true]);
  expect([['plan', 'net.onnx'], ['inspect'], ['doctor', '--help']].map((words) => needsGpu(words, commands))).toEqual([false, false, false]);
});
