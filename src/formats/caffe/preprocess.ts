/** How a picture becomes the input: what the data layer of a prototxt says, and a mean that lies beside it. */
import type { Preprocess, Shape, Tensor } from '../../network/network.ts';
import { quote } from '../../network/spelling.ts';
import type { Fields } from './fields.ts';

export interface CaffePreprocess {
  readonly preprocess?: Preprocess;
  readonly notes: readonly string[];
}

/**
 * Caffe takes pixels of 0..255 in the order blue, green, red: (pixel - mean) scale. Nothing is said where the files say
 * nothing. A mean image, which Caffe subtracts pixel by pixel, becomes its mean per channel: a picture of any size can be
 * prepared then, and a note says how far the two are apart.
 * @param mean the content of a `.binaryproto`, [1, C, H, W]
 */
export function preprocessOf(transforms: readonly Fields[], mean: Tensor | undefined, shape: Shape): CaffePreprocess {
  const transform = transforms.at(-1);
  const channels = ({ 1: 'gray', 3: 'BGR' } as const)[shape[1] ?? 0];
  const values = transform?.numbers('mean_value') ?? [];
  const file = transform?.text('mean_file');
  const scale = transform?.number('scale', 1) ?? 1;
  if (!channels || shape.length !== 4 || scale === 0 || (values.length === 0 && !mean && file === undefined && scale === 1)) return { notes: [] };
  const count = shape[1]!;
  const image = mean && channelsOf(mean) === count ? channelMeans(mean, shape) : undefined;
  if (!transform) {
    // A deploy file has no data layer: nothing says in which order the channels of the mean are.
    if (!image) return { notes: [] };
    const means = image.means.map((value) => Number(value.toFixed(3)));
    const hint = `give it, e.g. --preprocess 'channels=${channels};range=255;mean=${means};std=1'`;
    return { notes: [`the mean beside it is ${means.join(', ')} by channel, in an order that no file states: ${hint}${apart(image.distance)}`] };
  }
  const notes: string[] = [];
  let means: readonly number[];
  if (values.length === count) means = values;
  else if (values.length === 1) means = new Array<number>(count).fill(values[0]!);
  else if (values.length > 0) return { notes: [`mean_value has ${values.length} numbers for ${count} channels: the preprocessing is not known`] };
  else if (image) {
    means = image.means;
    notes.push(`the mean image is reduced to a mean per channel: ${means.map((value) => value.toFixed(2)).join(', ')}${apart(image.distance)}`);
  } else if (file !== undefined || mean) return { notes: [`a mean image of ${count} channels (${quote(file ?? 'mean_file')}) is not among the files: the preprocessing is not known`] };
  else means = new Array<number>(count).fill(0);
  if (channels === 'BGR') notes.push('channels in the order blue, green, red, as Caffe reads pictures; --preprocess says otherwise where the network was trained otherwise');
  const std = new Array<number>(count).fill(1 / scale);
  return { preprocess: { channels, range: 255, mean: means, std, fit: 'crop' }, notes };
}

const apart = (distance: number): string => (distance === 0 ? '' : `; pixel by pixel, as Caffe subtracts it, it differs from that by up to ${distance.toFixed(1)} of 255`);

const channelsOf = ({ shape }: Tensor): number => (shape.length === 4 ? shape[1]! : shape.length === 3 ? shape[0]! : 0);

/**
 * Means of the part of the mean image that a network of this input sees, which is its middle, and the largest difference
 * of a pixel from them.
 */
function channelMeans(mean: Tensor, input: Shape): { readonly means: number[]; readonly distance: number } {
  const [height, width] = mean.shape.slice(-2) as [number, number];
  const middle = (size: number, seen: number): readonly [number, number] => (size > seen ? [Math.floor((size - seen) / 2), seen] : [0, size]);
  const [[top, rows], [left, columns]] = [middle(height, input[2]!), middle(width, input[3]!)];
  let distance = 0;
  const means = Array.from({ length: channelsOf(mean) }, (_, c) => {
    const seen = Array.from({ length: rows * columns }, (_, i) => mean.data[(c * height + top + Math.floor(i / columns)) * width + left + (i % columns)]!);
    const average = seen.reduce((sum, value) => sum + value, 0) / seen.length;
    distance = seen.reduce((most, value) => Math.max(most, Math.abs(value - average)), distance);
    return average;
  });
  return { means, distance };
}
