/** Draws what lies in GPU buffers onto surfaces: a layer's maps, one map, an image that climbs. Nothing is read back. */
import { recordWords } from '../../shaders/display_frame.wgsl.ts';
import { displayImage, IMAGE_VIEW } from '../../shaders/display_image.wgsl.ts';
import { displayMaps, MAPS_VIEW } from '../../shaders/display_maps.wgsl.ts';
import type { Engine } from '../gpu/engine.ts';
import { Painter } from '../gpu/painter.ts';
import type { Surface } from '../gpu/surface.ts';
import { COLOR_MAPS, type ColorMapName } from '../image/colormap.ts';
import { channelPlanes } from '../image/preprocess.ts';
import type { LiveView } from './live.ts';
import { pixelUnits, type Maximizer } from './maximize.ts';

export interface MapColors {
  /** `auto`: ember, and diverging around zero for layers that have negative values. */
  readonly map: ColorMapName | 'auto';
  /** One range for the whole layer, so that maps compare; or each map at its own full contrast. */
  readonly scale: 'layer' | 'map';
  /** Below 1 lifts weak values. */
  readonly gamma: number;
}

/** Pixels of the surface. */
export interface GridLayout {
  readonly columns: number;
  readonly cell: number;
  readonly gap: number;
}

export class Display {
  private readonly painter: Painter;
  private readonly tables = new Map<string, GPUBuffer>();

  constructor(readonly engine: Engine) {
    this.painter = new Painter(engine);
  }

  /** All maps of a layer, in reading order. */
  drawGrid(surface: Surface, live: LiveView, layer: string, colors: MapColors, grid: GridLayout): Promise<void> {
    return this.drawMaps(surface, live, layer, colors, { ...grid, first: 0, count: live.layer(layer).shape[0] });
  }

  /** One map over the whole surface. */
  drawMap(surface: Surface, live: LiveView, layer: string, channel: number, colors: MapColors): Promise<void> {
    const cell = Math.min(surface.width, surface.height);
    return this.drawMaps(surface, live, layer, colors, { columns: 1, cell, gap: 0, first: channel, count: 1 });
  }

  /** Image `index` of a maximizer as it is now, over the whole surface. */
  async drawImage(surface: Surface, maximizer: Maximizer, index = 0): Promise<void> {
    const { runner, preprocess } = maximizer;
    const [, channels, height, width] = runner.tensor('image').shape as [number, number, number, number];
    const { mean } = pixelUnits(preprocess);
    // channelPlanes tells each plane's colour; a colour's plane is its place in that list, and gray is every colour.
    const order = channelPlanes(preprocess.channels);
    const [red, green, blue] = [0, 1, 2].map((color) => Math.max(0, order.indexOf(color))) as [number, number, number];
    const view = recordWords(IMAGE_VIEW, {
      image: index, channels, height, width, across: surface.width, down: surface.height,
      red, green, blue, meanRed: mean[red]!, meanGreen: mean[green]!, meanBlue: mean[blue]!,
    });
    await this.painter.paint(surface, 'display/image', displayImage(), view, { xx: runner.binding('image') });
  }

  dispose(): void {
    this.painter.dispose();
    for (const buffer of this.tables.values()) this.engine.destroyBuffer(buffer);
    this.tables.clear();
  }

  private async drawMaps(
    surface: Surface,
    live: LiveView,
    layer: string,
    { map, scale, gamma }: MapColors,
    part: GridLayout & { readonly first: number; readonly count: number },
  ): Promise<void> {
    const { runner } = live;
    const { name, shape } = live.layer(layer);
    const [, height, width] = shape;
    const view = recordWords(MAPS_VIEW, {
      ...part, height, width, gamma, perMap: scale === 'map' ? 1 : 0,
      around: map === 'auto' ? 2 : map === 'diverging' ? 1 : 0,
    });
    await this.painter.paint(surface, 'display/maps', displayMaps(), view, {
      y: runner.binding(name), ranges: runner.binding(`ranges ${name}`), range: runner.binding(`whole ${name}`), colors: { buffer: this.table(map) },
    });
  }

  /** Two colour tables in one buffer: for layers that stay above zero, and for the others. */
  private table(map: MapColors['map']): GPUBuffer {
    const known = this.tables.get(map);
    if (known) return known;
    const names: ColorMapName[] = map === 'auto' ? ['ember', 'diverging'] : [map, map];
    const words = Uint8Array.from(names.flatMap((name) => Array.from({ length: 256 }, (_, i) => [...COLOR_MAPS[name].subarray(3 * i, 3 * i + 3), 255]).flat()));
    const buffer = this.engine.createBuffer(`colours ${map}`, words.byteLength, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST);
    this.engine.device.queue.writeBuffer(buffer, 0, words);
    this.tables.set(map, buffer);
    return buffer;
  }
}
