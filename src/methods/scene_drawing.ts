/** Scenes as what a training draws its pictures from: labels, seeds, preprocessing. */
import { batchNorm, batchNormGrid } from '../../shaders/batch_norm.wgsl.ts';
import { UnitscopeError } from '../errors.ts';
import type { Preprocess } from '../network/network.ts';
import { SCENE_CLASSES, recordScenes, TRAINING_SEEDS } from './scenes.ts';
import type { Drawing } from './trainer.ts';

/**
 * Pictures of scenes, as many of each class as a batch allows, the same classes at every step.
 * @param classes numbers of scene classes; label k is the k-th of them
 * @param preprocess RGB; what stands between a picture in 0..1 and the network's input
 * @throws usage
 */
export function sceneDrawing(batch: number, classes: readonly number[], { channels, range, mean, std }: Preprocess): Drawing {
  if (channels !== 'RGB') throw new UnitscopeError('usage', `scenes are RGB pictures, the network asks for ${channels}`);
  if (classes.length > batch) throw new UnitscopeError('usage', `a batch of ${batch} pictures has no room for ${classes.length} classes`);
  const unknown = classes.find((number) => SCENE_CLASSES[number] === undefined);
  if (unknown !== undefined) throw new UnitscopeError('usage', `there is no scene class ${unknown}`, {}, `the classes are 0 to ${SCENE_CLASSES.length - 1}`);
  const labels = Uint32Array.from({ length: batch }, (_, n) => Math.floor((n * classes.length) / batch));
  return {
    labels,
    record(builder, { data, seeds }) {
      const recorder = builder.recorder('draw', 'scenes', 'scene');
      const images = recorder.scratch('pictures', data.shape);
      recordScenes(recorder, { seeds, images }, { classes: Array.from(labels, (label) => classes[label]!) });
      const [count, , height, width] = data.shape as [number, number, number, number];
      const p = { batch: count, channels: 3, plane: height * width };
      recorder.dispatch({
        kernel: 'batch_norm',
        part: 'preprocess',
        code: batchNorm(p),
        tensors: {
          x: images,
          a: recorder.constant('range over std', [3], () => Float32Array.from(std, (value) => range / value)),
          b: recorder.constant('mean over std', [3], () => Float32Array.from(mean, (value, c) => -value / std[c]!)),
          y: data,
        },
        grid: batchNormGrid(p),
        flops: 2 * 3 * count * p.plane,
      });
    },
  };
}

/** A number of 32 bits, of which every bit depends on every bit of x (the finalizer of MurmurHash3). */
function scramble(x: number): number {
  let h = x >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Seeds of the pictures of a training step, a function of the training's seed and the step: all from TRAINING_SEEDS on. */
export function trainingSeeds(batch: number, seed: number, step: number): Uint32Array {
  const base = scramble(scramble(seed) ^ step);
  return Uint32Array.from({ length: batch }, (_, n) => TRAINING_SEEDS + (scramble(base + n) & 0x7fffffff));
}

/** Seeds of the held-out pictures of batch number `index`: counted from `first`, all below TRAINING_SEEDS. */
export function heldOutSeeds(batch: number, index: number, first = 0): Uint32Array {
  return Uint32Array.from({ length: batch }, (_, n) => (first + index * batch + n) % TRAINING_SEEDS);
}
