/** The plan of an atlas: every unit of some layers, in batches, and which machine makes which. */
import { UnitscopeError } from '../errors.ts';
import { findNode } from '../network/lookup.ts';
import type { Network } from '../network/network.ts';
import { quoteList } from '../network/spelling.ts';
import { slicesOf, CLIMB_BATCH } from './climb.ts';
import type { Method } from './method.ts';
import { layerShape, mapShape, type Unit } from './unit.ts';

export const ATLAS_METHOD: Method = {
  name: 'atlas',
  summary: 'make the picture of every unit of a layer or of the whole network, and a page that shows them',
  source: 'Yosinski et al. 2015, of every unit',
  takes: 'network',
};

export interface AtlasLayer {
  readonly name: string;
  /** Channels, height, width. */
  readonly shape: readonly [number, number, number];
  /** Every channel, at the centre of the map. */
  readonly units: readonly Unit[];
}

/** The layers that have units of their own, in network order: those with learnt weights that mix channels (convolutions, dense). */
export function unitLayers(network: Network): string[] {
  return network.nodes.filter(({ weights }) => 'weight' in weights).map(({ name }) => name);
}

/** Layers by node or output name, each once, in the order of the network. @throws unknown-layer, usage where none is given */
export function atlasLayers(network: Network, names: readonly string[]): AtlasLayer[] {
  const asked = new Set(names.map((name) => findNode(network, name).name));
  if (asked.size === 0) throw new UnitscopeError('usage', 'no layer is given', {}, `layers: ${quoteList(unitLayers(network))}`);
  return network.nodes
    .filter(({ name }) => asked.has(name))
    .map(({ name }) => {
      const shape = mapShape(layerShape(network, name));
      const [channels, height, width] = shape;
      const place = { layer: name, y: Math.floor(height / 2), x: Math.floor(width / 2) };
      return { name, shape, units: Array.from({ length: channels }, (_, channel) => ({ ...place, channel })) };
    });
}

/** Units that are made together: consecutive ones of one layer. */
export function atlasBatches(layers: readonly AtlasLayer[], size = CLIMB_BATCH): Unit[][] {
  return layers.flatMap(({ units }) => slicesOf(units, size));
}

/**
 * What part `index` of `count` does, counted from 1: every count-th batch. Whole batches, so that a picture does not depend on how the
 * work was shared out; in turns, as layers differ in what they cost.
 */
export function shardOf<T>(batches: readonly T[], { index, count }: { readonly index: number; readonly count: number }): T[] {
  return batches.filter((_, n) => n % count === index - 1);
}
