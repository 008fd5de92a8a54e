/** The plan of an atlas: every unit once, whoever makes it. */
import { expect, test } from 'vitest';
import { atlasBatches, atlasLayers, shardOf, unitLayers } from '../../src/methods/atlas.ts';
import { random } from '../ops/reference.ts';
import { convolution, network, node } from '../scheduler/networks.ts';

const net = network({ x: [1, 3, 9, 6] }, [
  convolution('a', 'x', [5, 3, 3], 1),
  node('relu', 'relu', ['a.y']),
  convolution('b', 'relu.y', [7, 5, 3], 2),
  node('pool', 'global_average_pool', ['b.y']),
  node('fc', 'dense', ['pool.y'], {}, { weight: random([4, 7], 3) }),
]);

test('layers in the order of the network, every channel at the centre', () => {
  expect(unitLayers(net)).toEqual(['a', 'b', 'fc']);
  const layers = atlasLayers(net, ['fc', 'relu.y', 'fc.y']);
  expect(layers.map(({ name, shape }) => [name, shape])).toEqual([['relu', [5, 9, 6]], ['fc', [4, 1, 1]]]);
  expect(layers[0]!.units).toEqual([0, 1, 2, 3, 4].map((channel) => ({ layer: 'relu', channel, y: 4, x: 3 })));
  expect(() => atlasLayers(net, ['fc', 'nowhere'])).toThrow(expect.objectContaining({ code: 'unknown-layer' }));
  expect(() => atlasLayers(net, [])).toThrow(expect.objectContaining({ code: 'usage' }));
});

test.each([1, 2, 3, 7])('the parts of %d machines are the whole, each unit once and in the same batch', (count) => {
  const whole = atlasBatches(atlasLayers(net, unitLayers(net)), 3);
  expect(whole.map((units) => `${units[0]!.layer} ${units.map(({ channel }) => channel).join()}`)).toEqual(['a 0,1,2', 'a 3,4', 'b 0,1,2', 'b 3,4,5', 'b 6', 'fc 0,1,2', 'fc 3']);
  const parts = Array.from({ length: count }, (_, i) => shardOf(whole, { index: i + 1, count }));
  expect(parts.flat()).toHaveLength(whole.length);
  expect(new Set(parts.flat())).toEqual(new Set(whole));
  expect(Math.max(...parts.map(({ length }) => length)) - Math.min(...parts.map(({ length }) => length))).toBeLessThanOrEqual(1);
});
