/** The classes of the procedural world, in the order of their numbers. */
import { flower } from './flower.wgsl.ts';
import type { ScenePainter } from './scene.wgsl.ts';

export const PAINTERS: readonly ScenePainter[] = [flower];
