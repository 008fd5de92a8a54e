/** Runs one command line: finds the command, reads its words, prints its report, and says how it ended. */
import { printable, UnitscopeError } from '../../errors.ts';
import { nearest, readWords } from './arguments.ts';
import { EXIT, exitCodeOf, type Command, type ExitCode } from './command.ts';
import { helpOf, overview } from './help.ts';
import { Progress, type Screen } from './progress.ts';

/** The process as a command line sees it; tests pass their own. */
export interface Surroundings {
  readonly stdout: Screen;
  readonly stderr: Screen;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly version: string;
}

/** The command that the words ask to run, or undefined when they ask for help, the version, or nonsense. */
export function commandToRun(words: readonly string[], commands: readonly Command[]): Command | undefined {
  if (words.some((word) => word === '--help' || word === '-h')) return undefined;
  return commands.find(({ name }) => name === words[0]);
}

/** True when the words ask for work on a GPU. */
export function needsGpu(words: readonly string[], commands: readonly Command[]): boolean {
  const gpu = commandToRun(words, commands)?.gpu ?? false;
  return typeof gpu === 'string' ? words.includes(gpu) : gpu;
}

export async function main(words: readonly string[], commands: readonly Command[], around: Surroundings): Promise<ExitCode> {
  const { stdout, stderr } = around;
  try {
    const [first, ...rest] = words;
    if (first === undefined) {
      stderr.write(`${overview(commands, around.version)}\n`);
      return EXIT.usage;
    }
    if (first === '--version' || first === '-V') {
      stdout.write(`${around.version}\n`);
      return EXIT.ok;
    }
    const asked = first === 'help' ? rest[0] : first;
    if (asked === undefined || asked === '--help' || asked === '-h') {
      stdout.write(`${overview(commands, around.version)}\n`);
      return EXIT.ok;
    }
    const command = commands.find(({ name }) => name === asked);
    if (!command) throw unknownCommand(asked, commands);
    if (first === 'help') {
      stdout.write(`${helpOf(command)}\n`);
      return EXIT.ok;
    }
    return await runCommand(command, rest, around);
  } catch (error) {
    stderr.write(`${printable(describeFailure(error, around))}\n`);
    return error instanceof UnitscopeError ? exitCodeOf(error.code) : EXIT.failed;
  }
}

async function runCommand(command: Command, words: readonly string[], around: Surroundings): Promise<ExitCode> {
  const given = readWords(command, words);
  const { flags } = given;
  if (flags.has('help')) {
    around.stdout.write(`${helpOf(command)}\n`);
    return EXIT.ok;
  }
  const plain = flags.has('no-color') || Boolean(around.environment.NO_COLOR) || around.environment.TERM === 'dumb';
  const progress = new Progress(progressScreen(around.stderr, flags.has('quiet'), plain));
  try {
    const warn = (text: string) => {
      progress.clear();
      around.stderr.write(`${printable(text)}\n`);
    };
    const report = await command.run({ ...given, signal: around.signal, progress, warn });
    progress.clear();
    around.stdout.write(`${printable(flags.has('json') ? JSON.stringify(report.data, null, 2) : report.text)}\n`);
    return around.signal.aborted ? EXIT.interrupted : (report.exit ?? EXIT.ok);
  } finally {
    progress.clear();
  }
}

function progressScreen(stderr: Screen, quiet: boolean, plain: boolean): Screen {
  const write = (text: string) => (quiet ? undefined : stderr.write(text));
  return { isTTY: !plain && (stderr.isTTY ?? false), columns: stderr.columns, write };
}

function unknownCommand(name: string, commands: readonly Command[]): UnitscopeError {
  const near = nearest(name, commands.map((command) => command.name));
  const hint = near ? `did you mean '${near}'?` : `the commands are ${commands.map((command) => command.name).join(', ')}`;
  return new UnitscopeError('usage', `there is no command '${name}'`, {}, hint);
}

/** An error of ours is a message; anything else is a fault of the program and shows its stack. */
function describeFailure(error: unknown, { environment }: Surroundings): string {
  if (!(error instanceof UnitscopeError)) return `unexpected: ${(error as Error)?.stack ?? String(error)}`;
  return environment.UNITSCOPE_TRACE ? `${error.describe()}\n${error.stack}` : error.describe();
}
