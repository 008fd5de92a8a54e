/** How a picture becomes the input: what the data layer of a prototxt says, and a mean that lies beside it. */
import type { Preprocess, Shape, Tensor } from '../../network/network.ts';
import type { Fields } from './fields.ts';

export interface CaffePreprocess {
  readonly preprocess?: Preprocess;
  readonly notes: readonly string[];
}

/**
 * Caffe takes pixels of 0..255 in the order blue, green, red: (pixel - mean) scale. Nothing is said where the files say
 * nothing.
 * @param mean the content of a `.binaryproto`, [1, C, H, W]
 */
export function preprocessOf(transforms: readonly Fields[], mean: Tensor | undefined, shape: Shape): CaffePreprocess {
  const transform = transforms.at(-1);
  const channels = ({ 1: 'gray', 3: 'BGR' } as const)[shape[1] ?? 0];
  const values = transform?.numbers('mean_value') ?? [];
  const scale = transform?.number('scale', 1) ?? 1;
  if (!channels || shape.length !== 4 || scale === 0 || (values.length === 0 && !mean && scale === 1)) return { notes: [] };
  const count = shape[1]!;
  if (!transform) {
    // A deploy file has no data layer: nothing says in which order the channels of the mean are.
    const known = mean && channelsOf(mean) === count ? channelMeans(mean).map((value) => Number(value.toFixed(3))) : [];
    const order = channels === 'gray' ? 'gray' : 'BGR';
    return { notes: known.length === 0 ? [] : [`the mean beside it is ${known.join(', ')} by channel, in an order that no file states: give it, e.g. --preprocess 'channels=${order};range=255;mean=${known};std=1'`] };
  }
  const notes: string[] = [];
  let means: number[];
  if (values.length === count) means = values;
  else if (values.length === 1) means = new Array<number>(count).fill(values[0]!);
  else if (mean && channelsOf(mean) === count) {
    means = channelMeans(mean);
    notes.push(`the mean image is reduced to a mean per channel: ${means.map((value) => value.toFixed(2)).join(', ')}`);
  } else if (values.length > 0) return { notes: [`mean_value has ${values.length} numbers for ${count} channels: the preprocessing is not known`] };
  else means = new Array<number>(count).fill(0);
  if (channels === 'BGR') notes.push('channels in the order blue, green, red, as Caffe reads pictures; --preprocess says otherwise where the network was trained otherwise');
  const std = new Array<number>(count).fill(1 / scale);
  return { preprocess: { channels, range: 255, mean: means, std, fit: 'crop' }, notes };
}

const channelsOf = ({ shape }: Tensor): number => (shape.length === 4 ? shape[1]! : shape.length === 3 ? shape[0]! : 0);

function channelMeans(mean: Tensor): number[] {
  const count = channelsOf(mean);
  const plane = mean.data.length / count;
  return Array.from({ length: count }, (_, c) => mean.data.subarray(c * plane, (c + 1) * plane).reduce((sum, value) => sum + value, 0) / plane);
}
