/** THE list of ONNX ops that become layers. */
import type { Mapping } from '../translation.ts';
import { add, divide, maximum, mean, minimum, multiply, negate, prelu, reciprocal, subtract, sum } from './binary.ts';
import { constant } from './constants.ts';
import { conv, convTranspose } from './convolution.ts';
import { cast, castLike, clip, curve, dropout, elu, gelu, hardSigmoid, identity, leakyRelu, mish, pow, selu, swish } from './curve.ts';
import { gemm, matMul } from './dense.ts';
import { concat, expand, flatten, reshape, squeeze, tile, unsqueeze } from './layout.ts';
import { batchNormalization, groupNormalization, instanceNormalization, layerNormalization, lrn } from './normalization.ts';
import { averagePool, globalAveragePool, globalMaxPool, lpPool, maxPool } from './pooling.ts';
import { reduceL1, reduceL2, reduceMax, reduceMean, reduceSum, reduceSumSquare } from './reduction.ts';
import { resize, upsample } from './resize.ts';
import { logSoftmax, softmax } from './softmax.ts';
import { depthToSpace, spaceToDepth, transpose } from './transpose.ts';
import { gather, pad, slice, split } from './window.ts';

export const mappings: ReadonlyMap<string, Mapping> = new Map<string, Mapping>([
  ['Abs', curve('abs')],
  ['Add', add],
  ['AveragePool', averagePool],
  ['BatchNormalization', batchNormalization],
  ['Cast', cast],
  ['CastLike', castLike],
  ['Clip', clip],
  ['Concat', concat],
  ['Constant', constant],
  ['Conv', conv],
  ['ConvTranspose', convTranspose],
  ['DepthToSpace', depthToSpace],
  ['Div', divide],
  ['Dropout', dropout],
  ['Elu', elu],
  ['Erf', curve('erf')],
  ['Exp', curve('exp')],
  ['Expand', expand],
  ['Flatten', flatten],
  ['Gather', gather],
  ['Gelu', gelu],
  ['Gemm', gemm],
  ['GlobalAveragePool', globalAveragePool],
  ['GlobalMaxPool', globalMaxPool],
  ['GroupNormalization', groupNormalization],
  ['HardSigmoid', hardSigmoid],
  ['HardSwish', curve('hard_swish')],
  ['Identity', identity],
  ['InstanceNormalization', instanceNormalization],
  ['LayerNormalization', layerNormalization],
  ['LeakyRelu', leakyRelu],
  ['Log', curve('log')],
  ['LogSoftmax', logSoftmax],
  ['LpPool', lpPool],
  ['LRN', lrn],
  ['MatMul', matMul],
  ['Max', maximum],
  ['MaxPool', maxPool],
  ['Mean', mean],
  ['Min', minimum],
  ['Mish', mish],
  ['Mul', multiply],
  ['Neg', negate],
  ['Pad', pad],
  ['Pow', pow],
  ['PRelu', prelu],
  ['Reciprocal', reciprocal],
  ['ReduceL1', reduceL1],
  ['ReduceL2', reduceL2],
  ['ReduceMax', reduceMax],
  ['ReduceMean', reduceMean],
  ['ReduceSum', reduceSum],
  ['ReduceSumSquare', reduceSumSquare],
  ['Relu', curve('relu')],
  ['Reshape', reshape],
  ['Resize', resize],
  ['Selu', selu],
  ['Sigmoid', curve('sigmoid')],
  ['Slice', slice],
  ['Softmax', softmax],
  ['Softplus', curve('softplus')],
  ['Softsign', curve('softsign')],
  ['SpaceToDepth', spaceToDepth],
  ['Split', split],
  ['Sqrt', curve('sqrt')],
  ['Squeeze', squeeze],
  ['Sub', subtract],
  ['Sum', sum],
  ['Swish', swish],
  ['Tanh', curve('tanh')],
  ['Tile', tile],
  ['Transpose', transpose],
  ['Unsqueeze', unsqueeze],
  ['Upsample', upsample],
]);
