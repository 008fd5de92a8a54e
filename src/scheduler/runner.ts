/** A plan on a device: buffers, pipelines, bind groups, made once; then passes are encoded and submitted. */
import { UnitscopeError } from '../errors.ts';
import type { Engine } from '../gpu/engine.ts';
import type { Tensor } from '../network/network.ts';
import type { Plan, PlannedTensor } from './plan.ts';

interface Command {
  readonly label: string;
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly grid: readonly [number, number, number];
}

/** Bytes written to the queue at once, so that the host's staging memory stays small. */
const UPLOAD_SLICE = 32 * 2 ** 20;

export class Runner {
  private disposed = false;

  private constructor(
    readonly engine: Engine,
    readonly plan: Plan,
    private readonly buffers: readonly GPUBuffer[],
    private readonly commands: ReadonlyMap<string, readonly Command[]>,
  ) {}

  /**
   * Allocates the plan's memory, uploads its constants, compiles its kernels in parallel.
   * @throws limit, out-of-memory, shader, device-lost; nothing stays allocated after an error
   */
  static async create(engine: Engine, plan: Plan): Promise<Runner> {
    engine.check();
    const buffers: GPUBuffer[] = [];
    try {
      checkBindings(engine, plan);
      const steps = [...plan.passes.values()].flat();
      const compiled = Promise.all(steps.map((step) => engine.pipelines.compile(step.label, step.code)));
      compiled.catch(() => undefined); // awaited below; an allocation may fail first
      engine.device.pushErrorScope('out-of-memory');
      engine.device.pushErrorScope('validation');
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
      for (const [index, bytes] of plan.buffers.entries()) buffers.push(engine.createBuffer(`${plan.network} ${index}`, bytes, usage));
      // Both scopes are popped before anything is awaited: somebody else's pushes must not come between.
      const [invalid, exhausted] = await Promise.all([engine.device.popErrorScope(), engine.device.popErrorScope()]);
      if (invalid ?? exhausted) {
        const total = plan.buffers.reduce((sum, bytes) => sum + bytes, 0);
        throw new UnitscopeError(
          exhausted ? 'out-of-memory' : 'gpu',
          `the plan of '${plan.network}' needs ${(total / 2 ** 20).toFixed(0)} MiB of GPU memory: ${(invalid ?? exhausted)!.message}`,
          {},
          'use a smaller batch or close other programs that use the GPU',
        );
      }
      for (const { tensor, make } of plan.constants) upload(engine, buffers[plan.tensors[tensor]!.buffer]!, plan.tensors[tensor]!.offset, make());
      const kernels = await compiled;
      engine.check();
      const commands = new Map<string, Command[]>();
      steps.forEach((step, index) => {
        const { pipeline, layout, bindings } = kernels[index]!;
        const bindGroup = engine.device.createBindGroup({
          label: step.label,
          layout,
          entries: bindings.map(({ index: binding, name }) => {
            const tensor = plan.tensors[step.tensors[name]!]!;
            return { binding, resource: { buffer: buffers[tensor.buffer]!, offset: tensor.offset, size: tensor.bytes } };
          }),
        });
        commands.set(step.pass, [...(commands.get(step.pass) ?? []), { label: step.label, pipeline, bindGroup, grid: step.grid }]);
      });
      return new Runner(engine, plan, buffers, commands);
    } catch (error) {
      for (const buffer of buffers) engine.destroyBuffer(buffer);
      engine.check(); // a lost device fails every step: it is the cause worth telling
      throw error;
    }
  }

  /** Encodes passes into an open compute pass, in order. */
  private encode(pass: GPUComputePassEncoder, names: readonly string[]): void {
    for (const name of names) {
      for (const { pipeline, bindGroup, grid } of this.commands.get(name) ?? []) {
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, bindGroup);
        pass.dispatchWorkgroups(...grid);
      }
    }
  }

  /** One submission that runs the passes in order; `finish` may add copies at its end. */
  run(names: readonly string[], finish?: (encoder: GPUCommandEncoder) => void): void {
    this.alive();
    const encoder = this.engine.device.createCommandEncoder({ label: `${this.plan.network}: ${names.slice(0, 4).join(', ')}` });
    const pass = encoder.beginComputePass();
    this.encode(pass, names);
    pass.end();
    finish?.(encoder);
    this.engine.submit(encoder.finish());
  }

  /** Encodes one step, numbered over all passes in their order, several times: for timings. */
  encodeStep(pass: GPUComputePassEncoder, index: number, times: number): void {
    this.alive();
    const { pipeline, bindGroup, grid } = [...this.commands.values()].flat()[index]!;
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

function upload(engine: Engine, buffer: GPUBuffer, start: number, data: Float32Array | Uint32Array): void {
  for (let offset = 0; offset < data.byteLength; offset += UPLOAD_SLICE) {
    const length = Math.min(UPLOAD_SLICE, data.byteLength - offset);
    engine.device.queue.writeBuffer(buffer, start + offset, data.buffer as ArrayBuffer, data.byteOffset + offset, length);
  }
}
