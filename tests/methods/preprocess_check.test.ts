/** The preprocessing that real networks were recorded with must come first among all. */
import { describe, expect, test } from 'vitest';
import { decodePng, loadNetwork, tryPreprocessings, preprocessCandidates, type Network, type Node, type Preprocess, type Tensor } from '../../src/index.ts';
import { momentDistance, trainedMoments } from '../../src/methods/trained_moments.ts';
import { dataBytes } from '../formats/reference-data.ts';
import { useEngine } from '../gpu.ts';

const engine = useEngine();

const load = (...paths: string[]) => loadNetwork(paths.map((name) => ({ name, bytes: dataBytes(`models/${name}`) })));
const DEEP = 'squeezenet1.0-deepcompression';

/** Class 967 is espresso. */
test.each<[string, string[], number, Omit<Preprocess, 'fit'>]>([
  ['SqueezeNet 1.0 of Caffe', [`${DEEP}/SqueezeNet_deploy.prototxt`, `${DEEP}/squeezenet_v1.0_dc.caffemodel`], 227, { channels: 'BGR', range: 255, mean: [104, 117, 123], std: [1, 1, 1] }],
  ['MobileNet of TensorFlow', ['mobilenet_v1_0.25_224/mobilenet_v1_0.25_224.onnx'], 224, { channels: 'RGB', range: 2, mean: [1, 1, 1], std: [1, 1, 1] }],
])('%s', async (_, files, size, recorded) => {
  const network = await load(...files);
  const image = await decodePng(dataBytes(`images/prepared/coffee_${size}.png`));
  // Those that are nearest: of the recorded range, in both orders, and all that have a name.
  const ways = preprocessCandidates(3, undefined, ['crop']).filter(({ preprocess, preset }) => preset ?? preprocess.range === recorded.range);
  const trials = await tryPreprocessings(engine(), network, [{ image, expected: 967 }], ways);
  expect(trials.length).toBeGreaterThan(5);
  expect(trials[0].preprocess).toEqual({ ...recorded, fit: 'crop' });
  expect(trials[0].seen[0]).toMatchObject({ top: { index: 967 }, expected: { index: 967, rank: 1 } });
  expect(trials[0].unlike !== undefined).toBe(network.nodes.some(({ op }) => op === 'batch_norm'));
  // The other order of the channels is told apart.
  expect(trials.find(({ preprocess }) => preprocess.channels !== recorded.channels)!.score).toBeLessThan(0.95 * trials[0].score);
});

/** scores = a x + b over the means of the colours: blind to nothing, so that what is expected can be said. */
function colourNetwork(bias: readonly number[]): Network {
  const weight: Tensor = { shape: [3, 3], data: Float32Array.from([1, 0, 0, 0, 1, 0, 0, 0, 1]) };
  const nodes: Node[] = [
    { name: 'mean', output: 'mean', op: 'global_average_pool', inputs: ['x'], attributes: {}, weights: {} },
    { name: 'flat', output: 'flat', op: 'flatten', inputs: ['mean'], attributes: {}, weights: {} },
    { name: 'fc', output: 'fc', op: 'dense', inputs: ['flat'], attributes: {}, weights: { weight, bias: { shape: [3], data: Float32Array.from(bias) } } },
  ];
  return { name: 'colours', inputs: [{ name: 'x', shape: [1, 3, 4, 4] }], outputs: ['fc'], nodes };
}

const flat = (red: number, green: number, blue: number) => {
  const data = new Uint8ClampedArray(64).fill(255);
  for (let i = 0; i < 64; i += 4) data.set([red, green, blue], i);
  return { width: 4, height: 4, data };
};

describe('a network that says which channel is brightest', () => {
  const names = ['red', 'green', 'blue'];

  test('takes red first, says the ways of RGB, and every picture counts', async () => {
    const network = { ...colourNetwork([0, 0, 0]), labels: names };
    const pictures = [{ image: flat(250, 20, 10), expected: 0 }, { image: flat(10, 20, 250), expected: 2 }];
    const trials = await tryPreprocessings(engine(), network, pictures, preprocessCandidates(3, undefined, ['crop']));
    const half = trials.length / 2;
    expect(new Set(trials.slice(0, half).map(({ preprocess }) => preprocess.channels))).toEqual(new Set(['RGB']));
    expect(trials[0].seen.map(({ expected }) => [expected.rank, expected.label])).toEqual([[1, 'red'], [1, 'blue']]);
    expect(trials.at(-1)!.seen.map(({ top }) => top.label)).toEqual(['blue', 'red']);
    expect(trials.every(({ unlike }) => unlike === undefined)).toBe(true);
  });

  test('certainty alone is no merit: the score does not grow with the input', async () => {
    const trials = await tryPreprocessings(engine(), colourNetwork([0, 0, 0]), [{ image: flat(250, 20, 10), expected: 0 }], preprocessCandidates(3, undefined, ['crop']));
    const scoreOf = (scale: string) => trials.find((trial) => trial.scale === scale && trial.preprocess.channels === 'RGB')!;
    expect(scoreOf('0..1').score).toBeCloseTo(scoreOf('0..255').score, 4);
    expect(scoreOf('0..255').seen[0].expected.probability).toBeGreaterThan(scoreOf('0..1').seen[0].expected.probability);
  });

  test('what is stated comes first among equals', async () => {
    const stated: Preprocess = { channels: 'RGB', range: 7, mean: [0, 0, 0], std: [1, 1, 1], fit: 'crop' };
    const [first] = await tryPreprocessings(engine(), colourNetwork([0, 0, 0]), [{ image: flat(250, 20, 10), expected: 0 }], preprocessCandidates(3, stated, ['crop']));
    expect(first).toMatchObject({ stated: true, preprocess: stated });
  });

  test('a class that is not there, and no picture', async () => {
    const ways = preprocessCandidates(3, undefined, ['crop']);
    await expect(tryPreprocessings(engine(), colourNetwork([0, 0, 0]), [{ image: flat(1, 2, 3), expected: 3 }], ways)).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining('no class 3') as string });
    await expect(tryPreprocessings(engine(), colourNetwork([0, 0, 0]), [], ways)).rejects.toMatchObject({ code: 'usage' });
  });
});

describe('the moments of the training', () => {
  const node = { name: 'bn', output: 'y', op: 'batch_norm', inputs: ['x'], attributes: { epsilon: 0 }, weights: Object.fromEntries(Object.entries({ mean: [1, 2], variance: [4, 9], scale: [1, 1], shift: [0, 0] }).map(([role, data]) => [role, { shape: [2], data: Float32Array.from(data) }])) };
  const network: Network = { name: 'bn', inputs: [{ name: 'x', shape: [1, 2, 1, 2] }], outputs: ['y'], nodes: [node] };
  const moments = trainedMoments(network)!;

  test('are those of the first batch normalization', () => {
    expect(moments).toMatchObject({ tensor: 'x', mean: Float32Array.from([1, 2]), variance: Float32Array.from([4, 9]) });
    expect(trainedMoments(colourNetwork([0, 0, 0]))).toBeUndefined();
  });

  test('the distance is 0 for the same moments, over all images of the batch, and the divergence for others', () => {
    const same: Tensor = { shape: [2, 2, 1, 1], data: Float32Array.from([-1, -1, 3, 5]) };
    expect(momentDistance(moments, same)).toBeCloseTo(0, 6);
    // Both channels: m = mean + 1, v = variance x 4.
    const other: Tensor = { shape: [1, 2, 1, 2], data: Float32Array.from([-2, 6, -3, 9]) };
    expect(momentDistance(moments, other)).toBeCloseTo((4 + 1 / 4 - 1 - Math.log(4)) / 2, 5);
  });
});
