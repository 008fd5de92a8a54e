/**
 * Fooling pictures: a picture, or noise, climbs the probability of a class without any regularizer, until the network is certain of
 * what no person sees. Source: Nguyen et al. 2015; the step sizes are those of the Deep Visualization Toolbox.
 */
import { throwIfAborted, UnitscopeError } from '../errors.ts';
import { changeSize, type ChangeSize } from '../analysis/change.ts';
import type { Engine } from '../gpu/engine.ts';
import { preprocess as toInput } from '../image/preprocess.ts';
import type { Network, Preprocess, Tensor } from '../network/network.ts';
import { Maximizer, pixelUnits } from './maximize.ts';
import { neededPreprocess, pictureOfLevels, pixelLevels } from './pixel_levels.ts';
import { checkClass, withProbabilities } from './probabilities.ts';
import { ascentSettings, type AscentSettings } from './settings.ts';
import type { Start } from './start_image.ts';

/** The published sets that step sizes were drawn from, and the most that a step is scaled by. */
export const FOOLING = { early: [0.02, 0.03, 0.04], late: [0.02, 0.05, 0.1, 0.2], maxRate: 1e7 } as const;

export interface FoolingOptions {
  readonly class: number;
  /** A start image, or a picture x [1, C, H, W]. */
  readonly start?: Start | Tensor;
  /** Of the start image. */
  readonly seed?: number;
  /** Gain of the probability per step that is aimed at: the least of `early` and `late` times what is missing to 1. */
  readonly early?: number;
  readonly late?: number;
  readonly maxRate?: number;
  /** The probability that is enough. */
  readonly confidence?: number;
  readonly iterations?: number;
  /** Overrides the network's own. */
  readonly preprocess?: Preprocess | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Fooling {
  readonly class: number;
  /** [1, C, H, W], pixel levels: where it began, what was added, and the sum, the best of all iterations. */
  readonly start: Tensor;
  readonly change: Tensor;
  readonly levels: Tensor;
  readonly size: ChangeSize;
  /** Probability of the class: at the start, of the sum, and of the sum in whole levels as a picture file holds it. */
  readonly before: number;
  readonly probability: number;
  readonly stored: number;
  readonly iterations: number;
  /** confident: the probability is enough. no gradient, not finite: it could not go on. */
  readonly status: 'confident' | 'not confident' | 'no gradient' | 'not finite' | 'interrupted';
}

export interface FoolingProgress {
  readonly step: number;
  readonly iterations: number;
  readonly probability: number;
  /** In the last one. */
  readonly result?: Fooling;
}

/** Iterations between two looks: the picture depends on their number alone, not on when numbers come back. */
const STRETCH = 20;

/**
 * Climbs until the probability is enough or the iterations are through. `signal` ends it early, with the result so far.
 * @throws usage, no-gradient, aborted before the first iteration, limit, out-of-memory, device-lost
 */
export async function* fooling(engine: Engine, network: Network, options: FoolingOptions): AsyncGenerator<FoolingProgress, void, undefined> {
  const { start = 'mean_plus_rand', seed = 0, early = FOOLING.early[1], late = FOOLING.late[2], maxRate = FOOLING.maxRate, confidence = 0.99, iterations = 1000, signal } = options;
  if (!(confidence > 0 && confidence < 1)) throw new UnitscopeError('usage', `the confidence must lie between 0 and 1, got ${confidence}`);
  const preprocess = neededPreprocess(network, options.preprocess);
  const { network: whole, layer, classes } = withProbabilities(network);
  checkClass(options.class, classes);
  const settings = ascentSettings({ policy: 'progress01', early, late, maxRate, iterations });
  const unit = { layer, channel: options.class, y: 0, x: 0 };
  const maximizer = await Maximizer.create(engine, whole, { units: [unit], settings, seeds: [seed], start: typeof start === 'string' ? start : 'mean', preprocess });
  try {
    if (typeof start !== 'string') begin(maximizer, start, preprocess);
    throwIfAborted(signal);
    let [step, before, best, last] = [0, 0, 0, 'running'];
    while (step < iterations && last === 'running' && best < confidence && !signal?.aborted) {
      maximizer.set(stretch(settings, step));
      for await (const { step: seen, images } of maximizer.run({ signal })) {
        const { score, status } = images[0]!;
        if (seen === 0) before = score;
        if (score > best) best = score;
        last = status;
        step = seen + 1;
        yield { step, iterations, probability: score };
        if (status !== 'running') break;
      }
    }
    if (step === 0) throwIfAborted(signal);
    const status = best >= confidence ? 'confident' : last === 'noGradient' ? 'no gradient' : last === 'notFinite' ? 'not finite' : step < iterations ? 'interrupted' : 'not confident';
    const made = await outcome(maximizer, preprocess, unit);
    yield { step, iterations, probability: best, result: { class: options.class, ...made, before, probability: best, iterations: step, status } };
  } finally {
    maximizer.dispose();
  }
}

/** The settings until the next look, whose iteration does not move the picture. */
const stretch = (settings: AscentSettings, step: number): AscentSettings => ({ ...settings, iterations: Math.min(settings.iterations, step + STRETCH) });

/** Puts a picture x [1, C, H, W] where the start image is. */
function begin(maximizer: Maximizer, x: Tensor, preprocess: Preprocess): void {
  const { shape } = maximizer.runner.tensor('image');
  if (x.shape.join() !== shape.join()) throw new UnitscopeError('usage', `the picture to start from must be [${shape.join(', ')}], got [${x.shape.join(', ')}]`);
  const { mean } = pixelUnits(preprocess);
  const plane = shape[2]! * shape[3]!;
  const image = pixelLevels(x, preprocess).data.map((level, i) => level - mean[Math.floor(i / plane)]!);
  for (const name of ['image', 'start', 'best', 'majority']) maximizer.runner.write(name, image);
}

async function outcome(maximizer: Maximizer, preprocess: Preprocess, unit: { readonly layer: string; readonly channel: number }): Promise<Pick<Fooling, 'start' | 'change' | 'levels' | 'size' | 'stored'>> {
  const { runner, network } = maximizer;
  const { mean } = pixelUnits(preprocess);
  const best = await maximizer.read('best');
  const { shape } = best;
  const plane = shape[2]! * shape[3]!;
  const pixels = (data: Float32Array): Tensor => ({ shape, data: data.map((value, i) => Math.min(255, Math.max(0, value + mean[Math.floor(i / plane)]!))) });
  const levels = pixels(best.data);
  const start = pixels((await runner.read('start')).data);
  const change = { shape, data: levels.data.map((value, i) => value - start.data[i]!) };
  // What a picture file holds, fed back as any picture: a change of less than half a level is lost in it.
  const input = network.inputs.find(({ name }) => runner.plan.named.has(name))!;
  runner.write(input.name, toInput(pictureOfLevels(levels, preprocess), preprocess, shape).data);
  runner.run(['forward']);
  const stored = (await runner.read(unit.layer)).data[unit.channel]!;
  return { start, change, levels, size: changeSize(change.data), stored };
}
