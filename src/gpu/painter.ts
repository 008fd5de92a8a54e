/** Draws with fragment kernels that read storage buffers: one compiled pipeline per kernel and surface format. */
import { UnitscopeError } from '../errors.ts';
import { bindingsOf, type Binding } from './bindings.ts';
import type { Engine } from './engine.ts';
import type { Surface } from './surface.ts';

interface Brush {
  readonly pipeline: GPURenderPipeline;
  readonly layout: GPUBindGroupLayout;
  readonly bindings: readonly Binding[];
}

export class Painter {
  private readonly brushes = new Map<string, Promise<Brush>>();
  private readonly views = new Map<string, GPUBuffer>();

  constructor(readonly engine: Engine) {}

  /**
   * Draws a kernel over a surface. `view` are the words of its record named `view`; `buffers` the others by name.
   * @throws shader, device-lost
   */
  async paint(surface: Surface, label: string, code: string, view: Float32Array<ArrayBuffer>, buffers: Readonly<Record<string, GPUBufferBinding>>): Promise<void> {
    const { pipeline, layout, bindings } = await this.brush(label, code, surface.format);
    this.engine.check();
    const { device } = this.engine;
    // The shader may have taken a while to compile: what was to be drawn can be gone by now.
    if (Object.values(buffers).some(({ buffer }) => !this.engine.holds(buffer))) return;
    await surface.draw((pass) => {
      // Written when its turn comes: commands that follow in the queue see these words, earlier ones do not.
      const words = this.view(label, view.byteLength);
      device.queue.writeBuffer(words, 0, view);
      const entries = bindings.map(({ index, name }) => ({ binding: index, resource: name === 'view' ? { buffer: words } : buffers[name]! }));
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, device.createBindGroup({ label, layout, entries }));
      pass.draw(3);
    });
  }

  dispose(): void {
    for (const buffer of this.views.values()) this.engine.destroyBuffer(buffer);
    this.views.clear();
  }

  private view(label: string, bytes: number): GPUBuffer {
    const known = this.views.get(label);
    if (known) return known;
    const made = this.engine.createBuffer(`${label} view`, bytes, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST);
    this.views.set(label, made);
    return made;
  }

  private brush(label: string, code: string, format: GPUTextureFormat): Promise<Brush> {
    const key = `${format} ${code}`;
    const known = this.brushes.get(key);
    if (known) return known;
    const made = this.make(label, code, format);
    made.catch(() => this.brushes.delete(key));
    this.brushes.set(key, made);
    return made;
  }

  private async make(label: string, code: string, format: GPUTextureFormat): Promise<Brush> {
    const { device } = this.engine;
    const bindings = bindingsOf(code);
    const layout = device.createBindGroupLayout({
      label,
      entries: bindings.map(({ index }) => ({ binding: index, visibility: GPUShaderStage.FRAGMENT, buffer: { type: 'read-only-storage' } })),
    });
    const module = device.createShaderModule({ label, code });
    try {
      const pipeline = await device.createRenderPipelineAsync({
        label,
        layout: device.createPipelineLayout({ label, bindGroupLayouts: [layout] }),
        vertex: { module, entryPoint: 'corner' },
        fragment: { module, entryPoint: 'pixel', targets: [{ format }] },
      });
      return { pipeline, layout, bindings };
    } catch (cause) {
      this.engine.check();
      throw new UnitscopeError('shader', `kernel '${label}' does not compile: ${(cause as Error).message}`, { step: label }, '', { cause });
    }
  }
}
