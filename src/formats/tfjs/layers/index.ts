/** THE list of Keras' layer types that become layers. */
import type { Mapping } from '../translation.ts';
import { activation, elu, leakyRelu, prelu, relu, softmax } from './activation.ts';
import { conv2d, conv2dTranspose, depthwiseConv2d, separableConv2d } from './convolution.ts';
import { dense } from './dense.ts';
import { cropping2d, flatten, idle, permute, reshape, resizing, upSampling2d, zeroPadding2d } from './layout.ts';
import { add, average, concatenate, divide, maximum, minimum, multiply, subtract } from './merge.ts';
import { batchNormalization, layerNormalization, normalization, rescaling } from './normalization.ts';
import { operation } from './operation.ts';
import { averagePooling2d, globalAveragePooling2d, globalMaxPooling2d, maxPooling2d } from './pooling.ts';

/** They change something only while a network is trained. */
export const IDLE: readonly string[] = [
  'ActivityRegularization', 'AlphaDropout', 'Dropout', 'GaussianDropout', 'GaussianNoise', 'Identity', 'SpatialDropout2D',
  'RandomBrightness', 'RandomContrast', 'RandomFlip', 'RandomHeight', 'RandomRotation', 'RandomTranslation', 'RandomWidth', 'RandomZoom',
];

export const mappings: ReadonlyMap<string, Mapping> = new Map<string, Mapping>([
  ['Activation', activation],
  ['Add', add],
  ['Average', average],
  ['AveragePooling2D', averagePooling2d],
  ['BatchNormalization', batchNormalization],
  ['Concatenate', concatenate],
  ['Conv2D', conv2d],
  ['Conv2DTranspose', conv2dTranspose],
  ['Cropping2D', cropping2d],
  ['Dense', dense],
  ['DepthwiseConv2D', depthwiseConv2d],
  ['Divide', divide],
  ['ELU', elu],
  ['Flatten', flatten],
  ['GlobalAveragePooling2D', globalAveragePooling2d],
  ['GlobalMaxPooling2D', globalMaxPooling2d],
  ['LayerNormalization', layerNormalization],
  ['LeakyReLU', leakyRelu],
  ['MaxPooling2D', maxPooling2d],
  ['Maximum', maximum],
  ['Minimum', minimum],
  ['Multiply', multiply],
  ['Normalization', normalization],
  ['PReLU', prelu],
  ['Permute', permute],
  ['ReLU', relu],
  ['Rescaling', rescaling],
  ['Reshape', reshape],
  ['Resizing', resizing],
  ['SeparableConv2D', separableConv2d],
  ['Softmax', softmax],
  ['Subtract', subtract],
  ['TFOpLambda', operation],
  ['TrueDivide', divide],
  ['UpSampling2D', upSampling2d],
  ['ZeroPadding2D', zeroPadding2d],
  ...IDLE.map((type): [string, Mapping] => [type, idle]),
]);
