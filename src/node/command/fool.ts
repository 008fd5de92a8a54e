/** `unitscope fool`: pictures that a network takes for something else: by the smallest change, or out of noise. */
import { version } from '../../../package.json';
import { UnitscopeError } from '../../errors.ts';
import {
  attack, ATTACK_LOSSES, classCount, encodePng, FOOL_METHOD, fooling, FOOLING, RECIPE_KEYWORD, recipeText, STARTS,
  type Engine, type Network, type Preprocess, type Recipe, type Tensor,
} from '../../index.ts';
import { classNamed } from './class_name.ts';
import { EXIT, type Call, type Command, type Report } from './command.ts';
import { checkTarget, writeWhole } from './files.ts';
import { attackReport, foolingReport, type Fooled } from './fool_report.ts';
import { adapterName, KERNEL_OPTIONS, withKernels } from './gpu.ts';
import { INPUT_OPTIONS, neededPreprocess, oneInput, splitOperands } from './input.ts';
import { loadModel, MODEL_OPTIONS } from './model.ts';
import { choiceOf, countOf, numberOf } from './value.ts';

const WAYS = ['pgd', 'fgsm', 'ascent'] as const;

/** Most sizes of a change that are tried at once. */
const MOST = 16;

export const fool: Command = {
  name: FOOL_METHOD.name,
  summary: FOOL_METHOD.summary,
  operands: ['MODEL?', 'IMAGE?'],
  options: {
    class: { type: 'text', value: 'CLASS', summary: 'the class to reach: index, or a part of its label; without it, away from the class that the network names' },
    way: { type: 'text', value: 'WORD', summary: `${WAYS.join(', ')}: many signed steps, one, or an ascent without regularizers; with a picture ${WAYS[0]}, without one ${WAYS[2]}` },
    eps: { type: 'text', value: 'A,B,...', summary: 'pgd, fgsm: most that any value may change, pixel levels of 0..255; each is tried', default: '0.5,1,2,4,8' },
    steps: { type: 'text', value: 'N', summary: 'pgd: steps', default: '10' },
    step: { type: 'text', value: 'N', summary: 'pgd: pixel levels of a step; 2.5 eps / steps unless given' },
    loss: { type: 'text', value: 'WORD', summary: `pgd, fgsm: what is climbed: ${ATTACK_LOSSES.join(', ')} (of the softmax, or between the scores before it)`, default: ATTACK_LOSSES[0] },
    seed: { type: 'text', value: 'S', summary: 'pgd: start at random within eps. ascent: seed of the start image, 0 unless given' },
    start: { type: 'text', value: 'WORD', summary: `ascent without a picture: ${STARTS.join(', ')}`, default: STARTS[0] },
    early: { type: 'text', value: 'N', summary: `ascent: gain of the probability per step; ${FOOLING.early.join(', ')} are published`, default: String(FOOLING.early[1]) },
    late: { type: 'text', value: 'N', summary: `ascent: share of what is missing to 1, later; ${FOOLING.late.join(', ')} are published`, default: String(FOOLING.late[2]) },
    confidence: { type: 'text', value: 'N', summary: 'ascent: the probability that is enough', default: '0.99' },
    iterations: { type: 'text', value: 'N', summary: 'ascent: most iterations', default: '1000' },
    out: { type: 'text', value: 'FILE.png', summary: 'write the picture before, the change, and the picture after, side by side' },
    result: { type: 'text', value: 'FILE.png', summary: 'write the picture after by itself' },
    ...INPUT_OPTIONS,
    ...KERNEL_OPTIONS,
    ...MODEL_OPTIONS,
  },
  examples: [
    ['unitscope fool photo.png --out fooled.png', 'how little makes the embedded network see something else'],
    ['unitscope fool network.onnx cat.jpg --class espresso --eps 1,2,4 --out fooled.png --preprocess imagenet --labels classes.txt', 'a cat that is taken for a cup'],
    ['unitscope fool --class butterfly --out noise.png', 'noise that is taken for a butterfly'],
  ],
  gpu: true,
  async run(call): Promise<Report> {
    const { out, result } = call.values;
    const { model, images } = await splitOperands(call);
    const hasPicture = images.length > 0 || call.values.input !== undefined;
    const way = call.values.way === undefined ? (hasPicture ? WAYS[0] : WAYS[2]) : choiceOf('way', call.values.way, WAYS);
    const choices = choicesOf(call);
    if (way !== 'ascent' && !hasPicture) throw new UnitscopeError('usage', `--way ${way} changes a picture, and IMAGE is missing`, {}, 'or start from noise with --way ascent');
    if (way === 'ascent' && call.values.class === undefined) throw new UnitscopeError('usage', 'no class is given', {}, 'name the one to reach with --class');
    const { network, hash } = await loadModel(call, model);
    const target = call.values.class === undefined ? undefined : classNamed(call.values.class, network.labels, classCount(network));
    if (out !== undefined) await checkTarget(out, '.png');
    if (result !== undefined) await checkTarget(result, '.png');
    const preprocess = neededPreprocess(call, network);
    const x = hasPicture ? await oneInput(call, network, images) : undefined;
    const work = (engine: Engine): Promise<Fooled> =>
      way === 'ascent' ? ascend(call, engine, network, { ...choices, class: target!, x, preprocess }) : assail(call, engine, network, { ...choices, target, x: x!, preprocess, ...(way === 'fgsm' && { steps: 1, step: undefined }) });
    const { fooled, adapter } = await withKernels(call, async (engine) => ({ fooled: await work(engine), adapter: adapterName(engine) }));

    const files: string[] = [];
    const settings: Recipe['settings'] = { way, class: target ?? null, ...fooled.settings, preprocess: { ...preprocess } };
    const recipe = recipeText({ network: { name: network.name, hash }, method: FOOL_METHOD.name, units: [], settings, seed: choices.seed ?? 0, iterations: fooled.iterations, adapter, version });
    for (const [path, image] of [[out, fooled.panels], [result, fooled.image]] as const) {
      if (path === undefined) continue;
      await writeWhole(path, await encodePng(image, { [RECIPE_KEYWORD]: recipe }));
      files.push(path);
    }
    for (const note of fooled.notes) call.warn(note);
    return {
      data: { network: network.name, hash, adapter, way, ...fooled.data, files },
      text: [...fooled.lines, ...files.map((file) => `wrote ${file}`)].join('\n'),
      exit: fooled.failed ? EXIT.failed : EXIT.ok,
    };
  },
};

type Choices = ReturnType<typeof choicesOf>;

/** The options that are numbers and words, checked before any work. */
function choicesOf({ values }: Call) {
  return {
    epsilons: epsilonsOf(values.eps!),
    steps: countOf('steps', values.steps!, 1, 10_000),
    step: values.step === undefined ? undefined : between('step', values.step, 0, 255),
    loss: choiceOf('loss', values.loss!, ATTACK_LOSSES),
    seed: values.seed === undefined ? undefined : countOf('seed', values.seed, 0, 0xffffffff),
    start: choiceOf('start', values.start!, STARTS),
    early: between('early', values.early!, 0, 1),
    late: between('late', values.late!, 0, 1),
    confidence: between('confidence', values.confidence!, 0, 1),
    iterations: countOf('iterations', values.iterations!, 1, 1_000_000),
  };
}

/** A number above `least` and up to `most`; where `most` is 1, below it. */
function between(option: string, text: string, least: number, most: number): number {
  const value = numberOf(option, text);
  if (value > least && (most === 1 ? value < most : value <= most)) return value;
  throw new UnitscopeError('usage', `--${option} needs a number above ${least} and ${most === 1 ? 'below' : 'up to'} ${most}, got '${text}'`);
}

function epsilonsOf(text: string): number[] {
  const epsilons = text.split(',').map((part) => between('eps', part, 0, 255));
  if (epsilons.length > MOST) throw new UnitscopeError('usage', `--eps takes at most ${MOST} sizes, got ${epsilons.length}`);
  return epsilons;
}

async function assail(call: Call, engine: Engine, network: Network, options: Choices & { target: number | undefined; x: Tensor; preprocess: Preprocess }): Promise<Fooled> {
  const { x, preprocess, target, epsilons, steps, step, loss, seed } = options;
  for await (const progress of attack(engine, network, x, { epsilons, target, steps, step, loss, seed, preprocess, signal: call.signal })) {
    call.progress.report('steps', progress.step, progress.steps, String, `${progress.succeeded} of ${epsilons.length} fooled`);
    if (progress.result) return { ...attackReport(progress.result, preprocess), settings: { epsilons, steps, step: step ?? null, loss, randomStart: seed !== undefined }, iterations: steps };
  }
  throw new UnitscopeError('aborted', 'stopped on request');
}

async function ascend(call: Call, engine: Engine, network: Network, options: Choices & { class: number; x: Tensor | undefined; preprocess: Preprocess }): Promise<Fooled> {
  const { x, preprocess, class: index, seed = 0, start, early, late, confidence, iterations } = options;
  for await (const { step, probability, result } of fooling(engine, network, { class: index, start: x ?? start, seed, early, late, confidence, iterations, preprocess, signal: call.signal })) {
    call.progress.report('ascent', step, iterations, String, `${(100 * probability).toFixed(1)} %`);
    if (result) {
      const label = network.labels?.[index] ?? `class ${index}`;
      return { ...foolingReport(result, label, preprocess), settings: { start: x ? 'picture' : start, early, late, maxRate: FOOLING.maxRate, confidence }, iterations: result.iterations };
    }
  }
  throw new UnitscopeError('aborted', 'stopped on request');
}
