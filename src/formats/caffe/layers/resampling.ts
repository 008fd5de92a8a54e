/** Layers of forks that make maps larger: Interp, Upsample. */
import type { LayerTranslation, Mapping } from '../translation.ts';

function resize(t: LayerTranslation, size: readonly [number, number], mode: string, coordinates: string): void {
  t.emit({ op: 'resize', attributes: { mode, size, coordinates }, shape: [...t.shape.slice(0, 2), ...size] });
}

/** Linear between the corners, which stay: to a size, or by whole factors. */
export const interp: Mapping = (t) => {
  if (t.inputs.length > 1) throw t.refuse('taking the size of a second bottom is not supported');
  t.takes(1);
  if (t.shape.length !== 4) throw t.refuse(`a bottom of ${t.shape.length} axes is not supported, only [N, C, H, W]`);
  const p = t.param('interp_param');
  if (p.integer('pad_beg', 0) !== 0 || p.integer('pad_end', 0) !== 0) throw t.refuse('pad_beg and pad_end are not supported');
  const [shrink, zoom] = [p.integer('shrink_factor', 1), p.integer('zoom_factor', 1)];
  if (shrink < 1 || zoom < 1) throw t.invalid('factors must be at least 1');
  const sizeOf = (axis: 2 | 3, stated: number | undefined): number => stated ?? Math.floor((t.shape[axis]! - 1) / shrink) * zoom + 1;
  resize(t, [sizeOf(2, p.integer('height')), sizeOf(3, p.integer('width'))], 'linear', 'align_corners');
};

/** Every number becomes a square of its copies. */
export const upsample: Mapping = (t) => {
  if (t.inputs.length > 1) throw t.refuse('putting maxima back to their places (a second bottom) is not supported');
  t.takes(1);
  if (t.shape.length !== 4) throw t.refuse(`a bottom of ${t.shape.length} axes is not supported, only [N, C, H, W]`);
  const scale = t.param('upsample_param').integer('scale', 2);
  if (scale < 1) throw t.invalid(`scale is ${scale}`);
  resize(t, [t.shape[2]! * scale, t.shape[3]! * scale], 'nearest', 'asymmetric');
};
