/** The list of commands: the command line, its help and its tests are made from it. */
import { activations } from './activations.ts';
import { atlas } from './atlas.ts';
import { attribute } from './attribute.ts';
import { bench } from './bench.ts';
import { classify } from './classify.ts';
import type { Command } from './command.ts';
import { compare } from './compare.ts';
import { convert } from './convert.ts';
import { diagnose } from './diagnose.ts';
import { doctor } from './doctor.ts';
import { embed } from './embed.ts';
import { fetch } from './fetch.ts';
import { fool } from './fool.ts';
import { gradient } from './gradient.ts';
import { inspect } from './inspect.ts';
import { kernels } from './kernels.ts';
import { maximize } from './maximize.ts';
import { occlude } from './occlude.ts';
import { plan } from './plan.ts';
import { preprocessCheck } from './preprocess_check.ts';
import { scenes } from './scenes.ts';
import { search } from './search.ts';
import { statistics } from './statistics.ts';
import { top } from './top.ts';
import { train } from './train.ts';
import { weights } from './weights.ts';

export const commands: readonly Command[] = [fetch, inspect, preprocessCheck, convert, plan, classify, activations, gradient, attribute, occlude, top, statistics, weights, embed, maximize, search, atlas, fool, compare, scenes, train, diagnose, kernels, bench, doctor];
