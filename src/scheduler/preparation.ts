/** Makes a plan's steps ready to run: kernels compiled, constants uploaded, bind groups made; each pass in its order. */
import { UnitscopeError } from '../errors.ts';
import { bindingsOf } from '../gpu/bindings.ts';
import type { Engine } from '../gpu/engine.ts';
import type { CompiledKernel } from '../gpu/pipelines.ts';
import type { Plan, PlannedTensor, Step } from './plan.ts';
import { shipments, upload } from './upload.ts';

/** A step as the GPU takes it. */
export interface Command {
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly grid: readonly [number, number, number];
}

export class Preparation {
  /** The steps of each pass that are ready: its first ones, in their order. */
  readonly commands: ReadonlyMap<string, Command[]>;
  /** All of them. */
  readonly done: Promise<void>;
  private finished = false;
  private waiting: (() => void)[] = [];

  /**
   * Compilation starts at once, the rest when there are buffers. The plan is not held longer than it takes: its
   * constants hold weights.
   */
  constructor(
    private readonly engine: Engine,
    plan: Plan,
    buffers: Promise<readonly GPUBuffer[]>,
    private readonly going: () => boolean,
  ) {
    this.commands = new Map([...plan.passes.keys()].map((pass) => [pass, []]));
    this.done = this.prepare(plan, compileAll(engine, plan), buffers).finally(() => {
      this.finished = true;
      this.wake();
    });
    this.done.catch(() => undefined); // told to whoever awaits it
  }

  /** Resolves when more steps are ready than now; once that has come to its end, as `done` has. */
  changed(): Promise<void> {
    return this.finished ? this.done : new Promise((resolve) => this.waiting.push(resolve));
  }

  private wake(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  private async prepare(plan: Plan, kernels: ReadonlyMap<Step, Promise<CompiledKernel>>, allocated: Promise<readonly GPUBuffer[]>): Promise<void> {
    const buffers = await allocated;
    const told = new Map<number, () => void>();
    const arrivals = new Map(shipments(plan).map(({ buffer }) => [buffer, new Promise<void>((resolve) => told.set(buffer, resolve))]));
    const uploading = upload(this.engine, plan, buffers, ({ buffer }) => told.get(buffer)!(), this.going);
    const makePass = async (pass: string, steps: readonly Step[]): Promise<void> => {
      for (const step of steps) {
        const kernel = await kernels.get(step)!;
        const tensors = kernel.bindings.map(({ name }) => plan.tensors[step.tensors[name]!]!);
        // Whoever stops the upload lets nobody wait for it.
        for (const { buffer } of tensors) await Promise.race([arrivals.get(buffer), uploading]);
        this.check(plan);
        this.commands.get(pass)!.push(commandOf(this.engine, step, kernel, tensors, buffers));
        this.wake();
      }
    };
    await Promise.all([uploading, ...[...plan.passes].map(([pass, steps]) => makePass(pass, steps))]);
    this.check(plan);
  }

  private check({ network }: Plan): void {
    this.engine.check();
    if (!this.going()) throw new UnitscopeError('aborted', `the run of '${network}' was disposed of while it was made ready`);
  }
}

function compileAll(engine: Engine, plan: Plan): Map<Step, Promise<CompiledKernel>> {
  // The first steps of every pass before the second ones: what takes longest to be ready is the end of a long pass.
  const order = [...plan.passes.values()].flatMap((steps) => steps.map((step, index) => ({ step, index }))).sort((a, b) => a.index - b.index);
  const kernels = new Map(order.map(({ step }) => [step, engine.pipelines.compile(step.label, step.code)]));
  for (const kernel of kernels.values()) kernel.catch(() => undefined); // awaited later; the buffers may fail first
  return kernels;
}

function commandOf(engine: Engine, { label, grid }: Step, kernel: CompiledKernel, tensors: readonly PlannedTensor[], buffers: readonly GPUBuffer[]): Command {
  const entries = kernel.bindings.map(({ index }, at) => {
    const { buffer, offset, bytes } = tensors[at]!;
    return { binding: index, resource: { buffer: buffers[buffer]!, offset, size: bytes } };
  });
  return { pipeline: kernel.pipeline, bindGroup: engine.device.createBindGroup({ label, layout: kernel.layout, entries }), grid };
}

/** How many steps of a pass it takes until all of a tensor is made. */
export function stepsUntil(plan: Plan, pass: string, tensor: PlannedTensor): number {
  const makes = (step: Step): boolean =>
    bindingsOf(step.code).some(({ name, access }) => {
      const { root, offset, bytes } = plan.tensors[step.tensors[name]!]!;
      return access === 'read_write' && root === tensor.root && offset < tensor.offset + tensor.bytes && tensor.offset < offset + bytes;
    });
  return (plan.passes.get(pass) ?? []).findLastIndex(makes) + 1;
}
