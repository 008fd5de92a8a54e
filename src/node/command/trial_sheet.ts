/** The trials of a search on one picture: a frame and a label around each, rows with or without a name. */
import { createImage, drawLettering, fitImage, letteringSize, sheet, type Color, type Image } from '../../index.ts';

export interface Cell {
  /** Absent where the trial has none. */
  readonly image?: Image | undefined;
  /** Below the picture: capitals, digits, hyphens. */
  readonly label: string;
  /** Of the frame and the label. */
  readonly color?: Color | undefined;
}

export interface SheetRow {
  /** At the left. */
  readonly name?: string;
  readonly cells: readonly Cell[];
}

const BACKGROUND: Color = [16, 16, 20];
const EMPTY: Color = [32, 33, 40];
const INK: Color = [225, 225, 230];
const DIM: Color = [130, 135, 150];

/** Most pixels of a sheet; above, its pictures are made smaller. */
const MOST = 24e6;

/** Rows of cells of one size, in that order. */
export function trialSheet(rows: readonly SheetRow[]): Image {
  const columns = Math.max(...rows.map(({ cells }) => cells.length));
  const first = rows.flatMap(({ cells }) => cells).find(({ image }) => image)?.image ?? createImage(64, 64, EMPTY);
  const shrink = Math.min(1, Math.sqrt(MOST / (rows.length * columns * first.width * first.height)));
  const [width, height] = [first.width, first.height].map((side) => Math.max(1, Math.floor(side * shrink))) as [number, number];
  const zoom = Math.ceil(width / 96);
  const blank = (): Image => createImage(width, height, EMPTY);
  const drawn = rows.map(({ cells }) => cells.map((cell) => framed(cell.image ? fitImage(cell.image, width, height, 'stretch') : blank(), cell, zoom)));
  const size = drawn.flat()[0]!;
  const empty = createImage(size.width, size.height, BACKGROUND);
  const grid = sheet(drawn.flatMap((cells) => Array.from({ length: columns }, (_, x) => cells[x] ?? empty)), { columns, background: BACKGROUND });
  const names = rows.map(({ name = '' }) => name);
  if (names.every((name) => name === '')) return grid;

  const margin = 5 * zoom;
  const left = Math.max(...names.map((name) => letteringSize(name, zoom).width)) + 2 * margin;
  const result = createImage(left + grid.width, grid.height, BACKGROUND);
  for (let y = 0; y < grid.height; y++) result.data.set(grid.data.subarray(4 * y * grid.width, 4 * (y + 1) * grid.width), 4 * (y * result.width + left));
  const step = (grid.height - 2) / rows.length; // a row and the gap below it
  names.forEach((name, row) => {
    const { width: wide, height: tall } = letteringSize(name, zoom);
    drawLettering(result, name, left - margin - wide, Math.floor(row * step + (step - tall) / 2), { zoom, color: INK });
  });
  return result;
}

/** A picture in its frame, the label below it. */
function framed(image: Image, { label, color }: Cell, zoom: number): Image {
  const frame = 1 + zoom;
  const strip = 9 * zoom;
  const result = createImage(image.width + 2 * frame, image.height + 2 * frame + strip, BACKGROUND);
  const fill = createImage(result.width, image.height + 2 * frame, color ?? BACKGROUND);
  result.data.set(fill.data);
  for (let y = 0; y < image.height; y++) {
    result.data.set(image.data.subarray(4 * y * image.width, 4 * (y + 1) * image.width), 4 * ((y + frame) * result.width + frame));
  }
  drawLettering(result, label, frame, image.height + 2 * frame + zoom, { zoom, color: color ?? DIM });
  return result;
}
