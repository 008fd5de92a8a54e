/** The canvases that the engine draws on: which there are, when they are drawn, and how pixels get to them. */
import { Surface, type Engine, type GpuCanvas } from '../src/index.ts';

/** grid: all maps of a layer. map: the chosen unit's. image: its preferred input. */
export type Place = 'grid' | 'map' | 'image';

const PROBE: readonly [number, number, number, number] = [1, 0.5, 0, 1];

export class Stage {
  /** `readback`: this browser does not show WebGPU canvases; pixels take the way over the CPU. */
  mode: 'direct' | 'readback' = 'direct';
  private engine: Engine | undefined;
  private readonly canvases = new Map<Place, HTMLCanvasElement>();
  private readonly surfaces = new Map<Place, Surface>();
  private readonly dirty = new Set<Place>();
  private drawing = false;

  constructor(
    private readonly paint: (place: Place, surface: Surface) => Promise<void>,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** Takes an engine; canvases that were drawn by another one are given to this one. */
  async open(engine: Engine): Promise<void> {
    if (this.mode === 'direct' && !(await presents(engine))) this.mode = 'readback';
    this.engine = engine;
    this.surfaces.clear();
    for (const [place, canvas] of this.canvases) this.make(place, canvas);
    this.redraw('grid', 'map', 'image');
  }

  /** A component offers its canvas, or tells that its size has changed. */
  offer(place: Place, canvas: HTMLCanvasElement): void {
    if (this.canvases.get(place) !== canvas) {
      this.canvases.set(place, canvas);
      this.make(place, canvas);
    }
    this.redraw(place);
  }

  /** Draws places with the next frame; asking twice draws once. */
  redraw(...places: readonly Place[]): void {
    for (const place of places) this.dirty.add(place);
    if (this.drawing || this.dirty.size === 0) return;
    this.drawing = true;
    requestAnimationFrame(() => void this.draw());
  }

  private async draw(): Promise<void> {
    const places = [...this.dirty];
    this.dirty.clear();
    try {
      for (const place of places) {
        const surface = this.surfaces.get(place);
        if (surface) await this.paint(place, surface);
      }
    } catch (error) {
      this.failed(error);
    }
    this.drawing = false;
    this.redraw();
  }

  private make(place: Place, canvas: HTMLCanvasElement): void {
    const { engine } = this;
    if (!engine) return;
    const surface = this.mode === 'direct' ? Surface.onCanvas(engine, canvas as GpuCanvas, navigator.gpu.getPreferredCanvasFormat()) : undefined;
    this.surfaces.set(place, surface ?? Surface.onSink(engine, sinkOf(canvas)));
  }
}

function sinkOf(canvas: HTMLCanvasElement): Parameters<typeof Surface.onSink>[1] {
  return {
    get width() { return canvas.width; },
    get height() { return canvas.height; },
    put: (pixels, width, height) => canvas.getContext('2d')?.putImageData(new ImageData(pixels, width, height), 0, 0),
  };
}

/** Whether what the GPU draws on a canvas can be seen: one colour there and back. Headless browsers may show nothing. */
async function presents(engine: Engine): Promise<boolean> {
  const canvas = Object.assign(document.createElement('canvas'), { width: 8, height: 8 });
  const surface = Surface.onCanvas(engine, canvas as GpuCanvas, navigator.gpu.getPreferredCanvasFormat());
  if (!surface) return false;
  try {
    await surface.draw(() => undefined, PROBE);
    const seen = new OffscreenCanvas(8, 8).getContext('2d', { willReadFrequently: true })!;
    seen.drawImage(canvas, 0, 0);
    const { data } = seen.getImageData(4, 4, 1, 1);
    return data[0]! > 128 && data[3]! > 128;
  } finally {
    surface.dispose();
  }
}
