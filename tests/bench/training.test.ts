import { expect, test } from 'vitest';
import { Chain } from './networks/chain.ts';
import { firstGradient, labelsOf, parametersOf, RATE } from './training.ts';

const chain = new Chain();
chain.convRelu('conv', [2, 1, 1, 1]);
chain.layer('fc', 'dense', {}, [3, 2]);
const network = chain.network('two layers', [1, 1, 1, 1]);

test('labels go round the classes', () => expect([...labelsOf([5, 3])]).toEqual([0, 1, 2, 0, 1]));

test('the first gradient is what a step has changed, in the order of the network', () => {
  const parameters = parametersOf(network);
  expect(parameters.map(({ shape }) => shape)).toEqual([[2, 1, 1, 1], [2], [3, 2], [3]]);
  let next = 1;
  const after = parameters.map(({ data }) => data.map((value) => value - RATE * next++));
  firstGradient(network, after).forEach((value, i) => expect(value).toBeCloseTo(i + 1, 3));
  expect(() => firstGradient(network, [after[2]!, ...after.slice(1)])).toThrow('parameter 0 has 6 numbers instead of 2');
});
