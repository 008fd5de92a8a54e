/** How the objectives of a batch share kernels, and what is refused. */
import { expect, test } from 'vitest';
import { EVERYWHERE } from '../../../shaders/objective_places.wgsl.ts';
import { codeObjective, difference, directionObjective, diversityObjective, layerObjective, sumOf, unitObjective, weighted, type Objective } from '../../../src/methods/objectives/index.ts';
import { assemble } from '../../../src/methods/objectives/objective.ts';
import { convolution, network, node } from '../../scheduler/networks.ts';

const net = network({ x: [1, 3, 2, 3] }, [convolution('conv', 'x', [2, 3, 3], 1), node('relu', 'relu', ['conv.y'])]);
const vector = Float32Array.of(3, 4);

test('terms of one kind and layer share a summand, whoever lacks one weighs nothing', () => {
  const objectives: Objective[] = [
    difference(unitObjective(net, 'conv:1@1,2'), weighted(0.5, layerObjective(net, 'relu'))),
    sumOf(unitObjective(net, 'conv:0@0,0'), directionObjective(net, 'conv', vector), directionObjective(net, 'conv', vector, { power: 2 })),
  ];
  const { summands, layers, contents } = assemble(net, objectives);
  expect(summands).toEqual([
    { kind: 'direction', layer: 'conv.y', power: 0 },
    { kind: 'energy', layer: 'relu.y', power: 0 },
    { kind: 'direction', layer: 'conv.y', power: 0 },
    { kind: 'direction', layer: 'conv.y', power: 2 },
  ]);
  expect(layers).toEqual(['conv', 'relu']);
  expect(Object.fromEntries([...contents].map(([name, values]) => [name, [...values]]))).toEqual({
    'weight.0': [1, 1],
    'place.0': [5, 0],
    'v.0': [0, 1, 1, 0],
    'weight.1': [-0.5, 0],
    'weight.2': [0, 1],
    'place.2': [EVERYWHERE, EVERYWHERE],
    'v.2': [0, 0, 3, 4],
    'weight.3': [0, 1],
    'place.3': [EVERYWHERE, EVERYWHERE],
    'v.3': [0, 0, 3, 4],
  });
});

test('a code is taken relative to its length', () => {
  const code = Float32Array.from({ length: 12 }, (_, i) => i);
  const [term] = codeObjective(net, 'conv.y', code).terms;
  expect(term).toMatchObject({ kind: 'distance', layer: 'conv', weight: -1 / 506 });
  expect(() => codeObjective(net, 'conv', new Float32Array(12))).toThrow('0 everywhere');
  expect(() => codeObjective(net, 'conv', code.map(() => NaN))).toThrow('not made of numbers');
});

test.each<[string, Objective[], RegExp]>([
  ['nothing', [{ terms: [] }], /nothing to climb/],
  ['a weight that is no number', [weighted(NaN, layerObjective(net, 'conv'))], /weight of an objective must be a number/],
  ['a code of another size', [codeObjective(net, 'conv', vector)], /'conv' needs 12 values, got 2/],
  ['values that are no numbers', [directionObjective(net, 'conv', Float32Array.of(1, Infinity))], /must be numbers/],
  ['a place outside', [{ terms: [{ kind: 'direction', layer: 'conv', weight: 1, values: vector, place: 6 }] }], /2 x 3 places/],
  ['a negative exponent', [directionObjective(net, 'conv', vector, { power: -1 })], /from 0 to 100/],
  ['diversity of one', [diversityObjective(net, 'conv')], /at least two images/],
])('%s is refused', (_, objectives, message) => {
  expect(() => assemble(net, objectives)).toThrow(message);
});
