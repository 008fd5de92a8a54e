/** Resampling of an image to another size, by the nearest pixel or between two of each axis, as ONNX Resize defines it. */
import { resize as kernel, resizeBackward, resizeBackwardGrid, resizeGrid, type ResizeParameters } from '../../shaders/resize.wgsl.ts';
import type { Op, Recorder, TensorRef } from './op.ts';
import { elements } from './shape.ts';

type Pair = readonly [number, number];

const COORDINATES = ['half_pixel', 'pytorch_half_pixel', 'asymmetric', 'align_corners'] as const;
const ROUNDINGS = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'] as const;

export interface ResizeAttributes {
  readonly mode: 'nearest' | 'linear';
  /** Rows and columns of the result. */
  readonly size: Pair;
  /** By which coordinates are divided; 0 is the ratio of the sizes, from which a stated scale may differ by rounding. */
  readonly scale: Pair;
  /** Which point of the input a pixel of the result stands for. */
  readonly coordinates: (typeof COORDINATES)[number];
  /** Which pixel is the nearest one. */
  readonly rounding: (typeof ROUNDINGS)[number];
}

/** Where the outputs of one axis lie in the input. */
export interface Places {
  /** The first pixel that an output reads, and the share of the next one. */
  readonly first: Uint32Array;
  readonly share: Float32Array;
}

/**
 * The point of an axis of `size` pixels that output o of `out` stands for.
 * @param round what every result passes. Ties between two nearest pixels fall as in the runtimes that made the files,
 * which compute in single precision; a linear interpolation has no ties, and is taken at the exact point.
 */
function pointOf(o: number, size: number, out: number, stated: number, coordinates: ResizeAttributes['coordinates'], round: (value: number) => number): number {
  const scale = round(stated === 0 ? out / size : stated);
  if (coordinates === 'asymmetric') return round(o / scale);
  if (coordinates === 'align_corners') return out === 1 ? 0 : round(round(o * (size - 1)) / (out - 1));
  return coordinates === 'pytorch_half_pixel' && out === 1 ? 0 : round(round((o + 0.5) / scale) - 0.5);
}

const NEAREST: Readonly<Record<ResizeAttributes['rounding'], (at: number) => number>> = {
  round_prefer_floor: (at) => Math.ceil(at - 0.5),
  round_prefer_ceil: (at) => Math.floor(at + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

/** Points outside of the image take its border. */
export function placesOf(axis: 0 | 1, size: number, { mode, size: sizes, scale, coordinates, rounding }: ResizeAttributes): Places {
  const out = sizes[axis];
  const inside = (at: number): number => Math.min(Math.max(at, 0), size - 1);
  const point = (o: number): number => pointOf(o, size, out, scale[axis], coordinates, mode === 'nearest' ? Math.fround : (value) => value);
  const at = Array.from({ length: out }, (_, o) => inside(mode === 'nearest' ? NEAREST[rounding](point(o)) : point(o)));
  return { first: Uint32Array.from(at, Math.floor), share: Float32Array.from(at, (value) => value - Math.floor(value)) };
}

/** [out, 2] words, as the kernel reads them. */
function table({ first, share }: Places): Uint32Array {
  const bits = new Uint32Array(share.buffer);
  return Uint32Array.from({ length: 2 * first.length }, (_, i) => (i % 2 ? bits : first)[i >> 1]!);
}

/** [size, 2] words: the outputs that read a pixel follow each other, since points never go back. */
function spans({ first, share }: Places, size: number): Uint32Array {
  const words = new Uint32Array(2 * size);
  const read = (pixel: number, o: number): void => {
    if (words[2 * pixel + 1] === 0) words[2 * pixel] = o;
    words[2 * pixel + 1] = o + 1;
  };
  first.forEach((pixel, o) => {
    read(pixel, o);
    if (share[o]! > 0) read(pixel + 1, o);
  });
  return words;
}

const parameters = (x: TensorRef, { mode, size }: ResizeAttributes): ResizeParameters => ({
  planes: x.shape[0]! * x.shape[1]!,
  inHeight: x.shape[2]!,
  inWidth: x.shape[3]!,
  outHeight: size[0],
  outWidth: size[1],
  mode,
});

const places = (recorder: Recorder, x: TensorRef, attributes: ResizeAttributes): Record<'rows' | 'columns', TensorRef> => ({
  rows: recorder.constant('rows', [attributes.size[0], 2], () => table(placesOf(0, x.shape[2]!, attributes))),
  columns: recorder.constant('columns', [attributes.size[1], 2], () => table(placesOf(1, x.shape[3]!, attributes))),
});

export const resize: Op<ResizeAttributes> = {
  name: 'resize',
  attributes: { mode: 'nearest', size: [0, 0], scale: [0, 0], coordinates: 'half_pixel', rounding: 'round_prefer_floor' },
  weights: {},
  arity: [1, 1],
  shape([x], { mode, size, scale, coordinates, rounding }, _weights, refuse) {
    if (x!.length !== 4) throw refuse(`resize takes [N, C, H, W], got ${x!.length} axes`);
    const known = { mode: [['nearest', 'linear'], mode], coordinates: [COORDINATES, coordinates], rounding: [ROUNDINGS, rounding] } as const;
    for (const [name, [values, value]] of Object.entries(known)) {
      if (!(values as readonly string[]).includes(value)) throw refuse(`there is no ${name} '${value}'`, `known: ${values.join(', ')}`);
    }
    if (!size.every((length) => Number.isInteger(length) && length >= 1)) throw refuse(`size must be two positive whole numbers, got [${size}]`);
    if (Math.min(...scale) < 0) throw refuse(`scale must not be negative, got [${scale}]`);
    return [x![0]!, x![1]!, ...size];
  },
  forward(c) {
    const x = c.x[0]!;
    const p = parameters(x, c.attributes);
    c.dispatch({
      kernel: 'resize',
      code: kernel(p),
      tensors: { ...places(c, x, c.attributes), x, y: c.y },
      grid: resizeGrid(p),
      flops: p.mode === 'linear' ? 9 * elements(c.y.shape) : 0,
    });
  },
  backward(c) {
    const target = c.dx[0];
    if (!target) return;
    const x = c.x[0]!;
    const p = parameters(x, c.attributes);
    c.dispatch({
      kernel: 'resize',
      code: resizeBackward({ ...p, accumulate: target.accumulate }),
      tensors: {
        ...(p.mode === 'linear' && places(c, x, c.attributes)),
        rowSpans: c.constant('row spans', [p.inHeight, 2], () => spans(placesOf(0, p.inHeight, c.attributes), p.inHeight)),
        columnSpans: c.constant('column spans', [p.inWidth, 2], () => spans(placesOf(1, p.inWidth, c.attributes), p.inWidth)),
        dy: c.dy,
        dx: target.tensor,
      },
      grid: resizeBackwardGrid(p),
      flops: (p.mode === 'linear' ? 8 : 1) * elements(c.y.shape),
    });
  },
};
