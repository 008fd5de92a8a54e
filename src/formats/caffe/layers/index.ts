/** THE list of Caffe's layer types that become layers. */
import type { Mapping } from '../translation.ts';
import { innerProduct } from './dense.ts';
import { bias, dropout, eltwise, power, relu, split } from './elementwise.ts';
import { concat, flatten, reshape } from './layout.ts';
import { batchNorm, lrn, scale, softmax } from './normalization.ts';
import { convolution, pooling } from './windows.ts';

export const mappings: ReadonlyMap<string, Mapping> = new Map([
  ['BatchNorm', batchNorm],
  ['Bias', bias],
  ['Concat', concat],
  ['Convolution', convolution],
  ['Dropout', dropout],
  ['Eltwise', eltwise],
  ['Flatten', flatten],
  ['InnerProduct', innerProduct],
  ['LRN', lrn],
  ['Pooling', pooling],
  ['Power', power],
  ['ReLU', relu],
  ['Reshape', reshape],
  ['Scale', scale],
  ['Softmax', softmax],
  ['Split', split],
]);
