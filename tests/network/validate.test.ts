/** finishNetwork: what it refuses, and the order it makes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UnitscopeError } from '../../src/errors.ts';
import type { Network, Node } from '../../src/network/network.ts';
import { finishNetwork } from '../../src/network/validate.ts';
import { diamond, layer, networkOf, tensor } from './graphs.ts';

function errorOf(draft: Network, strict = false): UnitscopeError {
  try {
    finishNetwork(draft, { file: 'net', strict });
  } catch (error) {
    if (error instanceof UnitscopeError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('finishNetwork', () => {
  it('keeps a sorted network as it is', () => {
    const draft = diamond();
    expect(finishNetwork(draft)).toEqual(draft);
  });

  it('sorts layers that come in any order', () => {
    const draft = diamond();
    const finished = finishNetwork({ ...draft, nodes: draft.nodes.toReversed() });
    expect(finished.nodes.map((node) => node.name)).toEqual(['conv', 'right', 'left', 'sum']);
  });

  it.each<[string, Node[], RegExp]>([
    ['equal layer names', [layer('a', ['x']), layer('a', ['x'], { output: 'b' })], /two layers are called 'a'/],
    ['equal outputs', [layer('a', ['x'], { output: 't' }), layer('b', ['x'], { output: 't' })], /'t' is made twice/],
    ['an output that is an input', [layer('x', ['x'])], /'x' is made twice/],
    ['a missing tensor', [layer('conv1', ['x']), layer('b', ['conv'])], /layer 'b' reads 'conv', which nothing makes/],
    ['a cycle', [layer('a', ['c']), layer('b', ['a']), layer('c', ['b']), layer('d', ['c'])], /cycle: '(a' -> 'b' -> 'c' -> 'a|b' -> 'c' -> 'a' -> 'b|c' -> 'a' -> 'b' -> 'c)'/],
    ['a layer that reads itself', [layer('a', ['a'])], /cycle: 'a' -> 'a'/],
    ['no name', [layer('', ['x'])], /has no name/],
    ['a weight that is cut', [layer('a', ['x'], { weights: { weight: { ...tensor([2, 3]), shape: [2, 4] } } })], /\[2,4\] = 8 numbers, but 6/],
    ['a weight of size 0', [layer('a', ['x'], { weights: { weight: tensor([0, 3]) } })], /sizes are whole numbers above 0/],
  ])('refuses %s', (_, nodes, message) => {
    const error = errorOf(networkOf(nodes));
    expect(error.code).toBe('model-invalid');
    expect(error.message).toMatch(message);
    expect(error.address.file).toBe('net');
  });

  it('names the nearest tensor and the layer', () => {
    const error = errorOf(networkOf([layer('conv1', ['x']), layer('b', ['cnov1'])]));
    expect(error.address).toMatchObject({ layer: 'b', op: 'identity' });
    expect(error.hint).toContain("'conv1'");
  });

  it('refuses missing outputs, no layers, no inputs and impossible shapes', () => {
    expect(errorOf({ ...diamond(), outputs: ['summ'] }).hint).toContain("'sum'");
    expect(errorOf(networkOf([layer('a', ['x'])], { nodes: [] })).message).toMatch(/no layers/);
    expect(errorOf({ ...diamond(), inputs: [] }).message).toMatch(/no inputs/);
    expect(errorOf({ ...diamond(), inputs: [{ name: 'x', shape: [1, -3, 4, 4] }] }).message).toMatch(/whole numbers/);
  });

  it('counts weights that are not finite, and refuses them on request', () => {
    const weights = { weight: tensor([4], (i) => (i === 1 ? NaN : i === 2 ? -Infinity : i)) };
    const draft = networkOf([layer('a', ['x'], { weights })], { notes: ['first'] });
    expect(finishNetwork(draft).notes).toEqual(['first', "'weight' of layer 'a': 2 of 4 numbers are not finite"]);
    expect(errorOf(draft, true).code).toBe('not-finite');
    expect(errorOf(draft, true).address.layer).toBe('a');
  });

  it('sorts every shuffled directed acyclic graph and finds every cycle that an extra edge makes', () => {
    const graphs = fc.record({
      edges: fc.array(fc.array(fc.nat(), { maxLength: 3 }), { minLength: 2, maxLength: 30 }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(graphs, ({ edges, seed }) => {
        const nodes = edges.map((reads, index) =>
          layer(`n${index}`, index === 0 ? ['x'] : [`n${index - 1}`, ...reads.map((read) => `n${read % index}`)]),
        );
        const shuffled = [...nodes].sort((a, b) => hash(a.name, seed) - hash(b.name, seed));
        const sorted = finishNetwork({ ...networkOf(nodes), nodes: shuffled }).nodes;
        expect(sorted.map((node) => node.name)).toEqual(nodes.map((node) => node.name));
        const looped = shuffled.map((node) => (node.name === 'n0' ? { ...node, inputs: [nodes.at(-1)!.name] } : node));
        expect(errorOf({ ...networkOf(nodes), nodes: looped }).message).toMatch(/cycle/);
      }),
      { numRuns: 100 },
    );
  });
});

function hash(name: string, seed: number): number {
  return Math.abs(Math.sin(Number(name.slice(1)) * 12.9 + seed) * 43758.5) % 1;
}
