/**
 * A plan: what the GPU will do, as data. It is made once per (network, batch, input size) and can be printed,
 * counted and tested without running.
 */
import type { Shape } from '../network/network.ts';
import type { Choice, Content } from '../ops/op.ts';

export interface PlannedTensor {
  readonly id: number;
  readonly label: string;
  readonly shape: Shape;
  readonly type: 'f32' | 'u32';
  readonly bytes: number;
  /** Index into `Plan.buffers`; tensors that are never alive together share one. */
  readonly buffer: number;
  /** Byte of the buffer at which it begins. */
  readonly offset: number;
  /** The tensor whose memory it is a part of, and changes with: itself, unless it is a view, a part or a gradient of one. */
  readonly root: number;
}

export interface Step {
  /** `layer/op.pass` with an optional part: names the pipeline, the timing and the error. */
  readonly label: string;
  readonly pass: string;
  readonly kernel: string;
  readonly code: string;
  /** Tensor ids by the names of the kernel's bindings. */
  readonly tensors: Readonly<Record<string, number>>;
  readonly grid: readonly [number, number, number];
  readonly flops: number;
  /** Bytes that the step must read and write at least: every bound tensor once. */
  readonly bytes: number;
  /** Which of several kernels was taken, and why. */
  readonly choice?: Choice;
}

export type { Content };

export interface PlannedConstant {
  readonly tensor: number;
  readonly make: () => Content;
}

export interface Plan {
  readonly network: string;
  readonly batch: number;
  readonly tensors: readonly PlannedTensor[];
  /** Bytes of every buffer. */
  readonly buffers: readonly number[];
  /** The most bytes alive at one step: what the buffers hold at least, however tensors share them. */
  readonly liveBytes: number;
  readonly constants: readonly PlannedConstant[];
  readonly passes: ReadonlyMap<string, readonly Step[]>;
  /** Tensor ids of inputs, of watched layers (by node and output name), and of what a method named. */
  readonly named: ReadonlyMap<string, number>;
}

/** Sums of a plan: what a regression test or a person compares. */
export interface PlanTotals {
  readonly steps: number;
  readonly pipelines: number;
  readonly buffers: number;
  readonly flops: number;
  readonly bytes: number;
  /** Bytes of all buffers, and the least that any sharing could do with. */
  readonly memory: number;
  readonly liveBytes: number;
}

export function totals(plan: Plan): PlanTotals {
  const steps = [...plan.passes.values()].flat();
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  return {
    steps: steps.length,
    pipelines: new Set(steps.map((step) => step.code)).size,
    buffers: plan.buffers.length,
    flops: sum(steps.map((step) => step.flops)),
    bytes: sum(steps.map((step) => step.bytes)),
    memory: sum(plan.buffers),
    liveBytes: plan.liveBytes,
  };
}
