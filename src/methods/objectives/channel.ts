/** Objective: the mean of a channel over its map. */
import { UnitscopeError } from '../../errors.ts';
import type { Network } from '../../network/network.ts';
import { parseUnit } from '../unit.ts';
import type { Objective } from './objective.ts';
import { oneChannel } from './unit.ts';
import type { Wording } from './wording.ts';

/** @param channel `LAYER:CHANNEL`. @throws usage, unknown-layer */
export function channelObjective(network: Network, channel: string): Objective {
  if (/@\d+,\d+$/.test(channel)) throw new UnitscopeError('usage', `'${channel}' names a place, a channel has none`, {}, 'leave out @Y,X, or the word channel');
  const { layer, channel: index } = parseUnit(network, channel);
  return { terms: [{ kind: 'direction', layer, weight: 1, values: oneChannel(network, { layer, channel: index }) }] };
}

export const CHANNEL: Wording = {
  word: 'channel',
  form: 'channel LAYER:CHANNEL',
  meaning: 'the mean of a channel over its map',
  operands: 1,
  read: ({ network, operands }) => channelObjective(network, operands[0]!),
};
