/** The classes of the procedural world, in the order of their numbers. */
import { bricks } from './bricks.wgsl.ts';
import { butterfly } from './butterfly.wgsl.ts';
import { car } from './car.wgsl.ts';
import { checkers } from './checkers.wgsl.ts';
import { dots } from './dots.wgsl.ts';
import { eye } from './eye.wgsl.ts';
import { face } from './face.wgsl.ts';
import { fish } from './fish.wgsl.ts';
import { flower } from './flower.wgsl.ts';
import { house } from './house.wgsl.ts';
import type { ScenePainter } from './scene.wgsl.ts';
import { snail } from './snail.wgsl.ts';
import { spiral } from './spiral.wgsl.ts';
import { stripes } from './stripes.wgsl.ts';
import { sun } from './sun.wgsl.ts';
import { tree } from './tree.wgsl.ts';
import { waves } from './waves.wgsl.ts';

export const PAINTERS: readonly ScenePainter[] = [
  flower, fish, eye, face, sun, house, tree, car, butterfly, snail, bricks, stripes, dots, checkers, spiral, waves,
];
