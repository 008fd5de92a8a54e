/** The picture of a map: the pictures themselves, small, where they lie. */
import { gridOf } from '../analysis/grid_snap.ts';
import { mapFrame } from '../analysis/map_frame.ts';
import { classColors } from '../image/class_colors.ts';
import { fitImage, type Image } from '../image/image.ts';
import { FRAME, pictureMap, type PlacedTile } from '../image/picture_map.ts';

/** Sides of tiles and of the map, pixels; on a map a tile is so many times as large as the nearest one is away, usually. */
const TILE = { least: 24, most: 48, few: 160, apart: 1.6 } as const;
const GRID_TILE = { least: 16, most: 96 } as const;
const SIDE = { wide: 1400, narrow: 700 } as const;

/** Between the tiles of a grid, frames included. */
const GAP = 2 * FRAME + 4;

/** More classes than this have no legend: nobody could tell their colours apart. */
const LEGEND_MOST = 32;

/** The side that tiles are kept with until the map is known. */
export function tileSide(count: number, grid: boolean): number {
  // Where there are few, two fifths of the room that each has.
  if (!grid) return Math.round(Math.min(TILE.few, Math.max(TILE.most, (0.4 * SIDE.wide) / Math.sqrt(count))));
  return Math.round(Math.min(GRID_TILE.most, Math.max(GRID_TILE.least, SIDE.wide / gridOf(count).columns - GAP)));
}

export interface EmbeddingMapOptions {
  /** [count, 2]. */
  readonly map: Float64Array;
  readonly tiles: readonly Image[];
  /** Index of each picture's class, and the names of the classes; their frames have its colour. */
  readonly labels?: readonly (number | undefined)[];
  readonly classes?: readonly string[];
  /** The cell of each picture in `gridOf(count)`: the pictures stand in rows and columns. */
  readonly cells?: Uint32Array | undefined;
}

/** The map as a picture, its longer side 1,400 pixels; one scale for both axes. */
export function embeddingMap({ map, tiles, labels = [], classes = [], cells }: EmbeddingMapOptions): Image {
  const colors = classColors(classes.length);
  const place = cells ? onGrid(tiles, cells) : onMap(map);
  const placed = tiles.map((tile, n): PlacedTile => ({ tile: place.side === undefined ? tile : fitImage(tile, place.side, place.side, 'crop'), ...place.at(n), frame: colors[labels[n] ?? -1] }));
  const legend = classes.length <= LEGEND_MOST ? classes.map((name, n) => ({ name, color: colors[n]! })) : [];
  return pictureMap(placed, { width: place.width, height: place.height, legend });
}

interface Places {
  readonly width: number;
  readonly height: number;
  /** Of the tiles; undefined where they stay as they are. */
  readonly side?: number;
  at(n: number): { x: number; y: number };
}

function onMap(map: Float64Array): Places {
  const frame = mapFrame(map);
  const extent = Math.max(frame.width, frame.height);
  const scale = extent > 0 ? SIDE.wide / extent : 0;
  const side = (size: number): number => Math.max(SIDE.narrow, Math.round(size * scale));
  const [width, height] = [side(frame.width), side(frame.height)];
  const [left, top] = [frame.left + frame.width / 2, frame.top + frame.height / 2];
  const wanted = TILE.apart * scale * usualDistance(map);
  const tile = Math.round(Math.min(tileSide(map.length / 2, false), Math.max(TILE.least, wanted)));
  return { width, height, side: tile, at: (n) => ({ x: width / 2 + scale * (map[2 * n]! - left), y: height / 2 + scale * (map[2 * n + 1]! - top) }) };
}

/** The median over the points of a map of how far the nearest other one is. */
function usualDistance(map: Float64Array): number {
  const nearest = new Float64Array(map.length / 2).fill(Infinity);
  for (let i = 0; i < nearest.length; i++) {
    for (let j = 0; j < i; j++) {
      const distance = Math.hypot(map[2 * i]! - map[2 * j]!, map[2 * i + 1]! - map[2 * j + 1]!);
      nearest[i] = Math.min(nearest[i]!, distance);
      nearest[j] = Math.min(nearest[j]!, distance);
    }
  }
  return nearest.sort()[Math.floor(nearest.length / 2)]!;
}

function onGrid(tiles: readonly Image[], cells: Uint32Array): Places {
  const { columns, rows } = gridOf(tiles.length);
  const cell = Math.max(...tiles.map(({ width }) => width)) + GAP;
  return { width: columns * cell + GAP, height: rows * cell + GAP, at: (n) => ({ x: GAP / 2 + cell * ((cells[n]! % columns) + 0.5), y: GAP / 2 + cell * (Math.floor(cells[n]! / columns) + 0.5) }) };
}
