/** Records affine maps of a batch of images, one for each, whose numbers come from the processor; and their gradient. */
import { transform, transformBackward, transformBackwardGrid, transformGrid, type TransformParameters } from '../../shaders/transform.wgsl.ts';
import { UnitscopeError } from '../errors.ts';
import type { Recorder, TensorRef } from '../ops/op.ts';
import { elements } from '../ops/shape.ts';

export interface TransformTensors {
  /** [N, C, H, W] f32. */
  readonly image: TensorRef;
  /** [N, 6] f32: pixel (ox, oy) of the result lies at x = m0 ox + m1 oy + m2, y = m3 ox + m4 oy + m5 of the image, in pixels. */
  readonly matrix: TensorRef;
  /** [N, C, OH, OW] f32. */
  readonly y: TensorRef;
}

export interface TransformGradients {
  readonly dy: TensorRef;
  readonly matrix: TensorRef;
  /** Written over. */
  readonly dimage: TensorRef;
}

/**
 * y = image under the map, bilinear between pixels. @param outside what lies around the image: grey
 * @throws usage where the shapes do not fit
 */
export function recordTransform(recorder: Recorder, { image, matrix, y }: TransformTensors, { outside = 0.5 }: { readonly outside?: number } = {}): void {
  const p = parametersOf(image, matrix, y);
  recorder.dispatch({
    kernel: 'transform',
    code: transform({ ...p, outside }),
    tensors: { x: image, matrix, y },
    grid: transformGrid(p),
    flops: 9 * elements(y.shape) + 22 * p.batch * p.outHeight * p.outWidth,
  });
}

/** dimage = the adjoint at dy. The smaller a map makes the image, the fewer results a pixel gathers from; folded maps cost the square of the pixels. */
export function recordTransformBackward(recorder: Recorder, { dy, matrix, dimage }: TransformGradients): void {
  const p = parametersOf(dimage, matrix, dy);
  recorder.dispatch({
    kernel: 'transform',
    code: transformBackward(p),
    tensors: { dy, matrix, dx: dimage },
    grid: transformBackwardGrid(p),
    flops: 8 * elements(dy.shape) + 9 * 14 * p.batch * p.inHeight * p.inWidth,
  });
}

function parametersOf(image: TensorRef, matrix: TensorRef, y: TensorRef): TransformParameters {
  const [batch, channels, inHeight, inWidth] = image.shape as [number, number, number, number];
  const [results, planes, outHeight, outWidth] = y.shape as [number, number, number, number];
  if (image.shape.length !== 4 || y.shape.length !== 4 || results !== batch || planes !== channels || `${matrix.shape}` !== `${[batch, 6]}`) {
    throw new UnitscopeError('usage', `matrices [${matrix.shape}] do not make [${y.shape}] of images [${image.shape}]`, {}, 'one row of six for each image, and as many channels on both sides');
  }
  return { batch, channels, inHeight, inWidth, outHeight, outWidth };
}
