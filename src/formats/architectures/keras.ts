/** What Keras calls the weights of a layer, and the order in which it keeps the axes of its kernels. */
import type { Naming } from './state_dict.ts';

interface Role {
  /** What PyTorch calls it. */
  readonly name: string;
  /** From H, W, inputs, outputs (of a depthwise convolution: H, W, channels, 1) to outputs, inputs, H, W. */
  readonly order?: readonly number[];
}

const ROLES: ReadonlyMap<string, Role> = new Map([
  ['kernel', { name: 'weight', order: [3, 2, 0, 1] }],
  ['depthwise_kernel', { name: 'weight', order: [2, 3, 0, 1] }],
  ['bias', { name: 'bias' }],
  ['gamma', { name: 'weight' }],
  ['beta', { name: 'bias' }],
  ['moving_mean', { name: 'running_mean' }],
  ['moving_variance', { name: 'running_var' }],
]);

/** `conv1/kernel`, or `conv1/kernel:0` as TensorFlow calls the variable. */
export const KERAS: Naming = {
  of: 'Keras',
  translate(tensor) {
    const [, layer, word] = /^(.+)\/(\w+)(?::0)?$/.exec(tensor) ?? [];
    const role = word === undefined ? undefined : ROLES.get(word);
    return role && { ...role, name: `${layer}.${role.name}` };
  },
};
