/**
 * Adversarial pictures: the smallest change, in the largest norm, that makes the network see something else. The loop stays on the
 * GPU; every size of the change that is tried is an image of one batch, and a row of four numbers of each comes back per step.
 */
import { throwIfAborted, UnitscopeError } from '../errors.ts';
import { changeSize, type ChangeSize } from '../analysis/change.ts';
import type { Engine } from '../gpu/engine.ts';
import { NumpyRandom } from '../image/numpy_random.ts';
import { preprocess as toInput, stackImages } from '../image/preprocess.ts';
import { findNode } from '../network/lookup.ts';
import type { Network, Preprocess, Tensor } from '../network/network.ts';
import { recordAttackLoss, recordPerturb, recordSignStep, type AttackLoss } from '../scheduler/attack.ts';
import { stage } from '../scheduler/compile.ts';
import { recordBackward } from '../scheduler/passes.ts';
import { Runner } from '../scheduler/runner.ts';
import { rank, type Classification } from './activations.ts';
import { inFlight } from './flights.ts';
import { pixelUnits } from './maximize.ts';
import type { Method } from './method.ts';
import { neededPreprocess, pictureOfLevels, pixelLevels } from './pixel_levels.ts';
import { checkClass, withProbabilities } from './probabilities.ts';

export const FOOL_METHOD: Method = {
  name: 'fool',
  summary: 'change a picture, or noise, until the network takes it for something else',
  source: 'Goodfellow et al. 2015, Madry et al. 2018, Nguyen et al. 2015',
  takes: 'picture',
};

export interface AttackOptions {
  /** Most that any value may change, pixel levels above 0 up to 255; each is tried by itself. */
  readonly epsilons: readonly number[];
  /** The class to reach; without it the way leads away from the class that the network names. */
  readonly target?: number | undefined;
  /** 1 is the fast gradient sign method, more are its iteration, projected after each. */
  readonly steps?: number;
  /** How far a step goes, pixel levels; 2.5 epsilon / steps unless given. */
  readonly step?: number | undefined;
  readonly loss?: AttackLoss;
  /** Start at random in the ball, not at the picture. */
  readonly seed?: number | undefined;
  /** Overrides the network's own. */
  readonly preprocess?: Preprocess | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface AttackedPicture {
  readonly epsilon: number;
  readonly step: number;
  /** [1, C, H, W], pixel levels: what was added, and the sum. */
  readonly change: Tensor;
  readonly levels: Tensor;
  readonly size: ChangeSize;
  /** All classes by falling probability, of the sum, and of the sum in whole levels as a picture file holds it. */
  readonly classes: readonly Classification[];
  readonly stored: readonly Classification[];
  /** The target is reached, or the class left. */
  readonly succeeded: boolean;
  /** After how many steps that was so and stayed so; null where it is not. */
  readonly since: number | null;
}

export interface Attack {
  /** All classes of the picture as it is, by falling probability. */
  readonly before: readonly Classification[];
  /** The class to reach, or to leave. */
  readonly class: number;
  readonly targeted: boolean;
  /** [1, C, H, W], the picture in pixel levels. */
  readonly levels: Tensor;
  /** By rising epsilon. */
  readonly pictures: readonly AttackedPicture[];
}

export interface AttackProgress {
  /** Steps that have been judged, of all of them. */
  readonly step: number;
  readonly steps: number;
  /** Pictures that have their target, or have lost their class, now. */
  readonly succeeded: number;
  /** In the last one. */
  readonly result?: Attack;
}

/** Madry's rule: together the steps reach two and a half times as far as the ball. */
const REACH = 2.5;
const MOST_STEPS = 10_000;

/** The largest float32 that is not above a positive number: a bound that is rounded up is none. */
function below(value: number): number {
  const float = Float32Array.of(value);
  if (float[0]! > value) new Uint32Array(float.buffer)[0]!--;
  return float[0]!;
}

interface Run {
  readonly runner: Runner;
  /** Name of the network's input. */
  readonly input: string;
  readonly logits: string;
  readonly levels: Tensor;
  readonly preprocess: Preprocess;
  readonly epsilons: readonly number[];
}

/**
 * The picture x [1, C, H, W] under an attack with every epsilon.
 * @throws usage, no-gradient, not-finite, aborted, limit, out-of-memory, device-lost
 */
export async function* attack(engine: Engine, network: Network, x: Tensor, options: AttackOptions): AsyncGenerator<AttackProgress, void, undefined> {
  const { target, steps = 10, loss = 'cross-entropy', seed, signal } = options;
  const epsilons = [...new Set(options.epsilons)].sort((a, b) => a - b);
  checkOptions(epsilons, steps, options.step);
  const preprocess = neededPreprocess(network, options.preprocess);
  const { logits, classes } = withProbabilities(network);
  if (classes < 2) throw new UnitscopeError('usage', `'${network.name}' has ${classes} class: there is no other one to see`);
  if (target !== undefined) checkClass(target, classes);
  const levels = pixelLevels(x, preprocess);
  const { runner, input } = await prepare(engine, network, x, { logits, batch: epsilons.length, loss, preprocess });
  try {
    throwIfAborted(signal);
    runner.write('attack/picture', x.data);
    runner.write('attack/levels', levels.data);
    runner.write('attack/change', new Float32Array(epsilons.length * x.data.length));
    runner.run(['present', 'forward']);
    const before = classesOf(network, await runner.read(logits))[0]!;
    if (!before.every(({ logit }) => Number.isFinite(logit))) throw new UnitscopeError('not-finite', 'the class scores of the picture are not finite', {}, 'look for flaws of the weights with `unitscope inspect`');
    const label = target ?? before[0]!.index;
    const sizes = epsilons.map((epsilon) => options.step ?? (REACH * epsilon) / steps);
    if (seed !== undefined) runner.write('attack/change', randomStart(levels, epsilons, seed));
    runner.write('attack/labels', new Uint32Array(epsilons.length).fill(label));
    // Towards the target the loss goes down.
    runner.write('attack/reach', Float32Array.from(epsilons.flatMap((epsilon, n) => [below(epsilon), target === undefined ? sizes[n]! : -sizes[n]!])));
    const since = epsilons.map((): number | null => null);
    const launch = (step: number): Promise<Tensor> => {
      runner.run(step < steps ? ['present', 'forward', 'loss', 'backward', 'step'] : ['present', 'forward', 'loss']);
      return runner.read('attack/rows');
    };
    let step = 0;
    for await (const { data } of inFlight(steps + 1, launch, signal)) {
      if (since.some((_, n) => data[4 * n + 2] !== 0)) throw new UnitscopeError('not-finite', `the class scores are not finite after ${step} steps`);
      const there = since.map((_, n) => (data[4 * n + 1] === 1) === (target !== undefined));
      there.forEach((is, n) => (since[n] = is ? (since[n] ?? step) : null));
      const progress = { step, steps, succeeded: there.filter(Boolean).length };
      if (step++ < steps) yield progress;
      else yield { ...progress, result: { before, class: label, targeted: target !== undefined, levels, pictures: await results({ runner, input, logits, levels, preprocess, epsilons }, network, sizes, since) } };
    }
  } finally {
    runner.dispose();
  }
}

function checkOptions(epsilons: readonly number[], steps: number, step: number | undefined): void {
  if (epsilons.length === 0 || !epsilons.every((epsilon) => epsilon > 0 && epsilon <= 255)) throw new UnitscopeError('usage', `an attack needs changes above 0 and up to 255 pixel levels, got ${epsilons.join(', ') || 'none'}`);
  if (!Number.isInteger(steps) || steps < 1 || steps > MOST_STEPS) throw new UnitscopeError('usage', `steps must be a whole number from 1 to ${MOST_STEPS}, got ${steps}`);
  if (step !== undefined && !(step > 0 && step <= 255)) throw new UnitscopeError('usage', `a step must be above 0 and up to 255 pixel levels, got ${step}`);
}

interface Preparation {
  readonly logits: string;
  readonly batch: number;
  readonly loss: AttackLoss;
  readonly preprocess: Preprocess;
}

async function prepare(engine: Engine, network: Network, x: Tensor, { logits, batch, loss, preprocess }: Preparation): Promise<Pick<Run, 'runner' | 'input'>> {
  const s = stage(network, { batch, layers: [logits], capabilities: engine.capabilities, training: true });
  const inputs = [...s.inputs];
  const [name, input] = inputs[0]!;
  if (inputs.length !== 1 || x.shape.length !== 4 || x.shape.join() !== [1, ...input.shape.slice(1)].join() || x.shape[1] !== preprocess.mean.length) {
    throw new UnitscopeError('usage', `an attack takes one picture [1, ${input.shape.slice(1).join(', ')}] of ${preprocess.mean.length} channels, got [${x.shape.join(', ')}]`);
  }
  const { builder } = s;
  const y = s.layer(logits);
  const picture = builder.persistent('attack/picture', x.shape);
  const levels = builder.persistent('attack/levels', x.shape);
  const change = builder.persistent('attack/change', input.shape);
  const dx = builder.persistent('attack/gradient', input.shape);
  const seed = builder.persistent('attack/seed', y.shape);
  const labels = builder.persistent('attack/labels', [batch], 'u32');
  const reach = builder.persistent('attack/reach', [batch, 2]);
  const rows = builder.persistent('attack/rows', [batch, 4]);
  recordPerturb(builder.recorder('present', 'picture', 'perturb'), { picture, change, x: input }, pixelUnits(preprocess).scale);
  recordAttackLoss(builder.recorder('loss', 'classes', 'loss'), loss, { logits: y, labels, gradient: seed, rows });
  recordBackward(builder, s.recorded, findNode(network, logits).output, seed, new Map([[name, dx]]), 'gradient');
  recordSignStep(builder.recorder('step', 'picture', 'step'), { levels, dx, change, reach });
  return { runner: await Runner.create(engine, builder.build()), input: name };
}

function classesOf(network: Network, { shape, data }: Tensor): Classification[][] {
  const classes = data.length / shape[0]!;
  return Array.from({ length: shape[0]! }, (_, n) => rank(network, data.subarray(n * classes, (n + 1) * classes), classes));
}

/** Changes [N, C, H, W] uniform in each ball, as far as they leave valid pixels. */
function randomStart({ data }: Tensor, epsilons: readonly number[], seed: number): Float32Array {
  const random = new NumpyRandom(seed);
  return Float32Array.from({ length: epsilons.length * data.length }, (_, i) => {
    const bound = below(epsilons[Math.floor(i / data.length)]!);
    const level = data[i % data.length]!;
    return Math.min(Math.max(random.uniform(-bound, bound), -level), 255 - level);
  });
}

async function results(run: Run, network: Network, sizes: readonly number[], since: readonly (number | null)[]): Promise<AttackedPicture[]> {
  const { runner, input, logits, levels, preprocess, epsilons } = run;
  const classes = classesOf(network, await runner.read(logits));
  const { data } = await runner.read('attack/change');
  const changes = epsilons.map((_, n) => ({ shape: levels.shape, data: data.slice(n * levels.data.length, (n + 1) * levels.data.length) }));
  const sums = changes.map((change) => ({ shape: levels.shape, data: change.data.map((value, i) => levels.data[i]! + value) }));
  // What a picture file holds, fed back as any picture.
  runner.write(input, stackImages(sums.map((sum) => toInput(pictureOfLevels(sum, preprocess), preprocess, levels.shape))).data);
  runner.run(['forward']);
  const stored = classesOf(network, await runner.read(logits));
  return epsilons.map((epsilon, n) => ({
    epsilon,
    step: sizes[n]!,
    change: changes[n]!,
    levels: sums[n]!,
    size: changeSize(changes[n]!.data),
    classes: classes[n]!,
    stored: stored[n]!,
    succeeded: since[n] !== null,
    since: since[n]!,
  }));
}
