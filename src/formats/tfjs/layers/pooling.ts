/** MaxPooling2D, AveragePooling2D (an average is over what lies inside the picture), and both over the whole picture. */
import type { LayerTranslation, Mapping } from '../translation.ts';
import type { Value } from '../value.ts';
import { windowsOf } from '../windows.ts';

function pool(t: LayerTranslation, op: 'max_pool' | 'average_pool'): Value {
  const x = t.image();
  const kernel = t.config.pair('pool_size', 1, [2, 2]);
  const stride = t.config.pair('strides', 1, kernel);
  const padding = t.config.wordOr('padding', ['valid', 'same'], 'valid');
  const [rows, columns] = [x.height, x.width].map((size, i) => windowsOf(size, kernel[i]!, stride[i]!, 1, padding));
  const pads = [rows!.before, columns!.before, rows!.after, columns!.after];
  const name = t.emit({ op, inputs: [x.name], attributes: { kernel, stride, padding: pads } });
  return t.picture(name, x, [x.batch, x.channels, rows!.count, columns!.count]);
}

export const maxPooling2d: Mapping = (t) => pool(t, 'max_pool');
export const averagePooling2d: Mapping = (t) => pool(t, 'average_pool');

function poolWhole(t: LayerTranslation, op: 'global_average_pool' | 'global_max_pool'): Value {
  const x = t.image();
  const name = t.emit({ op, inputs: [x.name] });
  if (t.config.flag('keepdims', false)) return t.picture(name, x, [x.batch, x.channels, 1, 1]);
  const rows = t.emit({ op: 'flatten', inputs: [name], attributes: { axis: 1 } });
  return { name: rows, shape: [x.batch, x.channels], order: [0, 1], guessed: x.guessed };
}

export const globalAveragePooling2d: Mapping = (t) => poolWhole(t, 'global_average_pool');
export const globalMaxPooling2d: Mapping = (t) => poolWhole(t, 'global_max_pool');
