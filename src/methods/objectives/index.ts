/** The objectives, and the list of those that can be written as text; a new one is one file and one line in each. */
import { CHANNEL } from './channel.ts';
import { DIRECTION } from './direction.ts';
import { DIVERSITY } from './diversity.ts';
import { LAYER } from './layer.ts';
import { UNIT } from './unit.ts';
import type { Wording } from './wording.ts';

export { channelObjective } from './channel.ts';
export { codeObjective } from './code.ts';
export { directionObjective, type DirectionOptions } from './direction.ts';
export { diversityObjective } from './diversity.ts';
export { layerObjective } from './layer.ts';
export type { Objective, Term } from './objective.ts';
export { difference, sumOf, weighted } from './sum.ts';
export { unitObjective } from './unit.ts';

export const WORDINGS: readonly Wording[] = [UNIT, LAYER, CHANNEL, DIRECTION, DIVERSITY];
