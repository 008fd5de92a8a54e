/** Sheets of units: of each one its patches in a block, a second block beside it, and its number above. */
import { createImage, enlarge, fitImage, type Color, type Image } from './image.ts';
import { drawLettering, letteringSize } from './lettering.ts';

export interface UnitBlock {
  readonly caption: string;
  /** undefined: a place that stays empty. */
  readonly patches: readonly (Image | undefined)[];
  /** As many, or none. */
  readonly beside: readonly (Image | undefined)[];
}

/** Patches are drawn at least and at most this large, pixels. */
const CELL = { least: 48, most: 96 } as const;
const GAP = 2; // between patches
const ZOOM = 2;
const MARGIN = 8; // around a block
const BACKGROUND: Color = [16, 16, 20];
const EMPTY: Color = [32, 32, 38];
const INK: Color = [225, 225, 230];
const CAPTION = letteringSize('0', ZOOM).height + 6;

/** Pixels of a patch of this side on the sheet: small ones are repeated a whole number of times. */
function shownSide(side: number): number {
  if (side >= CELL.most) return CELL.most;
  return side * Math.max(1, Math.floor(CELL.least / side));
}

/** Side of the square of `count` patches, in patches. */
const acrossOf = (count: number): number => Math.ceil(Math.sqrt(count));

/** Pixels of one unit on the sheet. */
function blockSize(count: number, cell: number, beside: boolean): { readonly width: number; readonly height: number; readonly square: number } {
  const square = acrossOf(count) * (cell + GAP) - GAP;
  return { width: square * (beside ? 2 : 1) + (beside ? 2 * GAP : 0) + MARGIN, height: Math.ceil(count / acrossOf(count)) * (cell + GAP) - GAP + CAPTION + MARGIN, square };
}

/** Most pixels and most units of one sheet: what can be looked at. */
const SHEET = { pixels: 2 ** 23, units: 64 } as const;

/** How many units a sheet holds whose patches have this side. */
export function unitsOfSheet(count: number, side: number, beside: boolean): number {
  const { width, height } = blockSize(count, shownSide(side), beside);
  return Math.max(1, Math.min(SHEET.units, Math.floor(SHEET.pixels / (width * height))));
}

/** The units in rows. @param count places of a block */
export function patchSheet(units: readonly UnitBlock[], count: number): Image {
  const all = units.flatMap(({ patches, beside }) => [...patches, ...beside]).filter((image) => image !== undefined);
  const side = all.reduce((most, { width, height }) => Math.max(most, width, height), 1);
  const cell = shownSide(side);
  const pairs = units.some(({ beside }) => beside.length > 0);
  const { width, height, square } = blockSize(count, cell, pairs);
  const columns = Math.max(1, Math.min(units.length, Math.round(Math.sqrt((units.length * height) / width))));
  const sheet = createImage(columns * width + MARGIN, Math.ceil(units.length / columns) * height + MARGIN, BACKGROUND);
  units.forEach(({ caption, patches, beside }, n) => {
    const left = MARGIN + (n % columns) * width;
    const top = MARGIN + Math.floor(n / columns) * height;
    drawLettering(sheet, caption, left, top, { zoom: ZOOM, color: INK });
    drawSquare(sheet, patches, count, cell, side, left, top + CAPTION);
    if (pairs) drawSquare(sheet, beside, count, cell, side, left + square + 2 * GAP, top + CAPTION);
  });
  return sheet;
}

function drawSquare(sheet: Image, patches: readonly (Image | undefined)[], count: number, cell: number, side: number, left: number, top: number): void {
  const blank = createImage(cell, cell, EMPTY);
  for (let k = 0; k < count; k++) {
    const image = patches[k] ? shown(patches[k]!, cell, side) : blank;
    const x = left + (k % acrossOf(count)) * (cell + GAP) + Math.floor((cell - image.width) / 2);
    const y = top + Math.floor(k / acrossOf(count)) * (cell + GAP) + Math.floor((cell - image.height) / 2);
    for (let row = 0; row < image.height; row++) {
      sheet.data.set(image.data.subarray(4 * row * image.width, 4 * (row + 1) * image.width), 4 * ((y + row) * sheet.width + x));
    }
  }
}

/** A patch as large as a sheet can show it: many large ones need not be held. */
export function shownPatch(image: Image): Image {
  const side = Math.max(image.width, image.height);
  return side > CELL.most ? shown(image, CELL.most, side) : image;
}

/** All patches of a sheet at one scale, that of the largest. */
function shown(image: Image, cell: number, side: number): Image {
  if (cell >= side) return enlarge(image, cell / side);
  const scaled = (size: number): number => Math.max(1, Math.round((size * cell) / side));
  return fitImage(image, scaled(image.width), scaled(image.height), 'stretch');
}
