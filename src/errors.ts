/** Every kind of failure that a caller can meet; stable, so that programs may switch on it. */
export type ErrorCode =
  | 'no-webgpu' // the host has no WebGPU at all
  | 'no-adapter' // WebGPU is there, no adapter is
  | 'device-lost'
  | 'out-of-memory'
  | 'limit' // the plan needs more than the device allows
  | 'shader' // a kernel of ours does not compile
  | 'gpu' // any other validation or internal error of the GPU
  | 'model-format' // the bytes are not what they claim to be
  | 'model-unsupported' // well-formed, but it asks for something that is not implemented
  | 'model-invalid' // well-formed, but contradictory (cycle, shapes, missing weights)
  | 'image-decode'
  | 'not-finite' // NaN or Inf where a number is needed
  | 'no-gradient' // the gradient is zero everywhere
  | 'unknown-layer'
  | 'usage' // an argument is wrong
  | 'io' // a file cannot be read or written
  | 'aborted';

/** Where it went wrong. Every field is optional; the ones that are known are printed. */
export interface ErrorAddress {
  file?: string;
  /** Byte offset in `file`. */
  offset?: number;
  layer?: string;
  op?: string;
  attribute?: string;
  /** Label of a GPU step, and the line of its shader. */
  step?: string;
  line?: number;
}

/**
 * Text that may hold names from a stranger's file, for a terminal or a page: control characters (except the end of a line)
 * and marks of writing direction become `\uXXXX`, as in JSON, so that nothing reads as something else.
 */
export function printable(text: string): string {
  return text.replace(
    /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The middle of a very long name is left out. */
const shortened = (name: string): string => (name.length > 300 ? `${name.slice(0, 140)}...${name.slice(-140)}` : name);

/** The one error class of the program: a stable code, an address, and what to do about it. */
export class UnitscopeError extends Error {
  override readonly name = 'UnitscopeError';

  readonly hint: string;

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly address: ErrorAddress = {},
    hint = '',
    options?: ErrorOptions,
  ) {
    super(printable(message), options);
    this.hint = printable(hint);
  }

  /** The whole story in one to three lines: what, where, what to do. */
  describe(): string {
    const where = Object.entries(this.address)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => `${key} ${typeof value === 'string' ? `'${shortened(printable(value))}'` : value}`)
      .join(', ');
    return [`${this.message} [${this.code}]`, where && `  where: ${where}`, this.hint && `  hint: ${this.hint}`]
      .filter(Boolean)
      .join('\n');
  }
}

/** Throws an `aborted` error when the caller has asked to stop. */
export function throwIfAborted(signal?: AbortSignal): void {
  if (signal?.aborted) throw new UnitscopeError('aborted', 'stopped on request');
}
