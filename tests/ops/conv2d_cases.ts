/** Convolutions to prove kernels with: shapes that are awkward in every way, and the float64 twin of them all. */
import type { Tensor } from '../../src/network/network.ts';
import type { ReluRule } from '../../src/ops/op.ts';
import type { Subject, Twin } from './harness.ts';
import { dot, passesRule, random, Sum } from './reference.ts';

type Four = readonly [number, number, number, number];
type Two = readonly [number, number];

export interface Conv2dCase {
  readonly x: Four;
  readonly weight: Four;
  readonly stride?: Two;
  readonly padding?: Four;
  readonly dilation?: Two;
  readonly groups?: number;
  readonly bias?: false;
  readonly activation?: 'relu' | 'clip';
}

/** Visits every product of a convolution whose result is OH x OW: indices into y, x and the weights. */
export function products(c: Conv2dCase, [OH, OW]: readonly [number, number], product: (output: number, input: number, w: number) => void): void {
  const { x: [N, channels, H, W], weight: [M, C, KH, KW], stride = [1, 1], padding = [0, 0, 0, 0], dilation = [1, 1], groups = 1 } = c;
  for (let n = 0; n < N; n++)
    for (let m = 0; m < M; m++)
      for (let oy = 0; oy < OH; oy++)
        for (let ox = 0; ox < OW; ox++)
          for (let k = 0; k < C; k++)
            for (let ky = 0; ky < KH; ky++)
              for (let kx = 0; kx < KW; kx++) {
                const iy = oy * stride[0] - padding[0] + ky * dilation[0];
                const ix = ox * stride[1] - padding[1] + kx * dilation[1];
                if (iy < 0 || ix < 0 || iy >= H || ix >= W) continue;
                const channel = Math.floor(m / (M / groups)) * C + k;
                product(((n * M + m) * OH + oy) * OW + ox, ((n * channels + channel) * H + iy) * W + ix, ((m * C + k) * KH + ky) * KW + kx);
              }
}

/**
 * y[n, m, oy, ox] = act(bias[m] + sum of w[m, c, ky, kx] x[n, group C + c, oy stride - top + ky dilation, ...])
 * and its gradient, by scattering w dy over the same loops.
 */
function conv2dTwin(x: Tensor, weight: Tensor, bias: Tensor | undefined, c: Conv2dCase, rule: ReluRule): Twin {
  const { stride = [1, 1], padding = [0, 0, 0, 0], dilation = [1, 1], activation } = c;
  const [N, , H, W] = x.shape as Four;
  const [M, , KH, KW] = weight.shape as Four;
  const OH = Math.floor((H + padding[0] + padding[2] - (KH - 1) * dilation[0] - 1) / stride[0]) + 1;
  const OW = Math.floor((W + padding[1] + padding[3] - (KW - 1) * dilation[1] - 1) / stride[1]) + 1;
  const taps = (visit: (output: number, input: number, w: number) => void): void => products(c, [OH, OW], visit);
  const linear = new Sum([N, M, OH, OW]);
  if (bias) linear.values.forEach((_, i) => linear.add(i, bias.data[Math.floor(i / (OH * OW)) % M]!));
  taps((output, input, w) => linear.add(output, weight.data[w]! * x.data[input]!));
  const y = linear.map((v) => (activation === 'relu' ? Math.max(v, 0) : activation === 'clip' ? Math.min(Math.max(v, -0.25), 0.5) : v));
  const active = (v: number): boolean => (activation === 'relu' ? v > 0 : v > -0.25 && v < 0.5);
  const gate = (g: number, v: number): number =>
    !activation || passesRule(rule, active(v), g) ? g : 0;
  return {
    y,
    dx(dy) {
      const dx = new Sum(x.shape);
      taps((output, input, w) => dx.add(input, weight.data[w]! * gate(dy[output]!, linear.values[output]!)));
      return [dx];
    },
  };
}

export function subjectOf(c: Conv2dCase, rule: ReluRule = 'gradient', seed = 1): { subject: Subject; twin: Twin; offset: (dy: Tensor) => number } {
  const { x: shape, weight: weightShape, bias: withBias = true, activation, ...rest } = c;
  const x = random(shape, seed);
  const weight = random(weightShape, seed + 1);
  const bias = withBias ? random([weightShape[0]], seed + 2) : undefined;
  const attributes = { ...rest, ...(activation && { activation, low: -0.25, high: 0.5 }) };
  const subject: Subject = { op: 'conv2d', attributes, weights: { weight, ...(bias && { bias }) }, x: [x] };
  const offset = (dy: Tensor): number => {
    const plane = dy.shape[2]! * dy.shape[3]!;
    return bias ? dot(dy.data, dy.data.map((_, i) => bias.data[Math.floor(i / plane) % weightShape[0]]!)).value : 0;
  };
  return { subject, twin: conv2dTwin(x, weight, bias, c, rule), offset };
}

export const CONV2D_CASES: Readonly<Record<string, Conv2dCase>> = {
  'one pixel, one weight': { x: [1, 1, 1, 1], weight: [1, 1, 1, 1] },
  '1x1 kernel, N = 3': { x: [3, 5, 7, 5], weight: [6, 5, 1, 1] },
  '3x3, prime sizes': { x: [2, 3, 11, 7], weight: [13, 3, 3, 3], padding: [1, 1, 1, 1] },
  'asymmetric padding': { x: [1, 2, 6, 5], weight: [3, 2, 3, 2], padding: [0, 1, 2, 3] },
  'no bias': { x: [1, 2, 5, 4], weight: [5, 2, 2, 3], bias: false },
  'two tiles of outputs, the last one ragged': { x: [1, 3, 20, 19], weight: [33, 3, 3, 3], padding: [1, 1, 1, 1] },
  'many workgroups': { x: [1, 1, 53, 47], weight: [8, 1, 3, 3], padding: [1, 1, 1, 1] },
  'several workgroups': { x: [1, 2, 29, 25], weight: [16, 2, 2, 2] },
  '1x1 kernel, a small image': { x: [1, 8, 9, 13], weight: [16, 8, 1, 1] },
  'one output': { x: [1, 7, 9, 9], weight: [1, 7, 3, 3], padding: [1, 1, 1, 1] },
  'last rows and columns under no window': { x: [2, 3, 8, 6], weight: [4, 3, 3, 3], stride: [2, 2] },
  'stride 3 over a 2x2 kernel: pixels between the windows': { x: [1, 2, 11, 8], weight: [3, 2, 2, 2], stride: [3, 3] },
  'stride 4 over a 1x1 kernel': { x: [1, 3, 10, 9], weight: [5, 3, 1, 1], stride: [4, 4] },
  'strides that differ': { x: [1, 3, 7, 13], weight: [4, 3, 2, 4], stride: [1, 3], padding: [1, 0, 0, 2] },
  'stride 4, asymmetric padding': { x: [1, 2, 13, 11], weight: [3, 2, 4, 3], stride: [4, 4], padding: [3, 1, 0, 2] },
  '11x11 with stride 4': { x: [1, 3, 27, 23], weight: [5, 3, 11, 11], stride: [4, 4] },
  '7x7 with stride 2': { x: [1, 3, 17, 15], weight: [8, 3, 7, 7], stride: [2, 2], padding: [3, 3, 3, 3] },
  '6x6, wider than what is unrolled': { x: [1, 2, 9, 8], weight: [3, 2, 6, 6], padding: [2, 3, 3, 2] },
  'row kernel 1x7': { x: [1, 3, 5, 9], weight: [4, 3, 1, 7], padding: [0, 3, 0, 3] },
  'column kernel 7x1': { x: [1, 3, 9, 5], weight: [4, 3, 7, 1], padding: [3, 0, 3, 0] },
  'one row of pixels': { x: [1, 4, 1, 13], weight: [4, 4, 1, 3], padding: [0, 1, 0, 1] },
  'one column of pixels, stride 2': { x: [1, 2, 13, 1], weight: [3, 2, 3, 1], stride: [2, 1] },
  'two groups, 5x5': { x: [2, 4, 9, 8], weight: [6, 2, 5, 5], padding: [2, 2, 2, 2], groups: 2 },
  'three groups, stride 2, 5 outputs each': { x: [1, 6, 9, 7], weight: [15, 2, 3, 3], stride: [2, 2], padding: [1, 1, 1, 1], groups: 3 },
  depthwise: { x: [2, 5, 9, 7], weight: [5, 1, 3, 3], padding: [1, 1, 1, 1], groups: 5 },
  'depthwise with a multiplier': { x: [2, 3, 6, 7], weight: [6, 1, 3, 3], padding: [1, 1, 1, 1], groups: 3 },
  'depthwise with stride 2': { x: [1, 5, 8, 7], weight: [5, 1, 3, 3], stride: [2, 2], padding: [0, 0, 1, 1], groups: 5 },
  'depthwise, cropped by negative padding': { x: [1, 3, 9, 8], weight: [3, 1, 3, 3], stride: [1, 2], padding: [-3, 1, 0, -1], groups: 3 },
  'kernel larger than the image': { x: [1, 2, 3, 2], weight: [3, 2, 5, 5], padding: [2, 2, 2, 2] },
  'padding larger than the kernel': { x: [1, 2, 4, 3], weight: [3, 2, 2, 2], padding: [3, 4, 5, 3] },
  'padding larger than the kernel, stride 2': { x: [1, 2, 5, 4], weight: [3, 2, 3, 3], stride: [2, 2], padding: [5, 4, 4, 7] },
  'dilation 2': { x: [1, 3, 9, 8], weight: [4, 3, 3, 3], padding: [2, 2, 2, 2], dilation: [2, 2] },
  'dilations that differ': { x: [1, 2, 11, 9], weight: [3, 2, 3, 2], padding: [1, 0, 2, 1], dilation: [3, 2] },
  'dilated and strided': { x: [1, 3, 11, 10], weight: [4, 3, 3, 3], stride: [2, 3], padding: [2, 1, 1, 2], dilation: [2, 2] },
  'dilated along y, strided along x': { x: [1, 2, 9, 11], weight: [5, 2, 3, 3], stride: [1, 2], dilation: [2, 1] },
  'groups, dilated and strided': { x: [1, 4, 10, 9], weight: [4, 2, 3, 2], stride: [2, 2], padding: [1, 1, 1, 1], dilation: [2, 3], groups: 2 },
};
