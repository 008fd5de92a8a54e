/** Finding layers and the sub-graph that a target needs. */
import { describe, expect, it } from 'vitest';
import { UnitscopeError } from '../../src/errors.ts';
import { ancestors, consumers, findNode, producers } from '../../src/network/lookup.ts';
import { nearestNames, quote } from '../../src/network/spelling.ts';
import { diamond, layer, networkOf } from './graphs.ts';

describe('lookup', () => {
  const network = diamond();

  it('finds a layer by its name and by its output', () => {
    expect(findNode(network, 'conv')).toBe(network.nodes[0]);
    expect(findNode(network, 'conv_out')).toBe(network.nodes[0]);
  });

  it('prefers the layer name where another layer makes a tensor of that name', () => {
    const crossed = networkOf([layer('a', ['x'], { output: 'b' }), layer('b', ['b'], { output: 'a' })]);
    expect(findNode(crossed, 'b').inputs).toEqual(['b']);
  });

  it('says what an unknown layer may have meant', () => {
    try {
      findNode(network, 'rihgt');
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(UnitscopeError);
      expect(error).toMatchObject({ code: 'unknown-layer', address: { layer: 'rihgt' } });
      expect((error as UnitscopeError).hint).toContain("'right'");
    }
  });

  it('lists who reads and who makes a tensor', () => {
    expect(consumers(network).get('conv_out')!.map((node) => node.name)).toEqual(['left', 'right']);
    expect(consumers(network).has('sum')).toBe(false);
    expect(producers(network).get('conv_out')!.name).toBe('conv');
  });

  it('keeps only the layers that the targets need, in order', () => {
    const names = (targets: string[]) => ancestors(network, targets).map((node) => node.name);
    expect(names(['left'])).toEqual(['conv', 'left']);
    expect(names(['conv_out'])).toEqual(['conv']);
    expect(names(['right', 'left'])).toEqual(['conv', 'left', 'right']);
    expect(names(['sum'])).toEqual(['conv', 'left', 'right', 'sum']);
  });
});

describe('spelling', () => {
  it('escapes control and direction marks and cuts long names', () => {
    expect(quote('a\u0000b\u202e')).toBe("'a\\u0000b\\u202e'");
    expect(quote('n'.repeat(10_000)).length).toBeLessThan(100);
  });

  it('orders candidates by distance', () => {
    expect(nearestNames('stirde', ['padding', 'stride', 'strides'])[0]).toBe('stride');
    expect(nearestNames('zzzzzz', ['padding', 'stride'])).toEqual([]);
  });
});
