import { describe, expect, test } from 'vitest';
import type { Node } from '../../src/network/network.ts';
import { attributesOf, opOf, shapesOf } from '../../src/ops/check.ts';
import { OPS } from '../../src/ops/index.ts';
import { network, node } from '../scheduler/networks.ts';
import { random } from './reference.ts';

const kernel = { weight: random([4, 3, 3, 3], 1) };
const conv = (attributes: Node['attributes'] = {}, weights: Node['weights'] = kernel): Node => node('conv', 'conv2d', ['x'], attributes, weights);
const over = (layer: Node): ReturnType<typeof network> => network({ x: [1, 3, 9, 7] }, [layer]);

test('an op is listed under its own name', () => {
  for (const [name, op] of OPS) expect(op.name).toBe(name);
  expect([...OPS.keys()]).toEqual([...OPS.keys()].sort());
});

test('the shapes of every tensor, for another batch too', () => {
  const net = network({ x: [1, 3, 9, 7] }, [conv({ stride: [2, 2] }), node('flat', 'flatten', ['conv.y'])]);
  expect([...shapesOf(net)]).toEqual([['x', [1, 3, 9, 7]], ['conv.y', [1, 4, 4, 3]], ['flat.y', [1, 48]]]);
  expect(shapesOf(net, 5).get('flat.y')).toEqual([5, 48]);
});

describe('refused by name, before any memory is taken', () => {
  test.each<[string, Node, string, RegExp, object?]>([
    ['an unknown op', node('n', 'lstm', ['x']), 'model-unsupported', /'lstm'/, { layer: 'n', op: 'lstm' }],
    ['an unknown attribute', conv({ strides: [1, 1] }), 'model-unsupported', /strides/, { layer: 'conv', attribute: 'strides' }],
    ['an attribute of another type', conv({ stride: 2 }), 'model-invalid', /2 numbers/, { attribute: 'stride' }],
    ['an attribute of another length', conv({ padding: [1, 1] }), 'model-invalid', /4 numbers/, { attribute: 'padding' }],
    ['an attribute that is not finite', node('n', 'lrn', ['x'], { alpha: NaN }), 'model-invalid', /a number/, { attribute: 'alpha' }],
    ['a missing weight', conv({}, {}), 'model-invalid', /'weight' is missing/],
    ['a weight too many', node('n', 'relu', ['x'], {}, { weight: random([1], 1) }), 'model-invalid', /no weight called/],
    ['an input too many', node('n', 'relu', ['x', 'x']), 'model-invalid', /1 to 1 inputs, got 2/],
    ['an input that nothing makes', node('n', 'relu', ['z']), 'model-invalid', /'z' is made by no layer/],
    ['channels that do not fit', conv({ groups: 2 }), 'model-invalid', /2 group/],
    ['a kernel that does not fit', conv({ dilation: [5, 5] }), 'model-invalid', /does not fit/],
    ['a stride of 0', conv({ stride: [0, 1] }), 'model-invalid', /at least 1/],
    ['a bias of another length', conv({}, { weight: random([4, 3, 3, 3], 1), bias: random([3], 1) }), 'model-invalid', /bias must be \[4\]/],
    ['an output that no GPU holds', node('n', 'pad', ['x'], { before: [0, 0, 40000, 40000], after: [0, 0, 0, 0] }), 'model-invalid', /elements, more than/],
  ])('%s', (_, layer, code, message, address = {}) => {
    const error = { code, message: expect.stringMatching(message) as string, address: expect.objectContaining(address) as object };
    expect(() => shapesOf(over(layer))).toThrow(expect.objectContaining(error));
  });

  test.each([0, -1, 1.5, NaN])('a batch of %s', (batch) => {
    expect(() => shapesOf(over(conv()), batch)).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});

test('attributes that are not given have their defaults', () => {
  const layer = conv({ groups: 1 });
  expect(attributesOf(layer, opOf(layer))).toEqual({ ...OPS.get('conv2d')!.attributes, groups: 1 });
});
