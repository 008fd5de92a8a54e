/** Pictures side by side with words under each: what a method shows of before and after. */
import { UnitscopeError } from '../errors.ts';
import { checkImage, createImage, enlarge, type Color, type Image } from './image.ts';
import { drawLettering, letteringSize } from './lettering.ts';

export interface Panel {
  readonly image: Image;
  /** Lines under the picture; one that is too long for it goes on in another, at a word. */
  readonly lines: readonly string[];
}

export interface PanelOptions {
  /** Pictures that are narrower are drawn larger, by whole factors, so that words find room under them, pixels. */
  readonly width?: number;
}

const BACKGROUND: Color = [16, 16, 20];
const INK: Color = [225, 225, 230];
const GAP = 8; // pixels around and between the panels
const ZOOM = 2; // pixels of a dot of a letter
const LINE = 8 * ZOOM; // pixels from one line to the next

/** Rows of panels, in cells as wide as the widest of all and as high as the highest of its row. @throws usage */
export function panels(rows: readonly (readonly Panel[])[], { width: least = 160 }: PanelOptions = {}): Image {
  const all = rows.flat();
  if (all.length === 0) throw new UnitscopeError('usage', 'there is nothing to show side by side');
  all.forEach(({ image }) => checkImage(image));
  const larger = rows.map((row) => row.map(({ image, lines }) => ({ image: enlarge(image, Math.max(1, Math.ceil(least / image.width))), lines })));
  const cell = Math.max(...larger.flat().map(({ image }) => image.width));
  const shown = larger.map((row) => row.map(({ image, lines }) => ({ image, lines: lines.flatMap((line) => wrapped(line, cell)) })));
  const heights = shown.map((row) => ({
    picture: Math.max(...row.map(({ image }) => image.height)),
    words: Math.max(...row.map(({ lines }) => lines.length)) * LINE,
  }));
  const columns = Math.max(...shown.map((row) => row.length));
  const height = heights.reduce((sum, { picture, words }) => sum + picture + words + 2 * GAP, GAP);
  const result = createImage(columns * (cell + GAP) + GAP, height, BACKGROUND);
  let top = GAP;
  for (const [n, row] of shown.entries()) {
    const { picture, words } = heights[n]!;
    row.forEach(({ image, lines }, column) => {
      const left = GAP + column * (cell + GAP);
      paste(result, image, left + Math.floor((cell - image.width) / 2), top + picture - image.height);
      lines.forEach((line, k) => drawLettering(result, line, left, top + picture + GAP + k * LINE, { zoom: ZOOM, color: INK }));
    });
    top += picture + words + 2 * GAP;
  }
  return result;
}

/** Lines of words that fit into a width, pixels. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const longer = lines.length === 0 ? word : `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && letteringSize(longer, ZOOM).width <= width) lines[lines.length - 1] = longer;
    else lines.push(fitted(word, width));
  }
  return lines;
}

/** The beginning of a word that fits into a width, pixels. */
function fitted(text: string, width: number): string {
  let short = text;
  while (letteringSize(short, ZOOM).width > width) short = short.slice(0, -1);
  return short;
}

function paste(target: Image, image: Image, left: number, top: number): void {
  for (let y = 0; y < image.height; y++) {
    target.data.set(image.data.subarray(4 * y * image.width, 4 * (y + 1) * image.width), 4 * ((top + y) * target.width + left));
  }
}
