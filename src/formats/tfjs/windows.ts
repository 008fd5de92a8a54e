/**
 * Windows of convolution and pooling under TensorFlow's two rules of padding, from the size of the input:
 *   valid: only windows that lie inside
 *   same: ceil(size / stride) windows; what is missing is padded, the smaller half before
 */

/** One axis: padding before and after, and windows. */
export interface Windows {
  readonly before: number;
  readonly after: number;
  readonly count: number;
}

export type Padding = 'same' | 'valid';

export const extentOf = (kernel: number, dilation: number): number => dilation * (kernel - 1) + 1;

export function windowsOf(size: number, kernel: number, stride: number, dilation: number, padding: Padding): Windows {
  const extent = extentOf(kernel, dilation);
  if (padding === 'valid') return { before: 0, after: 0, count: size < extent ? 0 : Math.floor((size - extent) / stride) + 1 };
  const count = Math.ceil(size / stride);
  const total = Math.max((count - 1) * stride + extent - size, 0);
  return { before: total >> 1, after: total - (total >> 1), count };
}

export interface TransposedWindows extends Windows {
  /** Rows behind the last window that no window reaches. */
  readonly beyond: number;
}

/** A transposed convolution is laid out as the convolution whose gradient it is: from `count` numbers to `size`. */
export function transposedWindowsOf(size: number, kernel: number, stride: number, dilation: number, padding: Padding, outputPadding: number | undefined): TransposedWindows {
  const extent = extentOf(kernel, dilation);
  const covered = (size - 1) * stride + extent;
  let count = padding === 'same' ? size * stride : size * stride + Math.max(extent - stride, 0);
  if (outputPadding !== undefined) count = covered - (padding === 'same' ? 2 * (kernel >> 1) : 0) + outputPadding;
  const total = padding === 'same' ? Math.max(covered - count, 0) : 0;
  return { before: total >> 1, after: total - (total >> 1), count, beyond: count - (covered - total) };
}
