/** How a picture becomes the input: what the data layer of a prototxt says, and a mean that lies beside it. */
import type { Preprocess, Shape, Tensor } from '../../network/network.ts';
import { quote } from '../../network/spelling.ts';
import type { Fields } from './fields.ts';

export interface CaffePreprocess {
  readonly preprocess?: Preprocess;
  /** What is left of a mean image once its mean per channel is taken off, [C, H, W], in units of the input. */
  readonly rest?: Tensor;
  readonly notes: readonly string[];
}

/**
 * Caffe takes pixels of 0..255 in the order blue, green, red: (pixel - mean) scale. Nothing is said where the files say
 * nothing. A mean image, which Caffe subtracts pixel by pixel, comes in two parts: its mean per channel belongs to the
 * preprocessing, and the rest to the network, whose first layer subtracts it. So the numbers are those of Caffe, and the
 * order of the channels, which a deploy file does not state, may still be asked for.
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
  const image = mean && channelsOf(mean) === count ? parts(mean, shape, scale) : undefined;
  const rest = image?.rest && { rest: image.rest };
  if (!transform) {
    // A deploy file has no data layer: nothing says in which order the channels of the mean are.
    if (!image) return { notes: [] };
    const hint = `give it, e.g. --preprocess 'channels=${channels};range=255;mean=${image.means};std=1'`;
    return { ...rest, notes: [`the mean beside it is ${image.means.join(', ')} by channel, in an order that no file states: ${hint}${apart(image)}`] };
  }
  const notes: string[] = [];
  let means: readonly number[];
  if (values.length === count) means = values;
  else if (values.length === 1) means = new Array<number>(count).fill(values[0]!);
  else if (values.length > 0) return { notes: [`mean_value has ${values.length} numbers for ${count} channels: the preprocessing is not known`] };
  else if (image) {
    means = image.means;
    notes.push(`the mean image is ${means.map((value) => value.toFixed(2)).join(', ')} by channel${apart(image)}`);
  } else if (file !== undefined || mean) return { notes: [`a mean image of ${count} channels (${quote(file ?? 'mean_file')}) is not among the files: the preprocessing is not known`] };
  else means = new Array<number>(count).fill(0);
  if (channels === 'BGR') notes.push('channels in the order blue, green, red, as Caffe reads pictures; --preprocess says otherwise where the network was trained otherwise');
  const std = new Array<number>(count).fill(1 / scale);
  return { preprocess: { channels, range: 255, mean: means, std, fit: 'crop' }, ...(values.length === 0 && rest), notes };
}

const apart = ({ distance, rest }: MeanImage): string => {
  if (distance <= NOTHING) return '';
  const far = `which by pixel is up to ${distance.toFixed(1)} of 255 away from that`;
  return rest ? `; the rest, ${far}, is subtracted by the first layer` : `; the rest, ${far}, is left out: the mean image is smaller than the input`;
};

const channelsOf = ({ shape }: Tensor): number => (shape.length === 4 ? shape[1]! : shape.length === 3 ? shape[0]! : 0);

/** Differences that rounding makes, of 255. */
const NOTHING = 0.001;

interface MeanImage {
  readonly means: readonly number[];
  /** The largest difference of a pixel from the mean of its channel. */
  readonly distance: number;
  /** Absent where there is none, or where the image is smaller than the input. */
  readonly rest?: Tensor;
}

/** The two parts of the mean image that a network of this input sees, which is its middle. */
function parts(mean: Tensor, input: Shape, scale: number): MeanImage {
  const [height, width] = mean.shape.slice(-2) as [number, number];
  const middle = (size: number, seen: number): readonly [number, number] => (size > seen ? [Math.floor((size - seen) / 2), seen] : [0, size]);
  const [[top, rows], [left, columns]] = [middle(height, input[2]!), middle(width, input[3]!)];
  const channels = channelsOf(mean);
  const rest = new Float32Array(channels * rows * columns);
  let distance = 0;
  const means = Array.from({ length: channels }, (_, c) => {
    const seen = Float64Array.from({ length: rows * columns }, (_, i) => mean.data[(c * height + top + Math.floor(i / columns)) * width + left + (i % columns)]!);
    // Rounded, so that what a person types from a message is the number that the rest goes with.
    const average = Number((seen.reduce((sum, value) => sum + value, 0) / seen.length).toFixed(3));
    seen.forEach((value, i) => {
      rest[c * rows * columns + i] = (value - average) * scale;
      distance = Math.max(distance, Math.abs(value - average));
    });
    return average;
  });
  const fits = rows === input[2] && columns === input[3];
  return { means, distance, ...(fits && distance > NOTHING && { rest: { shape: [channels, rows, columns], data: rest } }) };
}
