/** `unitscope preprocess-check`: the preprocessings that are usual, and under which of them a network sees what a person sees. */
import { UnitscopeError } from '../../errors.ts';
import {
  classLayers, CLOSE, layerShape, preprocessCandidates, tryPreprocessings,
  type Network, type Preprocess, type Shown, type Trial,
} from '../../index.ts';
import { classNamed } from './class_name.ts';
import type { Call, Command, Report } from './command.ts';
import { KERNEL_OPTIONS, withKernels } from './gpu.ts';
import { table } from './help.ts';
import { inputShape, PREPROCESS_OPTIONS, splitOperands, statedPreprocess } from './input.ts';
import { loadModel, MODEL_OPTIONS } from './model.ts';
import { readPicture } from './picture.ts';
import { counted, measured } from './quantity.ts';
import { wayText } from './way.ts';

/** Ways that people are shown; `--json` has them all. */
const ROWS = 12;

export const preprocessCheck: Command = {
  name: 'preprocess-check',
  summary: 'try the usual preprocessings on pictures, to see which one is right',
  operands: ['MODEL?', 'IMAGE...'],
  options: {
    expect: { type: 'text', value: 'CLASS', summary: 'what a picture shows: index of the class, or a part of its label; one for each picture', repeats: true },
    ...PREPROCESS_OPTIONS,
    ...KERNEL_OPTIONS,
    ...MODEL_OPTIONS,
  },
  examples: [
    ['unitscope preprocess-check network.onnx cat.jpg --expect 281', 'the best way first, as --preprocess takes it'],
    ['unitscope preprocess-check network.onnx cat.jpg cup.jpg --expect tabby --expect espresso --labels classes.txt', 'two pictures tell more than one'],
    ["unitscope preprocess-check network.onnx cat.jpg --expect 281 --preprocess 'caffe;mean=100,110,120'", 'a way of your own among the others'],
  ],
  gpu: true,
  async run(call): Promise<Report> {
    const { model, images } = await splitOperands(call);
    const { network } = await loadModel(call, model);
    const shape = inputShape(network);
    if (shape.length !== 4) throw new UnitscopeError('usage', `a picture needs an input of [N, C, H, W], this one is [${shape.join(', ')}]`);
    const expected = expectedClasses(call, network, images.length);
    const stated = statedPreprocess(call, network);
    const pictures: Shown[] = [];
    for (const [n, path] of images.entries()) pictures.push({ image: await readPicture(path), expected: expected[n] });
    const candidates = preprocessCandidates(shape[1], stated, fitsOf(pictures, shape, stated));
    const progress = (done: number, total: number) => call.progress.report('look', done, total);
    const trials = await withKernels(call, (engine) => tryPreprocessings(engine, network, pictures, candidates, { progress, signal: call.signal }));
    const shown = images.map((image, n) => ({ image, expected: expected[n], label: network.labels?.[expected[n]] ?? null }));
    return { data: { network: network.name, images: shown, stated: stated ?? null, best: wayText(trials[0].preprocess), trials }, text: describe(trials, images) };
  },
};

/** The class of every picture. Throws 'usage' where they are not as many. */
function expectedClasses({ lists: { expect } }: Call, network: Network, pictures: number): number[] {
  if (pictures === 0) throw new UnitscopeError('usage', 'IMAGE is missing');
  if (expect.length === 0) throw new UnitscopeError('usage', 'what the picture shows is not given', {}, 'give --expect with the index of the class, or a part of its label');
  if (expect.length !== 1 && expect.length !== pictures) throw new UnitscopeError('usage', `${counted(pictures, 'picture')} and ${expect.length} classes`, {}, 'give --expect once for each picture, in their order');
  const count = layerShape(network, classLayers(network).logits).slice(1).reduce((a, b) => a * b, 1);
  const classes = expect.map((text) => classNamed(text, network.labels, count));
  return Array.from({ length: pictures }, (_, n) => classes[n] ?? classes[0]);
}

/** Crop and stretch are one where the pictures have the shape of the input. */
function fitsOf(pictures: readonly Shown[], [, , rows, columns]: readonly number[], stated: Preprocess | undefined): readonly Preprocess['fit'][] {
  return pictures.every(({ image: { width, height } }) => width * rows === height * columns) ? [stated?.fit ?? 'crop'] : ['crop', 'stretch'];
}

const percent = (probability: number) => `${(100 * probability).toFixed(2)} %`;

/** How the stated way does; `good` is the score from which on a way is as good as the best. */
function statement(trials: readonly Trial[], good: number): string {
  const place = trials.findIndex(({ stated }) => stated);
  if (place < 0) return 'No way is stated.';
  if (place === 0) return 'The stated way is the best one.';
  return `The stated way is ${trials[place].score >= good ? 'among the best' : 'not among the best'}: it is number ${place + 1} of ${trials.length}.`;
}

function describe(trials: readonly Trial[], images: readonly string[]): string {
  const [best] = trials;
  const oneFit = new Set(trials.map(({ preprocess }) => preprocess.fit)).size === 1;
  const columns = ['score', 'order', 'scale', ...(oneFit ? [] : ['fit']), 'preset', ...(best.unlike === undefined ? [] : ['unlike']), ...images.flatMap(() => ['rank', 'expected', 'seen', 'as']), ''];
  const right = columns.flatMap((name, column) => (['score', 'unlike', 'rank', 'expected', 'seen'].includes(name) ? [column] : []));
  const shown = trials.filter(({ stated: own }, place) => place < ROWS || own);
  const rows = shown.map(({ score, preprocess: { channels, fit }, scale, preset = '', unlike, seen, stated: own }) => [
    score.toFixed(2), channels, scale, ...(oneFit ? [] : [fit]), preset, ...(unlike === undefined ? [] : [measured(unlike)]),
    ...seen.flatMap(({ top, expected }) => [String(expected.rank), percent(expected.probability), percent(top.probability), top.label]),
    own ? '<- stated' : '',
  ]);
  const close = trials.filter(({ score }) => score >= best.score * (1 - CLOSE)).length - 1;
  return [
    ...images.map((image, n) => `${image}: class ${best.seen[n].expected.index}, ${best.seen[n].expected.label}`),
    ...table([columns, ...rows], right),
    ...(shown.length < trials.length ? [`  and ${trials.length - shown.length} more`] : []),
    'score: how far the expected class stands above the mean of all, in standard deviations; certainty alone grows with any larger input',
    ...(best.unlike === undefined ? [] : ['unlike: how unlike the pictures of the training they come to the first batch normalization; 0 is alike']),
    statement(trials, best.score * (1 - CLOSE)),
    ...(close > 0 ? [`${counted(close, 'other way')} ${close === 1 ? 'is' : 'are'} as good within ${100 * CLOSE} %: ${best.unlike === undefined ? 'those that have a name' : 'the least unlike'} come first; more pictures tell them apart.`] : []),
    `best: --preprocess '${wayText(best.preprocess)}'`,
  ].join('\n');
}
