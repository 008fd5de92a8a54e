/** A plan on a device: buffers, pipelines, bind groups, made once; then passes are encoded and submitted. */
import { UnitscopeError } from '../errors.ts';
import type { Engine } from '../gpu/engine.ts';
import type { Tensor } from '../network/network.ts';
import type { Plan, PlannedTensor } from './plan.ts';
import { Preparation, stepsUntil, type Command } from './preparation.ts';

export interface RunnerOptions {
  /** Hand the runner over as soon as its memory is there: steps become ready one after another, see `runReady`. */
  readonly progressive?: boolean;
}

export class Runner {
  /** Without the constants, which are dropped once they are on the GPU. */
  readonly plan: Plan;
  private readonly buffers: GPUBuffer[] = [];
  private readonly allocated: Promise<readonly GPUBuffer[]>;
  private readonly preparation: Preparation;
  private readonly makings = new Map<string, number>();
  private disposed = false;

  private constructor(
    readonly engine: Engine,
    plan: Plan,
  ) {
    this.plan = { ...plan, constants: [] };
    this.allocated = this.allocate();
    this.preparation = new Preparation(engine, plan, this.allocated, () => !this.disposed);
  }

  /**
   * Allocates the plan's memory, uploads its constants, compiles its kernels in parallel.
   * @throws limit, out-of-memory, shader, device-lost; nothing stays allocated after an error
   */
  static async create(engine: Engine, plan: Plan, { progressive = false }: RunnerOptions = {}): Promise<Runner> {
    engine.check();
    checkBindings(engine, plan);
    const runner = new Runner(engine, plan);
    try {
      await (progressive ? runner.allocated : runner.ready);
      engine.check();
      return runner;
    } catch (error) {
      runner.dispose();
      engine.check(); // a lost device fails every step: it is the cause worth telling
      throw error;
    }
  }

  /** Every step can run. @throws shader, device-lost; aborted where it was disposed of before */
  get ready(): Promise<void> {
    return this.preparation.done;
  }

  /** Resolves when more steps are ready than now; once that has come to its end, as `ready` has. */
  changed(): Promise<void> {
    return this.preparation.changed();
  }

  /** Every step is ready. */
  get complete(): boolean {
    return [...this.plan.passes.keys()].every((pass) => this.isReady(pass));
  }

  /** Every step of a pass is ready. */
  isReady(pass: string): boolean {
    return this.readySteps(pass) >= (this.plan.passes.get(pass)?.length ?? 0);
  }

  /** How many steps of a pass are ready: its first ones. Of all passes, where none is named. */
  readySteps(pass?: string): number {
    if (pass !== undefined) return this.preparation.commands.get(pass)?.length ?? 0;
    return [...this.preparation.commands.values()].reduce((sum, { length }) => sum + length, 0);
  }

  /** One submission that runs the passes in order; `finish` may add copies at its end. */
  run(names: readonly string[], finish?: (encoder: GPUCommandEncoder) => void): void {
    const unready = names.find((name) => !this.isReady(name));
    if (unready !== undefined) throw new UnitscopeError('usage', `the pass '${unready}' of '${this.plan.network}' is not ready yet`, {}, "await the runner's `ready`");
    this.submit(names.slice(0, 4).join(', '), names.flatMap((name) => this.preparation.commands.get(name) ?? []), finish);
  }

  /**
   * Runs the steps of a pass from step `from` on, as far as they are ready.
   * @returns the step to go on from; the pass is through where that is the number of its steps
   */
  runReady(pass: string, from = 0): number {
    const commands = this.preparation.commands.get(pass) ?? [];
    if (from < commands.length) this.submit(pass, commands.slice(from));
    return Math.max(from, commands.length);
  }

  private submit(label: string, commands: readonly Command[], finish?: (encoder: GPUCommandEncoder) => void): void {
    this.alive();
    const encoder = this.engine.device.createCommandEncoder({ label: `${this.plan.network}: ${label}` });
    const pass = encoder.beginComputePass();
    let last: Command | undefined;
    for (const command of commands) {
      if (command.pipeline !== last?.pipeline) pass.setPipeline(command.pipeline);
      if (command.bindGroup !== last?.bindGroup) pass.setBindGroup(0, command.bindGroup);
      pass.dispatchWorkgroups(...command.grid);
      last = command;
    }
    pass.end();
    finish?.(encoder);
    this.engine.submit(encoder.finish());
  }

  /** Encodes one step, numbered over all passes in their order, several times: for timings. */
  encodeStep(pass: GPUComputePassEncoder, index: number, times: number): void {
    this.alive();
    const { pipeline, bindGroup, grid } = [...this.preparation.commands.values()].flat()[index]!;
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    for (let i = 0; i < times; i++) pass.dispatchWorkgroups(...grid);
  }

  write(name: string, data: Float32Array | Uint32Array, elementOffset = 0): void {
    this.alive();
    const { shape, bytes } = this.tensor(name);
    if (elementOffset * 4 + data.byteLength > bytes) {
      throw new UnitscopeError('usage', `${data.length} values do not fit '${name}' of shape [${shape}]`);
    }
    const { buffer, offset } = this.binding(name);
    this.engine.device.queue.writeBuffer(buffer, offset + elementOffset * 4, data as Float32Array<ArrayBuffer>);
  }

  async read(name: string): Promise<Tensor> {
    const { shape } = this.tensor(name);
    return { shape, data: new Float32Array(await this.readBytes(name)) };
  }

  async readBytes(name: string): Promise<ArrayBuffer> {
    this.alive();
    const { shape } = this.tensor(name);
    const { buffer, offset } = this.binding(name);
    return this.engine.read(buffer, 4 * shape.reduce((a, b) => a * b, 1), offset);
  }

  tensor(name: string): PlannedTensor {
    const id = this.plan.named.get(name);
    if (id === undefined) throw new UnitscopeError('usage', `the plan keeps no tensor called '${name}'`, {}, `kept: ${[...this.plan.named.keys()].join(', ')}`);
    return this.plan.tensors[id]!;
  }

  /** Where a named tensor lies: other tensors may lie in the same buffer. */
  binding(name: string): Required<GPUBufferBinding> {
    const { buffer, offset, bytes } = this.tensor(name);
    return { buffer: this.buffers[buffer]!, offset, size: bytes };
  }

  /** Frees the plan's memory. Idempotent. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    for (const buffer of this.buffers) this.engine.destroyBuffer(buffer);
  }

  /** How many steps of a pass it takes until a named tensor is made. */
  stepsUntil(name: string, pass: string): number {
    const key = `${pass} ${name}`;
    const known = this.makings.get(key) ?? stepsUntil(this.plan, pass, this.tensor(name));
    this.makings.set(key, known);
    return known;
  }

  private async allocate(): Promise<readonly GPUBuffer[]> {
    const { engine, plan, buffers } = this;
    engine.device.pushErrorScope('out-of-memory');
    engine.device.pushErrorScope('validation');
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    for (const [index, bytes] of plan.buffers.entries()) buffers.push(engine.createBuffer(`${plan.network} ${index}`, bytes, usage));
    // Both scopes are popped before anything is awaited: somebody else's pushes must not come between.
    const [invalid, exhausted] = await Promise.all([engine.device.popErrorScope(), engine.device.popErrorScope()]);
    const cause = invalid ?? exhausted;
    if (!cause) return buffers;
    const total = plan.buffers.reduce((sum, bytes) => sum + bytes, 0);
    throw new UnitscopeError(
      exhausted ? 'out-of-memory' : 'gpu',
      `the plan of '${plan.network}' needs ${(total / 2 ** 20).toFixed(0)} MiB of GPU memory: ${cause.message}`,
      {},
      'use a smaller batch or close other programs that use the GPU',
    );
  }

  private alive(): void {
    if (this.disposed) throw new UnitscopeError('usage', `the run of '${this.plan.network}' has been disposed`);
    this.engine.check();
  }
}

function checkBindings(engine: Engine, plan: Plan): void {
  const most = engine.device.limits.maxStorageBufferBindingSize;
  const largest = Math.max(...plan.buffers);
  if (largest > engine.device.limits.maxBufferSize) {
    throw new UnitscopeError(
      'limit',
      `the plan of '${plan.network}' needs a buffer of ${largest} bytes, the device allows ${engine.device.limits.maxBufferSize}`,
      {},
      'use a smaller batch or input, or make the engine with larger limits',
    );
  }
  const large = plan.tensors.find((tensor) => tensor.buffer >= 0 && tensor.bytes > most);
  if (!large) return;
  throw new UnitscopeError(
    'limit',
    `tensor '${large.label}' [${large.shape}] has ${large.bytes} bytes, one binding of the device holds ${most}`,
    {},
    'use a smaller batch or input, or make the engine with a larger maxStorageBufferBindingSize and maxBufferSize',
  );
}
