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

/** The one error class of the program: a stable code, an address, and what to do about it. */
export class UnitscopeError extends Error {
  override readonly name = 'UnitscopeError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly address: ErrorAddress = {},
    readonly hint = '',
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** The whole story in one to three lines: what, where, what to do. */
  describe(): string {
    const where = Object.entries(this.address)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => `${key} ${typeof value === 'string' ? `'${value}'` : value}`)
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
