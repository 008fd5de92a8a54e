/** Logarithm of softmax along one axis. */
import { logSoftmax as kernel, logSoftmaxBackward } from '../../shaders/log_softmax.wgsl.ts';
import { rowwise } from './softmax.ts';

export const logSoftmax = rowwise('log_softmax', kernel, logSoftmaxBackward);
