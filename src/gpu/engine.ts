/**
 * One GPU device and what it holds: buffers that are counted, pipelines that are shared, errors that are typed.
 * It takes a `GPU` (the page's navigator.gpu, or Dawn's in Node) or a device that the caller has made.
 */
import { UnitscopeError } from '../errors.ts';
import type { Capabilities, KernelChoices } from './capabilities.ts';
import { PipelineCache } from './pipelines.ts';

export interface EngineOptions {
  readonly gpu?: GPU | undefined;
  readonly device?: GPUDevice;
  /** Limits beyond WebGPU's defaults, e.g. `{ maxBufferSize: 2 ** 30 }`; refused where the adapter has less. */
  readonly limits?: Record<string, number>;
  /** Store weights of convolutions as 16-bit floats: half the bytes, about three digits. Off unless asked for. */
  readonly f16?: boolean;
  /** Kernels that measurements or a person chose; may be set later, for plans that are made then. */
  readonly kernels?: KernelChoices;
}

export interface EngineMemory {
  readonly buffers: number;
  readonly bytes: number;
}

/** Events since the engine was made; tests read them to prove what a loop does not do. */
export interface EngineCounters {
  submissions: number;
  readbacks: number;
  readbackBytes: number;
}

/** The feature of 16-bit floats. */
const HALF: GPUFeatureName = 'shader-f16';

const NO_GPU_HINT =
  'use a browser with WebGPU (Chrome or Edge 113+, Safari 26+, Firefox 141+) on https or localhost; in Node run `unitscope doctor`';

export class Engine {
  readonly counters: EngineCounters = { submissions: 0, readbacks: 0, readbackBytes: 0 };
  readonly pipelines: PipelineCache;
  /** What plans that are made from now on choose their kernels by, besides the cost model. */
  kernels: KernelChoices | undefined;
  private f16 = false;
  private readonly held = new Map<GPUBuffer, number>();
  private failure: UnitscopeError | undefined;
  private disposed = false;

  private constructor(
    readonly device: GPUDevice,
    readonly adapter: { readonly vendor: string; readonly architecture: string; readonly description: string; readonly software: boolean },
    private readonly ownsDevice: boolean,
  ) {
    this.pipelines = new PipelineCache(device);
    device.addEventListener('uncapturederror', (event) => {
      const { error } = event as GPUUncapturedErrorEvent;
      const code = error.constructor.name.includes('OutOfMemory') ? 'out-of-memory' : 'gpu';
      this.failure ??= new UnitscopeError(code, `the GPU refused a command: ${error.message}`);
    });
    void device.lost.then((info) => {
      if (this.disposed || info.reason === 'destroyed') return;
      this.failure = new UnitscopeError(
        'device-lost',
        `the GPU device was lost (${info.reason}): ${info.message || 'the GPU process died'}`,
        {},
        'make a new engine; if it happens again, reload the page or update the driver',
      );
    });
  }

  /** @throws no-webgpu, no-adapter, limit */
  static async create({ kernels, ...options }: EngineOptions): Promise<Engine> {
    const engine = await Engine.open(options);
    engine.kernels = kernels;
    engine.f16 = options.f16 ?? false;
    return engine;
  }

  private static async open({ gpu, device, limits = {}, f16 = false }: EngineOptions): Promise<Engine> {
    if (device) {
      requireHalf(f16, device.features);
      const info = device.adapterInfo as GPUAdapterInfo | undefined;
      return new Engine(device, describeAdapter(info), false);
    }
    if (!gpu) throw new UnitscopeError('no-webgpu', 'this host has no WebGPU', {}, NO_GPU_HINT);
    const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
    if (!adapter) throw new UnitscopeError('no-adapter', 'WebGPU found no adapter: no usable GPU driver', {}, NO_GPU_HINT);
    for (const [name, value] of Object.entries(limits)) {
      const offered = (adapter.limits as unknown as Record<string, number>)[name] ?? 0;
      if (offered < value) throw new UnitscopeError('limit', `the adapter offers ${name} ${offered}, ${value} is needed`);
    }
    requireHalf(f16, adapter.features);
    const wanted: GPUFeatureName[] = ['subgroups', 'timestamp-query', ...(f16 ? [HALF] : [])];
    const features = wanted.filter((feature) => adapter.features.has(feature));
    const made = await adapter.requestDevice({ label: 'unitscope', requiredFeatures: features, requiredLimits: limits });
    return new Engine(made, describeAdapter(adapter.info), true);
  }

  get capabilities(): Capabilities {
    return {
      subgroups: this.device.features.has('subgroups'),
      software: this.adapter.software,
      maxBinding: this.device.limits.maxStorageBufferBindingSize,
      ...(this.kernels && { kernels: this.kernels }),
      ...(this.f16 && { f16: true }),
    };
  }

  /** Throws what the device has reported since the last call; to be called after every await. */
  check(): void {
    if (this.disposed) throw new UnitscopeError('usage', 'the engine has been disposed');
    const { failure } = this;
    if (!failure) return;
    if (failure.code !== 'device-lost') this.failure = undefined;
    throw failure;
  }

  /** Live buffers and their bytes, the engine's own staging included. */
  memory(): EngineMemory {
    return { buffers: this.held.size, bytes: [...this.held.values()].reduce((sum, bytes) => sum + bytes, 0) };
  }

  createBuffer(label: string, size: number, usage: GPUBufferUsageFlags): GPUBuffer {
    if (size > this.device.limits.maxBufferSize) {
      throw new UnitscopeError(
        'limit',
        `'${label}' needs a buffer of ${size} bytes, the device allows ${this.device.limits.maxBufferSize}`,
        { step: label },
        'use a smaller batch, or make the engine with larger limits',
      );
    }
    const buffer = this.device.createBuffer({ label, size, usage });
    this.held.set(buffer, size);
    return buffer;
  }

  /** False once a buffer has been destroyed. */
  holds(buffer: GPUBuffer): boolean {
    return this.held.has(buffer);
  }

  destroyBuffer(buffer: GPUBuffer): void {
    if (this.held.delete(buffer)) buffer.destroy();
  }

  submit(commands: GPUCommandBuffer): void {
    this.counters.submissions++;
    this.device.queue.submit([commands]);
  }

  /** Copies `bytes` of a buffer to the CPU. */
  async read(source: GPUBuffer, bytes: number, offset = 0): Promise<ArrayBuffer> {
    const staging = this.createBuffer('readback', bytes, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
    try {
      const encoder = this.device.createCommandEncoder({ label: 'readback' });
      encoder.copyBufferToBuffer(source, offset, staging, 0, bytes);
      this.submit(encoder.finish());
      return await this.map(staging, bytes);
    } finally {
      this.destroyBuffer(staging);
    }
  }

  /** Maps a staging buffer, copies its content and unmaps it. */
  async map(staging: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
    this.counters.readbacks++;
    this.counters.readbackBytes += bytes;
    try {
      await staging.mapAsync(GPUMapMode.READ, 0, bytes);
    } catch (cause) {
      // A lost device rejects the map before it reports the loss.
      await new Promise((resolve) => setTimeout(resolve, 100));
      this.check();
      throw new UnitscopeError('gpu', 'the GPU could not hand back a result', { step: staging.label }, '', { cause });
    }
    this.check();
    const copy = staging.getMappedRange(0, bytes).slice(0);
    staging.unmap();
    return copy;
  }

  /** Waits until everything submitted so far is done. */
  async idle(): Promise<void> {
    await this.device.queue.onSubmittedWorkDone();
    this.check();
  }

  /** Frees every buffer, and the device if the engine made it. Idempotent. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    for (const buffer of [...this.held.keys()]) this.destroyBuffer(buffer);
    if (this.ownsDevice) this.device.destroy();
  }
}

function requireHalf(asked: boolean, features: ReadonlySet<string>): void {
  if (asked && !features.has(HALF)) {
    throw new UnitscopeError('limit', `this GPU does not offer ${HALF}, which 16-bit weights need`, {}, 'leave f16 out: weights are then 32 bits wide');
  }
}

function describeAdapter(info: GPUAdapterInfo | undefined): Engine['adapter'] {
  const software =
    (info as { isFallbackAdapter?: boolean } | undefined)?.isFallbackAdapter ??
    /swiftshader|llvmpipe|basic render/i.test(`${info?.architecture} ${info?.description}`);
  return {
    vendor: info?.vendor ?? '',
    architecture: info?.architecture ?? '',
    description: info?.description ?? '',
    software: software || /swiftshader/i.test(info?.architecture ?? ''),
  };
}
