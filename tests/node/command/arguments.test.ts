import { describe, expect, test } from 'vitest';
import type { UnitscopeError } from '../../../src/errors.ts';
import { nearest, readWords } from '../../../src/node/command/arguments.ts';
import type { Command } from '../../../src/node/command/command.ts';

const command: Command = {
  name: 'paint',
  summary: 'paint a unit',
  operands: ['MODEL', 'IMAGE?...'],
  options: {
    steps: { type: 'text', short: 'n', value: 'N', summary: 'steps', default: '40' },
    seed: { type: 'text', value: 'N', summary: 'seed' },
    unit: { type: 'text', value: 'UNIT', summary: 'unit', repeats: true },
    dry: { type: 'flag', summary: 'only say what would be done' },
  },
  examples: [],
  gpu: false,
  run: () => Promise.reject(new Error('never run here')),
};

function fault(words: string[], of: Command = command): UnitscopeError {
  try {
    readWords(of, words);
  } catch (error) {
    return error as UnitscopeError;
  }
  throw new Error(`no fault was found in: ${words.join(' ')}`);
}

describe('words', () => {
  test('options and operands may mix; defaults are filled in', () => {
    const { operands, flags, values } = readWords(command, ['net.onnx', '--dry', 'a.png', '--seed=7', 'b.png']);
    expect(operands).toEqual(['net.onnx', 'a.png', 'b.png']);
    expect([...flags]).toEqual(['dry']);
    expect(values).toMatchObject({ steps: '40', seed: '7' });
  });

  test('short names, and a word after -- that looks like an option', () => {
    const { operands, values } = readWords(command, ['-n', '3', '--', '-odd.onnx']);
    expect(values.steps).toBe('3');
    expect(operands).toEqual(['-odd.onnx']);
  });

  test('an option that repeats keeps all its values', () => {
    expect(readWords(command, ['m', '--unit', 'a:1', '--unit', 'b:2']).lists).toEqual({ unit: ['a:1', 'b:2'] });
    expect(readWords(command, ['m']).lists).toEqual({ unit: [] });
  });

  test('the last of several values counts', () => {
    expect(readWords(command, ['m', '--seed', '1', '--seed', '2']).values.seed).toBe('2');
  });

  test.each([
    [['m', '--step', '3'], /no option --step/, /--steps/],
    [['m', '--xyzzy'], /no option --xyzzy/, /paint --help/],
    [['m', '--constructor'], /no option --constructor/, /help/],
    [['m', '-z'], /no option -z/, /help/],
    [['m', '--dry=1'], /takes no value/, /help/],
    [['m', '--seed'], /--seed needs a value: N/, /help/],
    [[], /MODEL is missing/, /help/],
  ])('%j is refused', (words, message, hint) => {
    const error = fault(words);
    expect(error.code).toBe('usage');
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
  });

  test('an operand too many is refused', () => {
    expect(fault(['a', 'b'], { ...command, operands: ['MODEL'] }).message).toBe("unexpected 'b'");
  });
});

test('the nearest name', () => {
  const names = ['inspect', 'plan', 'classify', 'maximize', 'doctor'];
  expect(nearest('maximise', names)).toBe('maximize');
  expect(nearest('doctr', names)).toBe('doctor');
  expect(nearest('zzz', names)).toBeUndefined();
});
