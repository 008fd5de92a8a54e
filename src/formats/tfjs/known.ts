/**
 * Files that list weights and no layers, as old converters wrote them. Where the names of the weights are those of a
 * network that Keras defines, the layers are taken from that definition: MobileNet v1 (Howard et al. 2017).
 */
import type { Preprocess } from '../../network/network.ts';
import { parseJson } from '../json.ts';
import { Section } from '../manifest/section.ts';
import type { Weights } from './weights.ts';

export interface KnownModel {
  readonly model: Section;
  readonly preprocess: Preprocess;
  readonly note: string;
}

/** Blocks of a depthwise and a pointwise convolution, and those that halve the picture. */
const BLOCKS = 13;
const HALVING = [2, 4, 6, 12];
const SIZE = 224; // pixels, where the caller gives no other

type Layer = readonly [type: string, name: string, config?: Record<string, unknown>];

/** Undefined where the weights are of no network that is known. */
export function knownModel(weights: Weights, file: string): KnownModel | undefined {
  const [, , channels, filters] = weights.shapeOf('conv1/kernel') ?? [];
  const hasBlock = (index: number): boolean => [`conv_dw_${index}/depthwise_kernel`, `conv_pw_${index}/kernel`].every((name) => weights.shapeOf(name));
  const blocks = Array.from({ length: BLOCKS }, (_, index) => index + 1);
  if (!channels || !filters || !blocks.every(hasBlock) || hasBlock(BLOCKS + 1)) return undefined;
  const maps = (name: string): number => weights.shapeOf(`${name}/kernel`)?.[3] ?? 0;
  const layers = [
    ['InputLayer', 'input_1', { batch_input_shape: [null, SIZE, SIZE, channels] }],
    ...unit('conv1', 'Conv2D', { filters, kernel_size: [3, 3], strides: [2, 2] }),
    ...blocks.flatMap((index) => [
      ...unit(`conv_dw_${index}`, 'DepthwiseConv2D', { kernel_size: [3, 3], strides: HALVING.includes(index) ? [2, 2] : [1, 1] }),
      ...unit(`conv_pw_${index}`, 'Conv2D', { filters: maps(`conv_pw_${index}`), kernel_size: [1, 1] }),
    ]),
    ...(maps('conv_preds') > 0 ? head(maps(`conv_pw_${BLOCKS}`), maps('conv_preds')) : []),
  ] as readonly Layer[];
  const entries = layers.map(([type, name, config = {}]) => ({ class_name: type, config: { name, ...config } }));
  const text = JSON.stringify({ class_name: 'Sequential', config: { name: `mobilenet_v1_${(filters / 32).toFixed(2)}`, layers: entries } });
  const centre = new Array<number>(channels).fill(127.5);
  return {
    model: new Section(parseJson(text, file), 'the layers of MobileNet', file),
    preprocess: { channels: channels === 3 ? 'RGB' : 'gray', range: 255, mean: centre, std: centre, fit: 'crop' },
    note: 'the file has no layers; its weights have the names of MobileNet v1, so layers and preprocessing are those that Keras defines for it',
  };
}

/** A convolution without bias, its normalization, and ReLU6. */
const unit = (name: string, type: string, config: Record<string, unknown>): Layer[] => [
  [type, name, { ...config, padding: 'same', use_bias: false }],
  ['BatchNormalization', `${name}_bn`, { epsilon: 1e-3 }],
  ['Activation', `${name}_relu`, { activation: 'relu6' }],
];

const head = (channels: number, classes: number): Layer[] => [
  ['GlobalAveragePooling2D', 'global_average_pooling2d_1'],
  ['Reshape', 'reshape_1', { target_shape: [1, 1, channels] }],
  ['Dropout', 'dropout'],
  ['Conv2D', 'conv_preds', { filters: classes, kernel_size: [1, 1], padding: 'same' }],
  ['Reshape', 'reshape_2', { target_shape: [classes] }],
  ['Activation', 'act_softmax', { activation: 'softmax' }],
];
