/** Training against a float64 twin of the same steps; what can be stopped goes on to the same bits; what breaks is told. */
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../src/methods/evaluate.ts';
import { Trainer, type TrainerOptions } from '../../src/methods/trainer.ts';
import type { Network, Node, Tensor } from '../../src/network/network.ts';
import { shapesOf } from '../../src/ops/check.ts';
import { useEngine } from '../gpu.ts';
import { numbers, random } from '../ops/reference.ts';
import { adamTwin, sgdTwin, TrainingTwin } from './training_twin.ts';

const BATCH = 6;
const CLASSES = 4;

const scaled = (tensor: Tensor, by: number): Tensor => ({ ...tensor, data: tensor.data.map((value) => value * by) });

/** conv - ReLU - pool - strided grouped conv - ReLU - dense - ReLU - dense. */
function smallNetwork(): Network {
  let seed = 1;
  const layer = (name: string, op: string, from: string, attributes: Node['attributes'] = {}, shape?: readonly number[]): Node => ({
    name,
    output: name,
    op,
    inputs: [from],
    attributes,
    weights: shape
      ? { weight: scaled(random(shape, seed++), 2 / Math.sqrt(shape.slice(1).reduce((a, b) => a * b, 1))), bias: scaled(random([shape[0]!], seed++), 0.1) }
      : {},
  });
  return {
    name: 'small',
    inputs: [{ name: 'x', shape: [1, 3, 9, 8] }],
    outputs: ['fc2'],
    nodes: [
      layer('conv1', 'conv2d', 'x', { padding: [1, 1, 1, 1] }, [6, 3, 3, 3]),
      layer('relu1', 'relu', 'conv1'),
      layer('pool1', 'max_pool', 'relu1', { kernel: [2, 2], stride: [2, 2] }),
      layer('conv2', 'conv2d', 'pool1', { stride: [2, 2], padding: [1, 1, 1, 1], groups: 2 }, [8, 3, 3, 3]),
      layer('relu2', 'relu', 'conv2'),
      layer('fc1', 'dense', 'relu2', {}, [10, 8 * 2 * 2]),
      layer('relu3', 'relu', 'fc1'),
      layer('fc2', 'dense', 'relu3', {}, [CLASSES, 10]),
    ],
  };
}

/** Noise with a bright bar, whose place is the class. */
function batchAt(step: number): { images: Float32Array; labels: Uint32Array } {
  const { integer } = numbers(step);
  const labels = Uint32Array.from({ length: BATCH }, () => integer(0, CLASSES - 1));
  const images = random([BATCH, 3, 9, 8], 1000 + step).data.map((value, i) => 0.7 * value + (i % 8 === 2 * labels[Math.floor(i / 216)]! ? 0.8 : 0));
  return { images, labels };
}

const SGD = { kind: 'sgd', momentum: 0.9 } as const;
const ADAM = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;

describe('training', () => {
  const engine = useEngine();

  const options = (over: Partial<TrainerOptions> = {}): TrainerOptions => ({
    network: smallNetwork(), logits: 'fc2', batch: BATCH, optimizer: SGD, decay: 0.001, smoothing: 0.1, seed: 5, ...over,
  });

  const isWeight = (name: string): number => (name.endsWith('/weight') ? 0.001 : 0);

  it.each([
    { name: 'SGD with momentum', optimizer: SGD, rate: 0.02, twin: sgdTwin(0.02, 0.9, isWeight) },
    { name: 'Adam', optimizer: ADAM, rate: 0.003, twin: adamTwin(0.003, 0.9, 0.999, 1e-8, isWeight) },
  ])('follows 100 steps of $name in float64', async ({ optimizer, rate, twin }) => {
    const trainer = await Trainer.create(engine(), options({ optimizer }));
    const shapes = shapesOf(smallNetwork(), BATCH);
    const model = new TrainingTwin(smallNetwork(), shapes, twin);
    const losses: number[] = [];
    try {
      for (let step = 1; step <= 100; step++) {
        const batch = batchAt(step);
        trainer.step(step, rate, batch);
        const { loss } = await trainer.tally();
        const expected = model.step(step, batch.images, batch.labels, 0.1);
        expect(Math.abs(loss - expected) / expected, `step ${step}: ${loss} against ${expected}`).toBeLessThan(1e-3);
        losses.push(loss);
      }
    } finally {
      trainer.dispose();
    }
    const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
    expect(mean(losses.slice(-10))).toBeLessThan(0.7 * mean(losses.slice(0, 10)));
  });

  it('follows 40 steps in float64 that learn from images moved against the network', async () => {
    const trainer = await Trainer.create(engine(), options({ perturb: true }));
    const model = new TrainingTwin(smallNetwork(), shapesOf(smallNetwork(), BATCH), sgdTwin(0.02, 0.9, isWeight));
    try {
      for (let step = 1; step <= 40; step++) {
        const batch = batchAt(step);
        const distance = step < 5 ? 0 : 1.5; // of images whose norm is about 7
        trainer.step(step, 0.02, batch, false, distance);
        const { loss, images } = await trainer.tally();
        const expected = model.step(step, batch.images, batch.labels, 0.1, distance);
        expect(images, 'what is tallied is what is learnt').toBe(BATCH);
        expect(Math.abs(loss - expected) / expected, `step ${step}: ${loss} against ${expected}`).toBeLessThan(1e-3);
      }
    } finally {
      trainer.dispose();
    }
  });

  it('goes on from a state to the same bits', async () => {
    const one = await Trainer.create(engine(), options({ optimizer: ADAM }));
    const two = await Trainer.create(engine(), options({ optimizer: ADAM }));
    try {
      for (let step = 1; step <= 6; step++) one.step(step, 0.01, batchAt(step));
      for (let step = 1; step <= 3; step++) two.step(step, 0.01, batchAt(step));
      const half = await two.state();
      two.step(4, 0.5, batchAt(99)); // to be forgotten
      two.restore(half);
      for (let step = 4; step <= 6; step++) two.step(step, 0.01, batchAt(step));
      const [a, b] = [await one.state(), await two.state()];
      expect([...a.keys()]).toEqual([...b.keys()]);
      for (const [name, { data }] of a) expect(new Uint32Array(data.buffer), name).toEqual(new Uint32Array(b.get(name)!.data.buffer));
    } finally {
      one.dispose();
      two.dispose();
    }
  });

  it('hands out the network that it has trained, which scores better', async () => {
    const trainer = await Trainer.create(engine(), options());
    const held = Array.from({ length: 20 }, (_, i) => batchAt(5000 + i));
    try {
      const before = await evaluate(engine(), await trainer.network(), { batch: BATCH, inputs: held });
      for (let step = 1; step <= 150; step++) trainer.step(step, 0.02, batchAt(step));
      const after = await evaluate(engine(), await trainer.network(), { batch: BATCH, inputs: held });
      expect(before.images).toBe(120);
      expect(before.accuracy).toBeLessThan(0.5);
      expect(after.accuracy).toBeGreaterThan(0.8);
      expect(after.confusion.flat().reduce((a, b) => a + b, 0)).toBe(120);
    } finally {
      trainer.dispose();
    }
  });

  it('measures the layers of a step that is watched', async () => {
    const trainer = await Trainer.create(engine(), options());
    try {
      await expect(trainer.watched()).rejects.toThrow(/no step was watched/);
      const before = await trainer.state();
      trainer.step(1, 0.02, batchAt(1), true);
      const after = await trainer.state();
      const watched = await trainer.watched();
      expect(watched.map(({ layer }) => layer)).toEqual(['conv1', 'conv2', 'fc1', 'fc2']);
      for (const { layer, change, weight, nonFinite } of watched) {
        const roles = ['weight', 'bias'].map((role) => `${layer}/${role}`);
        const square = (values: Float32Array): number => values.reduce((sum, value) => sum + value * value, 0);
        const moved = roles.reduce((sum, name) => sum + square(after.get(name)!.data.map((value, i) => value - before.get(name)!.data[i]!)), 0);
        const size = roles.reduce((sum, name) => sum + square(after.get(name)!.data), 0);
        expect(weight / Math.sqrt(size)).toBeCloseTo(1, 4);
        expect(change / Math.sqrt(moved / size)).toBeCloseTo(1, 3);
        expect(nonFinite).toBe(0);
      }
      expect(watched[0]!.units).toBe(6);
      expect(watched[0]!.zeros).toBeGreaterThan(0.1);
      expect(watched[3]!.units).toBeUndefined(); // no ReLU behind the scores
    } finally {
      trainer.dispose();
    }
  });

  it('stops at a number that is none, with the weights before it and the layer where it began', async () => {
    const trainer = await Trainer.create(engine(), options());
    try {
      trainer.step(1, 0.02, batchAt(1));
      const good = await trainer.state();
      const spoilt = batchAt(2);
      spoilt.images[7] = Infinity;
      trainer.step(2, 0.02, spoilt);
      trainer.step(3, 0.02, batchAt(3));
      expect((await trainer.tally()).halt).toEqual({ step: 2 });
      for (const [name, { data }] of await trainer.state()) expect(data, name).toEqual(good.get(name)!.data);
      expect(await trainer.where(2, spoilt)).toEqual({ layer: 'conv1', what: 'output' });
      trainer.restore(good);
      trainer.step(3, 0.02, batchAt(3));
      expect((await trainer.tally()).halt).toBeUndefined();
    } finally {
      trainer.dispose();
    }
  });

  it('refuses what it cannot train, and input that does not fit', async () => {
    const network = smallNetwork();
    const prelu: Node = { name: 'act', output: 'act', op: 'prelu', inputs: ['fc2'], attributes: {}, weights: { slope: random([1], 3) } };
    const odd = { ...network, nodes: [...network.nodes, prelu] };
    await expect(Trainer.create(engine(), options({ network: odd, logits: 'act' }))).rejects.toThrow(/'act' \(prelu\) cannot be trained/);
    const trainer = await Trainer.create(engine(), options());
    try {
      expect(() => trainer.step(1, 0.1, { images: new Float32Array(3), labels: new Uint32Array(1) })).toThrow(/images of \[6,3,9,8\] and 6 labels/);
      expect(() => trainer.step(1, 0.1, { seeds: new Uint32Array(6) })).toThrow(/draws no pictures/);
      expect(() => trainer.step(1, 0.1, batchAt(1), false, 1)).toThrow(/moves no images/);
    } finally {
      trainer.dispose();
    }
  });
});
