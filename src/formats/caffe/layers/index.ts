/** THE list of Caffe's layer types that become layers, and those that cannot with the reason. */
import type { Mapping } from '../translation.ts';
import { absVal, bnll, clip, dropout, elu, exp, log, power, prelu, relu, sigmoid, swish, tanh } from './curves.ts';
import { innerProduct } from './dense.ts';
import { concat, crop, flatten, permute, reduction, reshape, shuffleChannel, slice, tile } from './layout.ts';
import { batchNorm, lrn, softmax } from './normalization.ts';
import { axpy, bias, eltwise, scale, split } from './operands.ts';
import { interp, upsample } from './resampling.ts';
import { convolution, deconvolution, depthwise, pooling } from './windows.ts';

export const mappings: ReadonlyMap<string, Mapping> = new Map([
  ['AbsVal', absVal],
  ['BNLL', bnll],
  ['BatchNorm', batchNorm],
  ['Bias', bias],
  ['Clip', clip],
  ['Concat', concat],
  ['Convolution', convolution],
  ['Crop', crop],
  ['Deconvolution', deconvolution],
  ['Dropout', dropout],
  ['ELU', elu],
  ['Eltwise', eltwise],
  ['Exp', exp],
  ['Flatten', flatten],
  ['InnerProduct', innerProduct],
  ['LRN', lrn],
  ['Log', log],
  ['PReLU', prelu],
  ['Pooling', pooling],
  ['Power', power],
  ['ReLU', relu],
  ['Reduction', reduction],
  ['Reshape', reshape],
  ['Scale', scale],
  ['Sigmoid', sigmoid],
  ['Slice', slice],
  ['Softmax', softmax],
  ['Split', split],
  ['Swish', swish],
  ['TanH', tanh],
  ['Tile', tile],
  // Of forks whose networks are widely used.
  ['Axpy', axpy],
  ['ConvolutionDepthwise', depthwise],
  ['DepthwiseConvolution', depthwise],
  ['Interp', interp],
  ['Permute', permute],
  ['ShuffleChannel', shuffleChannel],
  ['Upsample', upsample],
]);

const CUT = 'take it out of the prototxt, and what follows: the layers before it stay as they are';

/** Types that are known and not supported: why, and what helps. */
export const REFUSED: ReadonlyMap<string, string> = new Map([
  ['ArgMax', `the place of a maximum has no gradient; ${CUT}`],
  ['Threshold', `a step has no gradient; ${CUT}`],
  ['MVN', 'normalizing by the statistics of the image itself (MVN) is not supported'],
  ['SPP', 'a pyramid of pools (SPP) is not supported; pooling layers with a Concat say the same'],
  ['Im2col', 'windows as columns (Im2col) are not supported; a Convolution says the same'],
  ['Embed', 'a table of vectors (Embed) reads words, not images'],
  ['BatchReindex', 'choosing images of the batch is not supported'],
  ['Filter', 'choosing images of the batch is not supported'],
  ['LSTM', 'recurrent layers are not supported'],
  ['RNN', 'recurrent layers are not supported'],
  ['Recurrent', 'recurrent layers are not supported'],
  ['Parameter', 'numbers that no layer computes (Parameter) are not supported'],
  ['Python', `a layer that is a program in Python cannot be read from the file; ${CUT}`],
  ['DetectionOutput', `boxes have no gradient; ${CUT}`],
  ['PriorBox', `boxes have no gradient; ${CUT}`],
  ['Proposal', `boxes have no gradient; ${CUT}`],
]);
