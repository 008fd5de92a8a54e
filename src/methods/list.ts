/** THE list of methods: one line each. */
import { ATLAS_METHOD } from './atlas.ts';
import { ATTRIBUTE_METHOD } from './attribution.ts';
import { COMPARE_METHOD } from './compare.ts';
import { EMBED_METHOD } from './embed.ts';
import { FOOL_METHOD } from './adversary.ts';
import { INVERT_METHOD } from './invert.ts';
import { MAXIMIZE_METHOD } from './maximize.ts';
import type { Method } from './method.ts';
import { OCCLUSION_METHOD } from './occlusion.ts';
import { SEARCH_METHOD } from './search.ts';
import { STATISTICS_METHOD } from './statistics.ts';
import { SYNTHESIZE_METHOD } from './synthesize.ts';
import { TOP_PATCHES_METHOD } from './top_patches.ts';
import { WEIGHTS_METHOD } from './weights.ts';

export const METHODS: readonly Method[] = [
  ATTRIBUTE_METHOD,
  OCCLUSION_METHOD,
  TOP_PATCHES_METHOD,
  STATISTICS_METHOD,
  WEIGHTS_METHOD,
  EMBED_METHOD,
  MAXIMIZE_METHOD,
  SYNTHESIZE_METHOD,
  SEARCH_METHOD,
  ATLAS_METHOD,
  INVERT_METHOD,
  FOOL_METHOD,
  COMPARE_METHOD,
];
