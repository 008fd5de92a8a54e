/** Trials on the GPU: what is said of each against the answers of its network, computed here. */
import { expect, test } from 'vitest';
import { thumbnail } from '../../src/analysis/picture_scores.ts';
import { rootMeanSquare } from '../../src/analysis/farthest_points.ts';
import { createImage } from '../../src/image/image.ts';
import { climb } from '../../src/methods/climb.ts';
import { compareTrials, search, trialBatches, type TrialFacts, type TrialResult } from '../../src/methods/search.ts';
import { searchTrials, type SearchTrial } from '../../src/methods/search_space.ts';
import { ascentSettings } from '../../src/methods/settings.ts';
import { parseUnit } from '../../src/methods/unit.ts';
import type { Network } from '../../src/network/network.ts';
import { useEngine } from '../gpu.ts';
import { random } from '../ops/reference.ts';
import { node } from '../scheduler/networks.ts';

const engine = useEngine();

/** Three classes: y = W relu(x) of an image of 8 x 8, the third silent. */
function classes(): Network {
  const weight = random([3, 192], 5, -0.1, 0.1);
  weight.data.fill(0, 384);
  return {
    name: 'classes',
    inputs: [{ name: 'x', shape: [1, 3, 8, 8] }],
    outputs: ['prob.y'],
    preprocess: { channels: 'RGB', range: 1, mean: [0.4, 0.5, 0.6], std: [0.2, 0.2, 0.2], fit: 'crop' },
    nodes: [node('relu', 'relu', ['x']), node('fc', 'dense', ['relu.y'], {}, { weight }), node('prob', 'softmax', ['fc.y'])],
  };
}

const trial = (number: number, changes: Parameters<typeof ascentSettings>[0]): SearchTrial => ({ number, settings: ascentSettings({ policy: 'normalized', rate: 2, ...changes }) });

async function results(unit: string, batches: readonly (readonly SearchTrial[])[]): Promise<TrialResult[]> {
  const network = classes();
  const found: TrialResult[] = [];
  for await (const { results: own } of search(engine(), network, { unit: parseUnit(network, unit), seed: 4, batches, preprocess: network.preprocess! })) found.push(...(own ?? []));
  return found;
}

test('batches are of one length, and of like clips as far as possible', () => {
  const trials = searchTrials({ seed: 1, trials: 90 });
  const batches = trialBatches(trials, 8);
  expect(batches.flat().map(({ number }) => number).sort((a, b) => a - b)).toEqual(trials.map(({ number }) => number));
  for (const batch of batches) {
    expect(batch.length).toBeLessThanOrEqual(8);
    expect(new Set(batch.map(({ settings }) => settings.iterations)).size).toBe(1);
  }
  expect(batches.length).toBeLessThanOrEqual(Math.ceil(90 / 8) + 4);
});

test('score, rank and probability are those of the picture that is kept', async () => {
  const batch = [trial(0, { iterations: 12 }), trial(1, { iterations: 12, decay: 0.9 }), trial(2, { iterations: 5 })];
  const [rising, fading, short] = await results('fc:1', [batch]);
  expect([rising, fading, short].map((own) => own!.facts!.status)).toEqual(['done', 'done', 'done']);
  expect([rising!.facts!.iterations, short!.facts!.iterations]).toEqual([12, 5]);
  expect(rising!.facts!.score).toBeGreaterThan(short!.facts!.score!);
  expect(rising!.facts).toMatchObject({ rank: 1, of: 3, step: 11 });
  expect(rising!.facts!.argmax).toBeLessThanOrEqual(11);

  const network = classes();
  const jobs = batch.map(({ settings }) => ({ unit: parseUnit(network, 'fc:1'), seed: 4, settings }));
  for await (const { outcomes } of climb(engine(), network, [jobs], { answers: true })) {
    outcomes?.forEach(({ answers, score }, n) => {
      const { facts } = [rising, fading, short][n]!;
      expect([facts!.score, answers![1]]).toEqual([score, score]);
      const exps = Array.from(answers!, (value) => Math.exp(value));
      expect(facts!.probability).toBeCloseTo(exps[1]! / exps.reduce((a, b) => a + b), 12);
      expect(facts!.rank).toBe(1 + [...answers!].filter((value) => value > answers![1]!).length);
    });
  }
});

test('a softmax has its probabilities, another layer has none; a silent unit has no picture', async () => {
  const [own] = await results('prob:0', [[trial(0, { iterations: 6 })]]);
  expect(own!.facts!.probability).toBe(own!.facts!.score);
  const [relu] = await results('relu:1', [[trial(0, { iterations: 3 })]]);
  expect(relu!.facts).toMatchObject({ probability: null, of: 192 });
  const [silent] = await results('fc:2', [[trial(7, { iterations: 6 })]]);
  expect(silent).toMatchObject({ trial: { number: 7 }, facts: { status: 'no gradient', iterations: 1, rank: null, variation: null } });
  expect(silent!.image).toBeUndefined();
});

test('a stop leaves what is done, and nothing of the batch under way', async () => {
  const stop = new AbortController();
  const network = classes();
  const batches = [[trial(0, { iterations: 4 })], [trial(1, { iterations: 100_000 })], [trial(2, { iterations: 4 })]];
  const found: TrialResult[] = [];
  for await (const { results: own, trials } of search(engine(), network, { unit: parseUnit(network, 'fc:0'), seed: 0, batches, preprocess: network.preprocess!, signal: stop.signal })) {
    found.push(...(own ?? []));
    if (trials[0]!.number === 1) stop.abort();
  }
  expect(found.map(({ facts, image }) => [facts?.status, image !== undefined])).toEqual([['done', true], [undefined, false]]);
});

test('distances are means over the others, and those without a rank are not chosen', () => {
  const facts: TrialFacts = { status: 'done', score: 1, step: 1, argmax: 0, iterations: 2, rank: 1, of: 3, probability: null, variation: 1, sparsity: 0 };
  const trials = [10, 200, 90].map((level, n) => ({ facts: { ...facts, score: n }, image: createImage(20, 12, [level, level, level / 2]) }));
  const [a, b, c] = trials.map(({ image }) => thumbnail(image, 16));
  const { distances, chosen } = compareTrials([...trials, { facts: { ...facts, rank: null }, image: trials[0]!.image }], 4);
  expect(distances[0]).toBeCloseTo((rootMeanSquare(a!, b!) + rootMeanSquare(a!, c!)) / 3, 9);
  expect(chosen).toEqual([2, 1, 0]);
});
