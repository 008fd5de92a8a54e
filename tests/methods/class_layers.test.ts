/** Where a network has its class scores. */
import { expect, test } from 'vitest';
import { classLayers } from '../../src/methods/activations.ts';
import type { Network } from '../../src/network/network.ts';

/** Layers one after the other, each called like its op. */
const chain = (...ops: string[]): Network => ({
  name: 'chain',
  inputs: [{ name: 'x', shape: [1, 4, 1, 1] }],
  outputs: [ops.at(-1)!],
  nodes: ops.map((op, index) => ({ name: op, output: op, op, inputs: [ops[index - 1] ?? 'x'], attributes: {}, weights: {} })),
});

test.each([
  [['conv2d'], { logits: 'conv2d' }],
  [['conv2d', 'softmax'], { logits: 'conv2d', softmax: 'softmax' }],
  [['conv2d', 'log_softmax'], { logits: 'conv2d' }],
  [['conv2d', 'softmax', 'reshape'], { logits: 'conv2d', softmax: 'softmax' }],
  [['conv2d', 'softmax', 'identity', 'flatten'], { logits: 'conv2d', softmax: 'softmax' }],
  [['conv2d', 'flatten'], { logits: 'flatten' }],
  [['flatten'], { logits: 'flatten' }],
])('of %j', (ops, expected) => expect(classLayers(chain(...ops))).toEqual(expected));
