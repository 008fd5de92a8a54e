/** What a command of the command line is. A new one is one file and one line in `index.ts`. */
import type { ErrorCode } from '../../errors.ts';
import type { Progress } from './progress.ts';

export interface Option {
  /** A `flag` takes no value. */
  readonly type: 'flag' | 'text';
  readonly short?: string;
  /** What stands for the value in the help, e.g. `N` or `FILE`. */
  readonly value?: string;
  readonly summary: string;
  readonly default?: string;
  /** May be given several times: its values are in `lists`. */
  readonly repeats?: boolean;
}

/** Operands and options as typed, checked for names and number but not for meaning. */
export interface Call {
  readonly operands: readonly string[];
  readonly flags: ReadonlySet<string>;
  /** Values by option name; an option with a default is always there. */
  readonly values: Readonly<Record<string, string | undefined>>;
  /** All values of an option that repeats, in order; empty when it was not given. */
  readonly lists: Readonly<Record<string, readonly string[]>>;
  /** Aborts on the first Ctrl-C. */
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Says on stderr, at once, what is wrong with a part of the work; --quiet does not silence it. */
  warn(text: string): void;
}

/** What a command has found: the same facts for programs (`--json`) and for people. */
export interface Report {
  readonly data: unknown;
  readonly text: string;
  readonly exit?: ExitCode;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** In order; a name that ends in `?` may be left out, one that ends in `...` repeats. */
  readonly operands: readonly string[];
  readonly options: Readonly<Record<string, Option>>;
  /** Whole command lines, each with what it does. */
  readonly examples: readonly (readonly [line: string, meaning: string])[];
  /** True when the process must start with the variables of the Vulkan driver; a name when that option asks for it. */
  readonly gpu: boolean | `--${string}`;
  run(call: Call): Promise<Report>;
}

export const EXIT = { ok: 0, failed: 1, usage: 2, gpu: 3, model: 4, interrupted: 130 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const EXIT_OF: Partial<Record<ErrorCode, ExitCode>> = {
  usage: EXIT.usage,
  'unknown-layer': EXIT.usage,
  'no-webgpu': EXIT.gpu,
  'no-adapter': EXIT.gpu,
  'model-format': EXIT.model,
  'model-unsupported': EXIT.model,
  'model-invalid': EXIT.model,
  aborted: EXIT.interrupted,
};

export function exitCodeOf(code: ErrorCode): ExitCode {
  return EXIT_OF[code] ?? EXIT.failed;
}
