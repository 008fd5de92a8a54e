/** The inverse real Fourier transform in two dimensions and its adjoint, by their definition, in double precision. */

export type Planes = readonly [planes: number, height: number, width: number];

interface Waves {
  readonly cos: Float64Array;
  readonly sin: Float64Array;
}

const waves = (n: number): Waves => ({
  cos: Float64Array.from({ length: n }, (_, t) => Math.cos((2 * Math.PI * t) / n)),
  sin: Float64Array.from({ length: n }, (_, t) => Math.sin((2 * Math.PI * t) / n)),
});

export const halfOf = (width: number): number => Math.floor(width / 2) + 1;

/** Whether a column of half a spectrum is its own mirror image: its imaginary parts do not count, and it stands for itself alone. */
const alone = (column: number, width: number): boolean => column === 0 || 2 * column === width;

/** Along the columns: y[r] = 1 / H sum over h of x[h] e^(sign 2 pi i h r / H). */
function columns(x: ArrayLike<number>, [planes, height, width]: Planes, sign: number): Float64Array {
  const half = halfOf(width);
  const { cos, sin } = waves(height);
  const y = new Float64Array(2 * planes * height * half);
  for (let p = 0; p < planes; p++)
    for (let r = 0; r < height; r++)
      for (let h = 0; h < height; h++) {
        const [c, s] = [cos[(h * r) % height]! / height, (sign * sin[(h * r) % height]!) / height];
        for (let k = 0; k < half; k++) {
          const [to, at] = [2 * ((p * height + r) * half + k), 2 * ((p * height + h) * half + k)];
          y[to]! += c * x[at]! - s * x[at + 1]!;
          y[to + 1]! += c * x[at + 1]! + s * x[at]!;
        }
      }
  return y;
}

export function inverseTwin(spectrum: ArrayLike<number>, size: Planes): Float64Array {
  const [planes, height, width] = size;
  const half = halfOf(width);
  const y = columns(spectrum, size, 1);
  const { cos, sin } = waves(width);
  const image = new Float64Array(planes * height * width);
  for (let line = 0; line < planes * height; line++)
    for (let c = 0; c < width; c++)
      for (let k = 0; k < half; k++) {
        const at = 2 * (line * half + k);
        const t = (c * k) % width;
        const wave = alone(k, width) ? y[at]! * cos[t]! : 2 * (y[at]! * cos[t]! - y[at + 1]! * sin[t]!);
        image[line * width + c]! += wave / width;
      }
  return image;
}

export function adjointTwin(dimage: ArrayLike<number>, size: Planes): Float64Array {
  const [planes, height, width] = size;
  const half = halfOf(width);
  const { cos, sin } = waves(width);
  const g = new Float64Array(2 * planes * height * half);
  for (let line = 0; line < planes * height; line++)
    for (let k = 0; k < half; k++)
      for (let c = 0; c < width; c++) {
        const t = (c * k) % width;
        const share = ((alone(k, width) ? 1 : 2) * dimage[line * width + c]!) / width;
        g[2 * (line * half + k)]! += share * cos[t]!;
        if (!alone(k, width)) g[2 * (line * half + k) + 1]! -= share * sin[t]!;
      }
  return columns(g, size, -1);
}

/** Half the spectrum of real planes: the forward transform, nothing divided. */
export function spectrumTwin(image: ArrayLike<number>, size: Planes): Float64Array {
  const [, height, width] = size;
  // The adjoint of the inverse is the forward transform, each column times its share.
  return adjointTwin(image, size).map((value, i) => (value * height * width) / (alone(Math.floor(i / 2) % halfOf(width), width) ? 1 : 2));
}
