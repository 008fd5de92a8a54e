/** The classes of the procedural world, in the order of their numbers. */
import { car } from './car.wgsl.ts';
import { eye } from './eye.wgsl.ts';
import { face } from './face.wgsl.ts';
import { fish } from './fish.wgsl.ts';
import { flower } from './flower.wgsl.ts';
import { house } from './house.wgsl.ts';
import type { ScenePainter } from './scene.wgsl.ts';
import { sun } from './sun.wgsl.ts';
import { tree } from './tree.wgsl.ts';

export const PAINTERS: readonly ScenePainter[] = [flower, fish, eye, face, sun, house, tree, car];
