/** The windows of pooling in plain loops, for the twins of max and average pooling. */

export type Four = readonly [number, number, number, number];
export type Two = readonly [number, number];

export interface PoolCase {
  readonly x: Four;
  readonly kernel: Two;
  readonly stride?: Two;
  readonly padding?: Four;
  readonly dilation?: Two;
  readonly ceil?: boolean;
}

/**
 * Windows along one axis: all that fit; in ceil mode one more where they leave the end uncovered, but then the last
 * one is dropped if it starts past the image and its leading border (as Caffe and PyTorch do).
 */
function windowsAlong(size: number, kernel: number, stride: number, before: number, after: number, dilation: number, ceil: boolean): number {
  const reach = (kernel - 1) * dilation + 1;
  let windows = 0;
  while (windows * stride + reach <= before + size + after) windows++;
  if (ceil && (windows - 1) * stride + reach < before + size + after) windows++;
  if (ceil && (windows - 1) * stride >= before + size) windows--;
  return windows;
}

/** One tap of a window: indices of the output, and of the input or -1 where it lies outside the image. */
export type Tap = (output: number, input: number, iy: number, ix: number) => void;

export function poolWindows(c: PoolCase): { shape: Four; visit(tap: Tap): void } {
  const { kernel, stride = [1, 1], padding = [0, 0, 0, 0], dilation = [1, 1], ceil = false } = c;
  const [N, C, H, W] = c.x;
  const OH = windowsAlong(H, kernel[0], stride[0], padding[0], padding[2], dilation[0], ceil);
  const OW = windowsAlong(W, kernel[1], stride[1], padding[1], padding[3], dilation[1], ceil);
  return {
    shape: [N, C, OH, OW],
    visit(tap) {
      for (let plane = 0; plane < N * C; plane++)
        for (let oy = 0; oy < OH; oy++)
          for (let ox = 0; ox < OW; ox++)
            for (let ky = 0; ky < kernel[0]; ky++)
              for (let kx = 0; kx < kernel[1]; kx++) {
                const iy = oy * stride[0] - padding[0] + ky * dilation[0];
                const ix = ox * stride[1] - padding[1] + kx * dilation[1];
                const inside = iy >= 0 && ix >= 0 && iy < H && ix < W;
                tap((plane * OH + oy) * OW + ox, inside ? (plane * H + iy) * W + ix : -1, iy, ix);
              }
    },
  };
}

/** Images of 1 to 9 rows and columns, whose tiles and blocks end in every way. */
export const SMALL_CASES: readonly PoolCase[] = Array.from({ length: 9 }, (_, i) => i + 1).flatMap((n): PoolCase[] => [
  { x: [2, 3, n, 10 - n], kernel: [2, 2], stride: [2, 2], padding: [0, 0, 1, 1], ceil: true },
  { x: [2, 3, 10 - n, n], kernel: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1] },
  { x: [2, 3, n, n], kernel: [3, 3], padding: [1, 1, 1, 1] },
]);

/** Shapes that every kind of pooling is tried on. */
export const POOL_CASES: Readonly<Record<string, PoolCase>> = {
  'one pixel': { x: [1, 1, 1, 1], kernel: [1, 1] },
  '2x2 by 2, the last row and column left out': { x: [3, 2, 7, 5], kernel: [2, 2], stride: [2, 2] },
  '3x3 by 2': { x: [1, 3, 11, 13], kernel: [3, 3], stride: [2, 2] },
  '3x3 by 2, ceil': { x: [1, 3, 10, 8], kernel: [3, 3], stride: [2, 2], ceil: true },
  '3x3 by 1, padded': { x: [2, 3, 5, 7], kernel: [3, 3], padding: [1, 1, 1, 1] },
  'asymmetric padding': { x: [1, 2, 6, 5], kernel: [3, 2], stride: [2, 1], padding: [0, 1, 2, 0] },
  'ceil drops the window that starts in the padding': { x: [1, 2, 5, 5], kernel: [2, 2], stride: [2, 2], padding: [1, 1, 1, 1], ceil: true },
  'ceil with asymmetric padding': { x: [1, 2, 8, 7], kernel: [3, 3], stride: [3, 2], padding: [1, 0, 0, 1], ceil: true },
  'ceil drops a window that would fit, but lies in the padding': { x: [1, 2, 2, 3], kernel: [1, 1], padding: [0, 0, 1, 1], ceil: true },
  'stride larger than the kernel': { x: [1, 2, 11, 9], kernel: [2, 2], stride: [4, 3] },
  'stride larger than the kernel, ceil': { x: [1, 2, 10, 9], kernel: [2, 1], stride: [4, 4], ceil: true },
  dilated: { x: [1, 2, 9, 8], kernel: [3, 2], stride: [1, 2], padding: [1, 1, 1, 1], dilation: [2, 3] },
  'dilated, ceil': { x: [1, 2, 10, 7], kernel: [2, 3], stride: [3, 2], padding: [0, 1, 1, 2], dilation: [3, 2], ceil: true },
  'kernel larger than the image': { x: [1, 2, 3, 2], kernel: [5, 4], padding: [2, 1, 2, 2] },
  'the whole image': { x: [2, 3, 5, 7], kernel: [5, 7] },
  'one column of pixels': { x: [1, 3, 13, 1], kernel: [3, 1], stride: [2, 1] },
  'one row of pixels': { x: [1, 3, 1, 17], kernel: [1, 3], stride: [1, 2], padding: [0, 1, 0, 1] },
  'sizes that no tile divides': { x: [3, 5, 23, 19], kernel: [3, 3], stride: [2, 2] },
  'sizes that no tile divides, padded': { x: [3, 5, 17, 29], kernel: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1] },
  'sizes that tiles divide': { x: [2, 3, 24, 32], kernel: [2, 2], stride: [2, 2] },
  'a border wider than the first window': { x: [1, 2, 7, 9], kernel: [3, 3], stride: [1, 2], padding: [3, 4, 3, 4] },
  'windows too large to unroll': { x: [2, 2, 19, 17], kernel: [9, 11], stride: [2, 3], padding: [4, 5, 4, 5] },
  'windows too large to unroll, dilated, ceil': { x: [1, 2, 29, 31], kernel: [9, 9], stride: [4, 3], padding: [2, 0, 1, 3], dilation: [2, 3], ceil: true },
  'a large window of the whole image': { x: [3, 2, 13, 11], kernel: [13, 11], stride: [13, 11] },
};
