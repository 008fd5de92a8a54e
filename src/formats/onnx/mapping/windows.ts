/** The attributes that windows of convolution and pooling share. */
import { resolveWindows, type Windows } from '../padding.ts';
import type { NodeTranslation } from '../translation.ts';
import { forImage } from './image.ts';

/** A list of one number per axis (or `times` of them), each at least `least`; `fallback` where the file has none. */
export function listFor(t: NodeTranslation, name: string, axes: number, fallback: number, least: number, times = 1): number[] {
  const values = t.attributes.integers(name) ?? new Array<number>(axes * times).fill(fallback);
  if (values.length !== axes * times) throw t.invalid(`${name} [${values}] needs ${axes * times} numbers`);
  if (values.some((value) => value < 0) && least === 0) throw t.refuse(`negative ${name} [${values}] are not supported`, name);
  if (values.some((value) => value < least)) throw t.invalid(`${name} [${values}] must be at least ${least}`);
  return forImage(values, axes, fallback);
}

/** Refuses a word for auto_pad that is not known. */
export function autoPadOf(t: NodeTranslation): string {
  const autoPad = t.attributes.text('auto_pad', 'NOTSET');
  if (['NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER', ''].includes(autoPad)) return autoPad;
  throw t.refuse(`auto_pad '${autoPad.slice(0, 20)}' is not supported`, 'auto_pad');
}

/** Reads strides, dilations, pads and auto_pad, and resolves them for this size of image; `kernel` is that of an image. */
export function readWindows(t: NodeTranslation, size: readonly number[], kernel: readonly number[], axes: number, ceil = false): Windows {
  if (kernel.some((length) => length < 1)) throw t.invalid(`the kernel [${kernel}] is empty`);
  const autoPad = autoPadOf(t);
  const windows = resolveWindows({
    input: size,
    kernel,
    stride: listFor(t, 'strides', axes, 1, 1),
    dilation: listFor(t, 'dilations', axes, 1, 1),
    pads: listFor(t, 'pads', axes, 0, 0, 2),
    autoPad,
    ceil,
  })!;
  if (windows.sizeBound) t.note(`auto_pad ${autoPad} became the padding [${windows.padding}], which holds for this input size`);
  return windows;
}
