/** What a run writes down; the JSON file holds a `Report`. Times are in ms. */
import type { Kind } from './row.ts';

export const PEERS = ['ort', 'tfjs', 'jax', 'wasm'] as const;
export type PeerName = (typeof PEERS)[number];
export type ContenderName = 'unitscope' | PeerName;

/** For people. */
export const NAMES: Readonly<Record<ContenderName, string>> = {
  unitscope: 'unitscope',
  ort: 'ort-web WebGPU',
  tfjs: 'tfjs WebGPU',
  jax: 'jax-js WebGPU',
  wasm: 'ort-web wasm',
};

/** One contender in one row. */
export interface Timing {
  readonly contender: ContenderName;
  /** Compilation, upload of the weights and the first run, until the GPU was done. */
  readonly first?: number;
  /** Distinct kernels, and the time until all were compiled, asked for at once on a fresh device. */
  readonly kernels?: number;
  readonly compile?: number;
  /** Time of one run, one entry per sample. */
  readonly samples: readonly number[];
  /** Runs in one sample: short ones are queued together so that the wait for the GPU does not drown them. */
  readonly repeat: number;
  /** |y - ours| / |ours| over all elements; absent for ours. */
  readonly error?: number;
  readonly note?: string;
  /** Why there is no time: not supported, failed, disagrees. */
  readonly fault?: string;
}

export interface RowRecord {
  readonly title: string;
  readonly kind: Kind;
  /** Images at once. */
  readonly batch: number;
  /** Height and width of the input, in rows about scaling. */
  readonly size?: number;
  /** Floating-point operations of one run by our plan. */
  readonly flops: number;
  readonly timings: readonly Timing[];
}

export interface Machine {
  readonly adapter: { readonly vendor: string; readonly architecture: string; readonly description: string; readonly software: boolean };
  readonly userAgent: string;
  readonly isolated: boolean;
}

export interface Report {
  readonly date: string;
  readonly browser: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, unknown>>;
  readonly rows: readonly RowRecord[];
}

/** What the page is asked to do. */
export interface Job {
  readonly titles: readonly string[];
  readonly peers: readonly PeerName[];
  readonly samples: number;
}

/** What the page answers when it is asked how far it is. */
export interface Progress {
  readonly machine?: Machine | undefined;
  /** Rows done since the number that was asked from. */
  readonly rows: readonly RowRecord[];
  /** What is under way. */
  readonly current: string;
  readonly done: boolean;
  readonly fault?: string | undefined;
}

/** Largest relative error that counts as agreement. */
export const TOLERANCE = 1e-3;
