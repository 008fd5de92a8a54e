/** Words on pictures: capitals of 5 x 5 dots, of our own drawing. Signs that are not here leave a gap. */
import type { Color, Image } from './image.ts';

const SIDE = 5;

/** Rows from the top, a sign a dot. */
const GLYPHS: Readonly<Record<string, string>> = {
  A: ' ### |#   #|#####|#   #|#   #',
  B: '#### |#   #|#### |#   #|#### ',
  C: ' ####|#    |#    |#    | ####',
  D: '#### |#   #|#   #|#   #|#### ',
  E: '#####|#    |#### |#    |#####',
  F: '#####|#    |#### |#    |#    ',
  G: ' ####|#    |#  ##|#   #| ####',
  H: '#   #|#   #|#####|#   #|#   #',
  I: ' ### |  #  |  #  |  #  | ### ',
  J: '  ###|   # |   # |#  # | ##  ',
  K: '#   #|#  # |###  |#  # |#   #',
  L: '#    |#    |#    |#    |#####',
  M: '#   #|## ##|# # #|#   #|#   #',
  N: '#   #|##  #|# # #|#  ##|#   #',
  O: ' ### |#   #|#   #|#   #| ### ',
  P: '#### |#   #|#### |#    |#    ',
  Q: ' ### |#   #|# # #|#  # | ## #',
  R: '#### |#   #|#### |#  # |#   #',
  S: ' ####|#    | ### |    #|#### ',
  T: '#####|  #  |  #  |  #  |  #  ',
  U: '#   #|#   #|#   #|#   #| ### ',
  V: '#   #|#   #|#   #| # # |  #  ',
  W: '#   #|#   #|# # #|## ##|#   #',
  X: '#   #| # # |  #  | # # |#   #',
  Y: '#   #| # # |  #  |  #  |  #  ',
  Z: '#####|   # |  #  | #   |#####',
  0: ' ### |#  ##|# # #|##  #| ### ',
  1: ' ##  |  #  |  #  |  #  | ### ',
  2: '#### |    #| ### |#    |#####',
  3: '#### |    #| ### |    #|#### ',
  4: '#  # |#  # |#####|   # |   # ',
  5: '#####|#    |#### |    #|#### ',
  6: ' ### |#    |#### |#   #| ### ',
  7: '#####|   # |  #  | #   | #   ',
  8: ' ### |#   #| ### |#   #| ### ',
  9: ' ### |#   #| ####|    #| ### ',
  '-': '     |     | ### |     |     ',
  '.': '     |     |     |     |  #  ',
  ',': '     |     |     |  #  | #   ',
  ':': '     |  #  |     |  #  |     ',
  '%': '##  #|## # |  #  | # ##|#  ##',
  '/': '    #|   # |  #  | #   |#    ',
  '+': '     |  #  | ### |  #  |     ',
  '=': '     | ### |     | ### |     ',
  '<': '   # |  #  | #   |  #  |   # ',
  '>': ' #   |  #  |   # |  #  | #   ',
};

/** Pixels that a word takes, with dots of `zoom` pixels. */
export const letteringSize = (text: string, zoom: number): { width: number; height: number } => ({
  width: Math.max(0, text.length * (SIDE + 1) - 1) * zoom,
  height: SIDE * zoom,
});

/** Draws a word on a picture, capitals for small letters too; what would lie outside is left out. */
export function drawLettering(image: Image, text: string, left: number, top: number, { zoom, color }: { readonly zoom: number; readonly color: Color }): void {
  const { width, height } = letteringSize(text, zoom);
  for (let y = Math.max(0, -top); y < Math.min(height, image.height - top); y++) {
    for (let x = Math.max(0, -left); x < Math.min(width, image.width - left); x++) {
      const column = Math.floor(x / zoom);
      const glyph = GLYPHS[text[Math.floor(column / (SIDE + 1))]!.toUpperCase()];
      if (glyph?.split('|')[Math.floor(y / zoom)]![column % (SIDE + 1)] !== '#') continue;
      image.data.set([...color, 255], 4 * ((top + y) * image.width + left + x));
    }
  }
}
