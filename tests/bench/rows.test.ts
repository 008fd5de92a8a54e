import { describe, expect, test } from 'vitest';
import { shapesOf } from '../../src/index.ts';
import { workOf } from './contender.ts';
import { LAYERS } from './layer_rows.ts';
import { SCALING } from './network_rows.ts';
import { Chain } from './networks/chain.ts';
import { chooseRows, ROWS } from './rows.ts';

const NONE = { quick: false, full: false, scaling: false };
const groups = (options: Partial<typeof NONE> & { only?: string }) => new Set(chooseRows({ ...NONE, ...options }).map(({ group }) => group));

describe('the rows', () => {
  test('have titles of their own', () => expect(new Set(ROWS.map(({ title }) => title)).size).toBe(ROWS.length));

  test('are chosen by group', () => {
    expect(groups({})).toEqual(new Set(['quick', 'plain']));
    expect(groups({ quick: true })).toEqual(new Set(['quick']));
    expect(groups({ full: true })).toEqual(new Set(['quick', 'plain', 'full']));
    expect(groups({ scaling: true })).toEqual(new Set(['scaling']));
  });

  test('are found by title in every group', () => {
    expect(chooseRows({ ...NONE, only: '^smoke conv 3x3' })).toHaveLength(2);
    expect(chooseRows({ ...NONE, only: 'caffenet' }).map(({ kind }) => kind)).toEqual(['forward', 'forward + gradient', 'maximize step']);
    expect(chooseRows({ ...NONE, only: 'vgg' })).toHaveLength(3);
    expect(groups({ only: 'squeezenet' })).toEqual(new Set(['plain', 'full', 'scaling']));
    expect(groups({ only: 'conv', quick: true })).toEqual(new Set(['quick']));
    expect(groups({ only: 'forward', scaling: true })).toEqual(new Set(['scaling']));
  });

  test('say what the layers are', () => {
    for (const { title, make } of LAYERS) {
      const network = make(title);
      const [, channels, height] = network.inputs[0]!.shape;
      const [node] = network.nodes;
      if (node!.op === 'conv2d') expect(title).toContain(`${node!.weights.weight!.shape.slice(2).join('x')} `);
      if (height !== undefined) expect(title).toContain(`@${height}`);
      if (node!.op === 'conv2d' && node!.attributes.groups === 1) expect(title).toContain(`${channels}->${node!.weights.weight!.shape[0]} `);
      expect(shapesOf(network).get('layer')!.every((size) => size > 0)).toBe(true);
    }
  });

  test('of training say their batch', () => {
    const rows = chooseRows({ ...NONE, only: 'training' });
    expect(rows.map(({ title }) => title)).toEqual(['small network x16 training step', 'embedded network x16 training step']);
    for (const { title, kind, batch } of rows) expect([kind, title.includes(` x${batch} `)]).toEqual(['training step', true]);
    expect(chooseRows({ ...NONE, only: 'training', quick: true })).toHaveLength(1);
  });

  test('of scaling have batches and sizes around a common point', () => {
    expect(SCALING.points.filter(([batch, size]) => batch > 1 && size !== 224)).toEqual([]);
    expect(SCALING.points).toContainEqual([1, 224]);
  });
});

describe('the work of a row', () => {
  const chain = new Chain();
  chain.conv('conv', [5, 3, 3, 3], { pad: 1 });
  chain.layer('pool', 'global_average_pool');
  chain.layer('fc', 'dense', {}, [10, 5]);
  const network = chain.network('small', [1, 3, 6, 6]);

  test('has the batch, the size and the layer of the row', () => {
    const work = workOf(network, { kind: 'forward + gradient', amplitude: 1, batch: 2, size: 4, layer: 'conv' });
    expect(work.x.shape).toEqual([2, 3, 4, 4]);
    expect(work.dy.shape).toEqual([2, 5, 4, 4]);
    expect(work.network.nodes.map(({ name }) => name)).toEqual(['conv']);
  });

  test('asks every image for the gradient of one score', () => {
    const { dy, layer } = workOf(network, { kind: 'forward + gradient', amplitude: 1, batch: 3 });
    expect(layer).toBe('fc');
    expect([...dy.data].flatMap((value, i) => (value === 0 ? [] : [i]))).toEqual([7, 17, 27]);
  });
});
