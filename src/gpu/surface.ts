/**
 * Where pictures end. A canvas takes what the GPU draws as it is; a sink takes the pixels, for hosts that cannot
 * present a WebGPU canvas (browsers without a window system) and for tests. No page is known here: a canvas is
 * anything with getContext('webgpu').
 */
import type { Engine } from './engine.ts';

export interface GpuCanvas {
  readonly width: number;
  readonly height: number;
  getContext(kind: 'webgpu'): GPUCanvasContext | null;
}

export interface PixelSink {
  readonly width: number;
  readonly height: number;
  /** RGBA, rows from the top. */
  put(pixels: Uint8ClampedArray<ArrayBuffer>, width: number, height: number): void;
}

/** Red, green, blue, alpha in 0..1, alpha multiplied in. */
export type Background = readonly [red: number, green: number, blue: number, alpha: number];
const CLEAR: Background = [0, 0, 0, 0];

/** A texture's rows are copied to a buffer at multiples of this many bytes. */
const ROW_ALIGNMENT = 256;

export class Surface {
  private texture: GPUTexture | undefined;
  private busy: Promise<void> = Promise.resolve();

  private constructor(
    readonly engine: Engine,
    readonly format: GPUTextureFormat,
    private readonly target: GpuCanvas | PixelSink,
    private readonly context: GPUCanvasContext | undefined,
  ) {}

  /** @param format what the page's GPU prefers for canvases */
  static onCanvas(engine: Engine, canvas: GpuCanvas, format: GPUTextureFormat): Surface | undefined {
    const context = canvas.getContext('webgpu');
    if (!context) return undefined;
    context.configure({ device: engine.device, format, alphaMode: 'premultiplied' });
    return new Surface(engine, format, canvas, context);
  }

  /** Pixels travel back to the CPU: for small pictures. */
  static onSink(engine: Engine, sink: PixelSink): Surface {
    return new Surface(engine, 'rgba8unorm', sink, undefined);
  }

  get width(): number {
    return this.target.width;
  }

  get height(): number {
    return this.target.height;
  }

  /** One render pass over the whole surface; done when a sink has its pixels. Calls follow one another. */
  draw(encode: (pass: GPURenderPassEncoder) => void, background: Background = CLEAR): Promise<void> {
    if (this.width < 1 || this.height < 1) return Promise.resolve();
    if (this.context) {
      this.engine.submit(this.encode(this.context.getCurrentTexture(), encode, background).finish());
      return Promise.resolve();
    }
    // The buffers that are drawn may change before its turn comes: it then shows the newer content.
    this.busy = this.busy.catch(() => undefined).then(() => this.drawToSink(encode, background));
    return this.busy;
  }

  private encode(texture: GPUTexture, encode: (pass: GPURenderPassEncoder) => void, clearValue: Background): GPUCommandEncoder {
    const encoder = this.engine.device.createCommandEncoder({ label: 'display' });
    const pass = encoder.beginRenderPass({
      colorAttachments: [{ view: texture.createView(), loadOp: 'clear', storeOp: 'store', clearValue: [...clearValue] }],
    });
    encode(pass);
    pass.end();
    return encoder;
  }

  private async drawToSink(encode: (pass: GPURenderPassEncoder) => void, background: Background): Promise<void> {
    const { width, height, engine } = this;
    engine.check();
    if (this.texture?.width !== width || this.texture.height !== height) {
      this.texture?.destroy();
      const usage = GPUTextureUsage.RENDER_ATTACHMENT | GPUTextureUsage.COPY_SRC;
      this.texture = engine.device.createTexture({ label: 'display', size: [width, height], format: this.format, usage });
    }
    const bytesPerRow = Math.ceil((width * 4) / ROW_ALIGNMENT) * ROW_ALIGNMENT;
    const staging = engine.createBuffer('display', bytesPerRow * height, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
    try {
      const encoder = this.encode(this.texture, encode, background);
      encoder.copyTextureToBuffer({ texture: this.texture }, { buffer: staging, bytesPerRow }, [width, height]);
      engine.submit(encoder.finish());
      const rows = new Uint8Array(await engine.map(staging, bytesPerRow * height));
      const pixels = new Uint8ClampedArray(width * height * 4);
      for (let y = 0; y < height; y++) pixels.set(rows.subarray(y * bytesPerRow, y * bytesPerRow + width * 4), y * width * 4);
      (this.target as PixelSink).put(pixels, width, height);
    } finally {
      engine.destroyBuffer(staging);
    }
  }

  /** Lets the canvas go. Idempotent. */
  dispose(): void {
    this.context?.unconfigure();
    this.texture?.destroy();
    this.texture = undefined;
  }
}
