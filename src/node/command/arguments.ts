/** Reads the words after a command's name: which options, which operands, and what is wrong with them. */
import { parseArgs } from 'node:util';
import { UnitscopeError } from '../../errors.ts';
import type { Call, Command, Option } from './command.ts';

/** Options that every command has. */
export const COMMON: Readonly<Record<string, Option>> = {
  json: { type: 'flag', summary: 'print data for programs on stdout, and nothing else' },
  quiet: { type: 'flag', short: 'q', summary: 'show no progress' },
  'no-color': { type: 'flag', summary: 'plain text (also: NO_COLOR=1)' },
  help: { type: 'flag', short: 'h', summary: 'show this help' },
};

export type Words = Pick<Call, 'operands' | 'flags' | 'values' | 'lists'>;

/** Throws 'usage' on an unknown option, a missing value, and too few or too many operands. */
export function readWords(command: Command, words: readonly string[]): Words {
  const known = { ...command.options, ...COMMON };
  const options = Object.fromEntries(
    Object.entries(known).map(([name, { type, short }]) => [
      name,
      { type: type === 'flag' ? ('boolean' as const) : ('string' as const), ...(short && { short }) },
    ]),
  );
  const { tokens } = parseArgs({ args: [...words], options, strict: false, tokens: true, allowPositionals: true });
  const operands: string[] = [];
  const flags = new Set<string>();
  const values: Record<string, string | undefined> = {};
  const lists: Record<string, string[]> = {};
  for (const [name, option] of Object.entries(known)) {
    if (option.repeats) lists[name] = [];
    else if (option.type === 'text') values[name] = option.default;
  }

  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value);
    if (token.kind !== 'option') continue;
    const option = Object.hasOwn(known, token.name) ? known[token.name] : undefined;
    if (!option) throw unknownOption(command, token.rawName, Object.keys(known));
    if (option.type === 'flag') {
      if (token.value !== undefined) throw usage(command, `${token.rawName} takes no value`);
      flags.add(token.name);
    } else {
      if (token.value === undefined) throw usage(command, `${token.rawName} needs a value: ${option.value}`);
      if (option.repeats) lists[token.name].push(token.value);
      else values[token.name] = token.value;
    }
  }
  if (!flags.has('help')) checkOperands(command, operands);
  return { operands, flags, values, lists };
}

function checkOperands(command: Command, operands: readonly string[]): void {
  const required = command.operands.filter((name) => !name.endsWith('?') && !name.endsWith('?...'));
  if (operands.length < required.length) throw usage(command, `${bare(required[operands.length])} is missing`);
  const repeats = command.operands.at(-1)?.endsWith('...') ?? false;
  if (!repeats && operands.length > command.operands.length) {
    throw usage(command, `unexpected '${operands[command.operands.length]}'`);
  }
}

function unknownOption(command: Command, name: string, known: readonly string[]): UnitscopeError {
  const near = nearest(name.replace(/^-+/, ''), known);
  const hint = near ? `did you mean --${near}?` : `see \`unitscope ${command.name} --help\``;
  return new UnitscopeError('usage', `${command.name} has no option ${name}`, {}, hint);
}

function usage(command: Command, message: string): UnitscopeError {
  return new UnitscopeError('usage', message, {}, `see \`unitscope ${command.name} --help\``);
}

/** `IMAGE?...` -> `IMAGE`. */
export function bare(operand: string): string {
  return operand.replace(/\?|\.\.\./g, '');
}

/** The candidate that shares most letter pairs with the word, or undefined when none is like it. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const wanted = letterPairs(word);
  let best: { candidate: string; score: number } | undefined;
  for (const candidate of candidates) {
    const offered = letterPairs(candidate);
    const score = (2 * wanted.filter((pair) => offered.includes(pair)).length) / (wanted.length + offered.length);
    if (score >= 0.4 && score > (best?.score ?? 0)) best = { candidate, score };
  }
  return best?.candidate;
}

/** 'json' -> '^j', 'js', 'so', 'on', 'n$'. */
function letterPairs(word: string): string[] {
  const letters = `^${word.toLowerCase()}$`;
  return Array.from({ length: letters.length - 1 }, (_, start) => letters.slice(start, start + 2));
}
