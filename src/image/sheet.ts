/** Contact sheets: many small pictures on one. */
import { UnitscopeError } from '../errors.ts';
import type { Tensor } from '../network/network.ts';
import type { ColorMapName } from './colormap.ts';
import { mapPlane, planeRange } from './colormap.ts';
import type { Color, Image } from './image.ts';
import { checkImage, createImage, enlarge } from './image.ts';

export interface SheetOptions {
  /** As many as make the sheet about square, unless told. */
  columns?: number;
  /** Pixels between the pictures and around them. */
  gap?: number;
  background?: Color;
}

export interface MapGridOptions extends SheetOptions {
  /** Which image of the batch. */
  index?: number;
  map?: ColorMapName;
  /** `each`: every map at its own full contrast. `shared`: one range for all, so that maps compare. */
  contrast?: 'each' | 'shared';
  /** Every value becomes `zoom` x `zoom` pixels. */
  zoom?: number;
}

/** The pictures in reading order, in cells of the largest width and height, each centred in its cell. */
export function sheet(images: readonly Image[], options: SheetOptions = {}): Image {
  if (images.length === 0) throw new UnitscopeError('usage', 'a sheet needs at least one picture');
  images.forEach(checkImage);
  const { gap = 2, background = [16, 16, 20], columns = Math.ceil(Math.sqrt(images.length)) } = options;
  if (!Number.isInteger(columns) || columns < 1) throw wrongOption('columns', 'a whole number from 1 on', columns);
  if (!Number.isInteger(gap) || gap < 0) throw wrongOption('gap', 'a whole number of pixels', gap);

  const cellWidth = images.reduce((most, image) => Math.max(most, image.width), 0);
  const cellHeight = images.reduce((most, image) => Math.max(most, image.height), 0);
  const across = Math.min(columns, images.length);
  const down = Math.ceil(images.length / across);
  const result = createImage(gap + across * (cellWidth + gap), gap + down * (cellHeight + gap), background);
  images.forEach((image, i) => {
    const left = gap + (i % across) * (cellWidth + gap) + Math.floor((cellWidth - image.width) / 2);
    const top = gap + Math.floor(i / across) * (cellHeight + gap) + Math.floor((cellHeight - image.height) / 2);
    for (let y = 0; y < image.height; y++) {
      const row = image.data.subarray(y * image.width * 4, (y + 1) * image.width * 4);
      result.data.set(row, ((top + y) * result.width + left) * 4);
    }
  });
  return result;
}

/** The channels of activations [N, C, H, W] (or [N, C]: one value each) as maps on a sheet. */
export function gridOfMaps(tensor: Tensor, options: MapGridOptions = {}): Image {
  const [batch, channels, height, width] = tensor.shape.length === 2 ? [...tensor.shape, 1, 1] : tensor.shape;
  if (!batch || !channels || !height || !width || tensor.shape.length > 4) {
    throw new UnitscopeError('usage', `maps are drawn from [N, C, H, W] or [N, C], not from [${tensor.shape.join(', ')}]`);
  }
  const { index = 0, map = 'ember', contrast = 'each', zoom = 1 } = options;
  if (!Number.isInteger(index) || index < 0 || index >= batch) {
    throw wrongOption('index', `a whole number below the batch of ${batch}`, index);
  }
  const size = height * width;
  const all = tensor.data.subarray(index * channels * size, (index + 1) * channels * size);
  const shared = contrast === 'shared' ? planeRange(all, map) : undefined;
  const maps = Array.from({ length: channels }, (_, c) => {
    const plane = all.subarray(c * size, (c + 1) * size);
    return enlarge(mapPlane(plane, width, height, map, shared), zoom);
  });
  return sheet(maps, options);
}

function wrongOption(name: string, wanted: string, got: unknown): UnitscopeError {
  return new UnitscopeError('usage', `${name} must be ${wanted}, got ${String(got)}`, { attribute: name });
}
