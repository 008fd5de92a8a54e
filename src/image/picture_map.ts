/** Small pictures on a large one, each at its place. */
import { UnitscopeError } from '../errors.ts';
import type { Color, Image } from './image.ts';
import { checkImage, createImage } from './image.ts';
import { drawLettering, letteringSize } from './lettering.ts';

export interface PlacedTile {
  readonly tile: Image;
  /** Of its centre, pixels. */
  readonly x: number;
  readonly y: number;
  /** Of its frame, which lies around it; without one there is none. */
  readonly frame?: Color | undefined;
}

export interface LegendEntry {
  readonly name: string;
  readonly color: Color;
}

export const MAP_BACKGROUND: Color = [16, 16, 20];
const INK: Color = [200, 200, 206];

/** Pixels of a tile's frame, and of the dark line around it that parts it from what lies below. */
export const FRAME = 2;
const EDGE = 1;

/** The legend: dots of its letters, squares, and the room around them, pixels. */
const ZOOM = 2;
const SQUARE = 14;
const PAD = 16;

/**
 * Draws tiles from the top of the map to its bottom, so that of two that overlap the lower one lies on the other; one that would
 * stick out is moved in. The legend, where there is one, stands below.
 * @throws usage
 */
export function pictureMap(tiles: readonly PlacedTile[], { width, height, legend = [] }: { readonly width: number; readonly height: number; readonly legend?: readonly LegendEntry[] }): Image {
  const lines = legendLines(legend, width);
  const result = createImage(width, height + (lines.length > 0 ? lines.length * (SQUARE + PAD) + PAD : 0), MAP_BACKGROUND);
  const order = [...tiles.keys()].sort((a, b) => tiles[a]!.y - tiles[b]!.y || tiles[a]!.x - tiles[b]!.x || a - b);
  for (const n of order) {
    const { tile, x, y, frame } = tiles[n]!;
    checkImage(tile);
    if (!Number.isFinite(x) || !Number.isFinite(y)) throw new UnitscopeError('usage', `tile ${n} has no place on the map`);
    const around = frame ? FRAME + EDGE : EDGE;
    const inside = (centre: number, size: number, room: number): number => Math.max(around, Math.min(room - size - around, Math.round(centre - size / 2)));
    const [left, top] = [inside(x, tile.width, width), inside(y, tile.height, height)];
    fill(result, left - around, top - around, tile.width + 2 * around, tile.height + 2 * around, MAP_BACKGROUND);
    if (frame) fill(result, left - FRAME, top - FRAME, tile.width + 2 * FRAME, tile.height + 2 * FRAME, frame);
    for (let row = 0; row < tile.height; row++) {
      const from = tile.data.subarray(4 * row * tile.width, 4 * (row + 1) * tile.width);
      result.data.set(from.subarray(0, 4 * Math.min(tile.width, width - left)), 4 * ((top + row) * width + left));
    }
  }
  lines.forEach((line, row) => {
    let left = PAD;
    const top = height + PAD + row * (SQUARE + PAD);
    for (const { name, color } of line) {
      fill(result, left, top, SQUARE, SQUARE, color);
      drawLettering(result, name, left + SQUARE + PAD / 2, top + Math.floor((SQUARE - letteringSize(name, ZOOM).height) / 2), { zoom: ZOOM, color: INK });
      left += entryWidth(name);
    }
  });
  return result;
}

const entryWidth = (name: string): number => SQUARE + PAD / 2 + letteringSize(name, ZOOM).width + 2 * PAD;

/** As many entries to a line as fit. */
function legendLines(legend: readonly LegendEntry[], width: number): LegendEntry[][] {
  const lines: LegendEntry[][] = [];
  let room = 0;
  for (const entry of legend) {
    if (entryWidth(entry.name) > room) {
      lines.push([]);
      room = width - PAD;
    }
    lines.at(-1)!.push(entry);
    room -= entryWidth(entry.name);
  }
  return lines;
}

function fill(image: Image, left: number, top: number, width: number, height: number, color: Color): void {
  const right = Math.min(image.width, left + width);
  for (let y = Math.max(0, top); y < Math.min(image.height, top + height); y++) {
    for (let x = Math.max(0, left); x < right; x++) image.data.set([...color, 255], 4 * (y * image.width + x));
  }
}
