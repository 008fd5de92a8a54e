/** Layers that move or name elements: Flatten, Reshape, Permute, ZeroPadding2D, Cropping2D, UpSampling2D, Resizing, and those that do nothing. */
import { elementCount } from '../../../network/validate.ts';
import { rowLength, type LayerTranslation, type Mapping } from '../translation.ts';
import { movesNothing, ourShape, permutation, plainOrder, type Value } from '../value.ts';

/** Does nothing at inference; what it is set to is for training. */
export const idle: Mapping = (t) => {
  for (const key of t.config.keys()) t.config.raw(key);
  return t.input();
};

/** Rows. Numbers stay where they are; that they are not in the order of Keras is told to the next layer. */
export const flatten: Mapping = (t) => {
  const format = t.config.wordOr('data_format', ['channels_last', 'channels_first'], 'channels_last');
  const stated = t.input();
  const x = stated.flattened ? t.plain(stated) : stated;
  const rank = x.shape.length;
  const name = t.emit({ op: 'flatten', inputs: [x.name], attributes: { axis: 1 } });
  // With the channels first, Keras moves them to the end before it flattens.
  const axes = format === 'channels_first' && rank > 2 ? [0, ...plainOrder(rank).slice(2), 1] : plainOrder(rank);
  const shape = axes.map((axis) => x.shape[axis]!);
  const order = x.order.map((axis) => axes.indexOf(axis));
  const settled = movesNothing(ourShape({ shape, order }), permutation(order, plainOrder(rank)));
  return { name, shape: [x.shape[0]!, rowLength(x)], order: [0, 1], guessed: x.guessed, ...(!settled && { flattened: { shape, order } }) };
};

export const reshape: Mapping = (t) => {
  const stated = t.config.list('target_shape').map((size) => (size === null ? -1 : size));
  if (!stated.every((size): size is number => typeof size === 'number' && Number.isSafeInteger(size))) throw t.invalid('target_shape must be whole numbers');
  const x = t.plain(t.input());
  const length = rowLength(x);
  const known = elementCount(stated.filter((size) => size >= 0));
  const open = stated.filter((size) => size < 0).length;
  const sizes = stated.map((size) => (size < 0 ? length / known : size));
  if (open > 1 || elementCount(sizes) !== length || !sizes.every((size) => Number.isInteger(size) && size > 0)) throw t.invalid(`[${x.shape.slice(1)}] cannot become [${stated}]`);
  const name = t.emit({ op: 'reshape', inputs: [x.name], attributes: { shape: [0, ...sizes] } });
  const shape = [x.shape[0]!, ...sizes];
  return { name, shape, order: plainOrder(shape.length), guessed: x.guessed };
};

/** Axes get other names; what needs them in a certain order moves them. */
export const permute: Mapping = (t) => {
  const dims = t.config.numbers('dims');
  const stated = t.input();
  const x = stated.flattened ? t.plain(stated) : stated;
  const axes = [0, ...dims];
  if ([...axes].sort((a, b) => a - b).join() !== plainOrder(x.shape.length).join()) throw t.invalid(`dims [${dims}] do not fit the ${x.shape.length - 1} axes of the input`);
  return { ...x, shape: axes.map((axis) => x.shape[axis]!), order: x.order.map((axis) => axes.indexOf(axis)) };
};

/** Numbers for height and width as for all axes of N, C, H, W. */
const overImage = (height: number, width: number): number[] => [0, 0, height, width];

export const zeroPadding2d: Mapping = (t) => {
  const x = t.image();
  const [[top, bottom], [left, right]] = t.config.sides('padding');
  const name = t.emit({ op: 'pad', inputs: [x.name], attributes: { before: overImage(top, left), after: overImage(bottom, right) } });
  return t.picture(name, x, [x.batch, x.channels, x.height + top + bottom, x.width + left + right]);
};

export const cropping2d: Mapping = (t) => {
  const x = t.image();
  const [[top, bottom], [left, right]] = t.config.sides('cropping');
  const [height, width] = [x.height - top - bottom, x.width - left - right];
  if (height < 1 || width < 1) throw t.invalid(`nothing is left of ${x.height} x ${x.width}`);
  const name = t.emit({ op: 'slice', inputs: [x.name], attributes: { start: overImage(top, left), size: overImage(height, width), step: [1, 1, 1, 1] } });
  return t.picture(name, x, [x.batch, x.channels, height, width]);
};

function resized(t: LayerTranslation, x: ReturnType<LayerTranslation['image']>, size: readonly [number, number], mode: 'nearest' | 'bilinear', coordinates: string): Value {
  const attributes = { mode: mode === 'nearest' ? 'nearest' : 'linear', size, coordinates, ...(mode === 'nearest' && { rounding: coordinates === 'asymmetric' ? 'floor' : 'round_prefer_ceil' }) };
  return t.picture(t.emit({ op: 'resize', inputs: [x.name], attributes }), x, [x.batch, x.channels, ...size]);
}

export const upSampling2d: Mapping = (t) => {
  const x = t.image();
  const [height, width] = t.config.pair('size', 1, [2, 2]);
  const mode = t.config.wordOr('interpolation', ['nearest', 'bilinear'], 'nearest');
  // Nearest by whole factors repeats each pixel; between pixels, Keras takes their centres and TensorFlow.js their corners.
  const coordinates = mode === 'nearest' || t.scope.madeByTfjs ? 'asymmetric' : 'half_pixel';
  return resized(t, x, [x.height * height, x.width * width], mode, coordinates);
};

export const resizing: Mapping = (t) => {
  const { config } = t;
  const x = t.image();
  const size: [number, number] = [config.whole('height', 1), config.whole('width', 1)];
  const mode = config.wordOr('interpolation', ['bilinear', 'nearest'], 'bilinear');
  if (config.flag('crop_to_aspect_ratio', false) || config.flag('pad_to_aspect_ratio', false)) throw t.refuse('keeping the aspect ratio is not supported');
  if (config.flag('antialias', false)) throw t.refuse('antialias is not supported');
  for (const key of ['fill_mode', 'fill_value']) config.has(key); // for the padding
  return resized(t, x, size, mode, 'half_pixel');
};

