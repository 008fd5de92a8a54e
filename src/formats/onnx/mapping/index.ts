/** THE list of ONNX ops that become layers or constants. */
import type { Mapping } from '../translation.ts';
import { constant, constantOfShape } from './constants.ts';
import { averagePool, conv, globalAveragePool, maxPool } from './convolution.ts';
import { gemm, matMul } from './dense.ts';
import { add, clip, dropout, identity, relu, sum } from './elementwise.ts';
import { concat, flatten, pad, reshape, slice } from './layout.ts';
import { batchNormalization, lrn, softmax } from './normalization.ts';

export const mappings: ReadonlyMap<string, Mapping> = new Map<string, Mapping>([
  ['Add', add],
  ['AveragePool', averagePool],
  ['BatchNormalization', batchNormalization],
  ['Clip', clip],
  ['Concat', concat],
  ['Constant', constant],
  ['ConstantOfShape', constantOfShape],
  ['Conv', conv],
  ['Dropout', dropout],
  ['Flatten', flatten],
  ['Gemm', gemm],
  ['GlobalAveragePool', globalAveragePool],
  ['Identity', identity],
  ['LRN', lrn],
  ['MatMul', matMul],
  ['MaxPool', maxPool],
  ['Pad', pad],
  ['Relu', relu],
  ['Reshape', reshape],
  ['Slice', slice],
  ['Softmax', softmax],
  ['Sum', sum],
]);
