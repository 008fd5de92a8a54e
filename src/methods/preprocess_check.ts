/** Which preprocessing is right? The one under which the network sees what a person sees. */
import { throwIfAborted, UnitscopeError } from '../errors.ts';
import type { Engine } from '../gpu/engine.ts';
import type { Image } from '../image/image.ts';
import { preprocess, stackImages } from '../image/preprocess.ts';
import type { Candidate } from '../image/preprocess_candidates.ts';
import type { Network, Tensor } from '../network/network.ts';
import { classLayers, feed, rank, type Classification } from './activations.ts';
import { compile } from '../scheduler/compile.ts';
import { Runner } from '../scheduler/runner.ts';
import { momentDistance, trainedMoments } from './trained_moments.ts';

/** A picture and the index of the class that a person sees in it. */
export interface Shown {
  readonly image: Image;
  readonly expected: number;
}

/** What the network says of one picture. */
export interface Seen {
  readonly top: Classification;
  /** Of the expected class; rank 1 is the best. */
  readonly expected: Classification & { readonly rank: number };
  /** Standard deviations by which the score of the expected class stands above the mean of all classes. */
  readonly score: number;
}

export interface Trial extends Candidate {
  /** The mean over the pictures. Networks answer larger inputs with more certainty, not with more truth: this does not grow with them. */
  readonly score: number;
  /** In the order of the pictures. */
  readonly seen: readonly Seen[];
  /** How unlike the training pictures they look at the first batch normalization; absent where the network has none. */
  readonly unlike?: number;
}

export interface TrialOptions {
  readonly progress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** Ways whose scores are no further apart than this share are equally good: chance decides between them. */
export const CLOSE = 0.05;

/**
 * Shows the network the pictures in every way; the best way comes first. Among those that are as good as the best, the ones
 * come first under which the pictures look like those of the training, where a batch normalization remembers them. Else what
 * is stated comes before what whole families of networks were trained with, and that before what hardly anybody uses.
 */
export async function tryPreprocessings(
  engine: Engine,
  network: Network,
  pictures: readonly Shown[],
  candidates: readonly Candidate[],
  { progress, signal }: TrialOptions = {},
): Promise<Trial[]> {
  if (pictures.length === 0) throw new UnitscopeError('usage', 'there is no picture to try');
  const { name: input, shape } = network.inputs[0]!;
  const { logits } = classLayers(network);
  const moments = trainedMoments(network);
  const layers = [logits, ...(moments && moments.tensor !== input ? [moments.tensor] : [])];
  const plan = compile(network, { layers, batch: pictures.length, capabilities: engine.capabilities });
  const runner = await Runner.create(engine, plan);
  const trials: Trial[] = [];
  try {
    for (const [done, candidate] of candidates.entries()) {
      throwIfAborted(signal);
      progress?.(done, candidates.length);
      const x = stackImages(pictures.map(({ image }) => preprocess(image, candidate.preprocess, shape)));
      feed(runner, network, x);
      runner.run(['forward']);
      const seen = rows(await runner.read(logits)).map((row, n) => judge(rank(network, row, Infinity), pictures[n]!.expected));
      const score = seen.reduce((sum, each) => sum + each.score, 0) / seen.length;
      const unlike = moments && momentDistance(moments, moments.tensor === input ? x : await runner.read(moments.tensor));
      trials.push({ ...candidate, score, seen, ...(unlike !== undefined && { unlike }) });
    }
  } finally {
    runner.dispose();
  }
  progress?.(candidates.length, candidates.length);
  return sortTrials(trials);
}

function rows({ shape, data }: Tensor): Float32Array[] {
  const classes = data.length / shape[0]!;
  return Array.from({ length: shape[0]! }, (_, n) => data.subarray(n * classes, (n + 1) * classes));
}

/** The classes of one picture by falling score, against the one that is expected. */
function judge(classes: readonly Classification[], expected: number): Seen {
  const rank = classes.findIndex(({ index }) => index === expected);
  if (rank < 0) throw new UnitscopeError('usage', `there is no class ${expected}, the network has 0..${classes.length - 1}`);
  const mean = classes.reduce((sum, { logit }) => sum + logit, 0) / classes.length;
  const spread = Math.sqrt(classes.reduce((sum, { logit }) => sum + (logit - mean) ** 2, 0) / classes.length);
  const score = (classes[rank]!.logit - mean) / spread;
  return { top: classes[0]!, expected: { ...classes[rank]!, rank: rank + 1 }, score: Number.isFinite(score) ? score : 0 };
}

function sortTrials(trials: readonly Trial[]): Trial[] {
  const best = Math.max(...trials.map(({ score }) => score));
  const isClose = ({ score }: Trial) => best > 0 && score >= best * (1 - CLOSE);
  const trust = ({ stated, preset }: Trial) => (stated ? 2 : preset !== undefined ? 1 : 0);
  const certainty = ({ seen }: Trial) => seen.reduce((sum, { expected }) => sum + expected.probability, 0);
  return [...trials].sort((a, b) => {
    if (isClose(a) !== isClose(b)) return Number(isClose(b)) - Number(isClose(a));
    const order = isClose(a) ? (a.unlike ?? 0) - (b.unlike ?? 0) || trust(b) - trust(a) : 0;
    return order || b.score - a.score || certainty(b) - certainty(a);
  });
}
