/** The help texts, made from the commands themselves. */
import { bare, COMMON } from './arguments.ts';
import type { Command, Option } from './command.ts';

export function overview(commands: readonly Command[], version: string): string {
  return [
    `unitscope ${version}: a microscope for convolutional neural networks`,
    '',
    'Usage: unitscope COMMAND [OPTION...] [OPERAND...]',
    '',
    'Commands:',
    ...table(commands.map(({ name, summary }) => [name, summary])),
    '',
    'Options of every command:',
    ...table(optionRows(COMMON)),
    '',
    'Examples:',
    ...exampleLines(commands.flatMap(({ examples }) => examples.slice(0, 1))),
    '',
    'Exit codes: 0 done, 1 some of it failed, 2 wrong usage, 3 no GPU, 4 unusable model, 130 interrupted',
    'More about one command: unitscope COMMAND --help',
  ].join('\n');
}

export function helpOf(command: Command): string {
  const operands = command.operands.map((operand) => {
    const name = `${bare(operand)}${operand.endsWith('...') ? '...' : ''}`;
    return operand.includes('?') ? `[${name}]` : name;
  });
  const own = optionRows(command.options);
  return [
    `unitscope ${command.name}: ${command.summary}`,
    '',
    `Usage: ${['unitscope', command.name, '[OPTION...]', ...operands].join(' ')}`,
    '',
    'Options:',
    ...table([...own, ...optionRows(COMMON)]),
    '',
    'Examples:',
    ...exampleLines(command.examples),
  ].join('\n');
}

function exampleLines(examples: Command['examples']): string[] {
  return examples.flatMap(([line, meaning]) => [`  ${line}`, `      ${meaning}`]);
}

function optionRows(options: Readonly<Record<string, Option>>): string[][] {
  return Object.entries(options).map(([name, { short, value, summary, default: preset, repeats }]) => [
    `${short ? `-${short}, ` : '    '}--${name}${value ? ` ${value}` : ''}`,
    `${summary}${preset === undefined ? '' : ` (default: ${preset})`}${repeats ? ' (repeats)' : ''}`,
  ]);
}

/** Rows with aligned columns, two spaces in; the columns in `right` hold numbers and end flush. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const pad = (cell: string, column: number) => (right.includes(column) ? cell.padStart(widths[column]) : cell.padEnd(widths[column]));
  return rows.map((row) => `  ${row.map(pad).join('  ')}`.trimEnd());
}
