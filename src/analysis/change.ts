/** How large a change of a picture is. */

export interface ChangeSize {
  /** Largest absolute value, Euclidean length, mean absolute value: pixel levels. */
  readonly max: number;
  readonly l2: number;
  readonly mean: number;
  /** Peak signal-to-noise ratio 20 log10(255 / root mean square), dB; null where nothing has changed. */
  readonly psnr: number | null;
}

/** @param change pixel levels of 0..255, every channel */
export function changeSize(change: ArrayLike<number>): ChangeSize {
  let [max, squares, sum] = [0, 0, 0];
  for (let i = 0; i < change.length; i++) {
    const size = Math.abs(change[i]!);
    max = Math.max(max, size);
    squares += size * size;
    sum += size;
  }
  const count = Math.max(1, change.length);
  return { max, l2: Math.sqrt(squares), mean: sum / count, psnr: squares > 0 ? 20 * Math.log10(255 / Math.sqrt(squares / count)) : null };
}
