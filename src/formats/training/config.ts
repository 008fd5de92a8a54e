/** The description of a training: JSON from a stranger, checked key by key; all that is wrong with it is told at once. */
import { UnitscopeError } from '../../errors.ts';
import type { Preprocess } from '../../network/network.ts';
import { didYouMean, quote } from '../../network/spelling.ts';
import type { AdversarialPlan, DataPlan, OptimizerPlan, SchedulePlan, TrainingConfig } from '../../network/training.ts';
import { parseJson, type Json } from '../json.ts';
import { described, Faults, Fields } from './fields.ts';
import { parseBeginning, parseLayers, USUAL } from './layers.ts';

const MOST_SIDE = 1024;
const MOST_BATCH = 4096;
const MOST_STEPS = 1e8;
const MOST_IMAGES = 1e8;
const MOST_SEED = 0xffffffff;

export interface TrainingSources {
  /** Classes of pictures that can be drawn. */
  readonly sceneClasses: readonly string[];
}

/**
 * @param file for error addresses
 * @throws usage, with the path of every key that is wrong and the known key that is nearest to an unknown one
 */
export function parseTraining(text: string, file: string, sources: TrainingSources): TrainingConfig {
  const faults = new Faults();
  const config = read(new Fields(json(text, file), '', faults), sources);
  if (faults.lines.length === 0) return config;
  const [first, ...rest] = faults.lines;
  const title = rest.length === 0 ? first! : `${faults.lines.length} faults:\n${faults.lines.map((line) => `  ${line}`).join('\n')}`;
  throw new UnitscopeError('usage', `the training cannot be read: ${title}`, { file });
}

function json(text: string, file: string): Json {
  try {
    return parseJson(text, file);
  } catch (cause) {
    if (!(cause instanceof UnitscopeError)) throw cause;
    throw new UnitscopeError('usage', cause.message, cause.address, cause.hint, { cause });
  }
}

function read(top: Fields, sources: TrainingSources): TrainingConfig {
  const { faults } = top;
  const batch = top.whole('batch', undefined, 1, MOST_BATCH);
  const input = parseInput(top);
  const config: TrainingConfig = {
    name: top.text('name'),
    input,
    preprocess: parsePreprocess(top, input[0]),
    layers: parseLayers(top, parseBeginning(top, USUAL), faults),
    optimizer: parseOptimizer(top),
    decay: top.number('decay', 0, { least: 0, most: 1 }),
    smoothing: top.number('smoothing', 0, { least: 0, most: 0.99 }),
    ...(top.has('adversarial') && { adversarial: parseAdversarial(top.fields('adversarial')) }),
    schedule: parseSchedule(top),
    batch,
    ...(top.has('steps') && { steps: top.whole('steps', undefined, 1, MOST_STEPS) }),
    ...(top.has('epochs') && { epochs: top.whole('epochs', undefined, 1, MOST_STEPS) }),
    seed: top.whole('seed', 0, 0, MOST_SEED),
    data: parseData(top, sources),
    heldOut: parseHeldOut(top),
    log: top.whole('log', 10, 1, MOST_STEPS),
    checkpoint: top.whole('checkpoint', 500, 1, MOST_STEPS),
  };
  top.finish();
  checkTogether(config, top);
  return config;
}

function parseInput(top: Fields): TrainingConfig['input'] {
  const side = (value: number): boolean => Number.isInteger(value) && value >= 1 && value <= MOST_SIDE;
  const [channels, height, width] = top.numbers('input', 3, undefined, side, `[channels, height, width], each a whole number from 1 to ${MOST_SIDE}`) as [number, number, number];
  if (channels !== 1 && channels !== 3) top.fault('input', `must have 1 or 3 channels, ${channels} are there`);
  return [channels === 1 ? 1 : 3, height, width];
}

function parsePreprocess(top: Fields, channels: number): Preprocess {
  const fields = top.has('preprocess') ? top.fields('preprocess') : undefined;
  const of = (value: number): number[] => new Array<number>(channels).fill(value);
  const preprocess: Preprocess = {
    channels: channels === 1 ? 'gray' : 'RGB',
    range: 1,
    mean: fields?.numbers('mean', channels, of(0.5), () => true, 'in units of a white pixel') ?? of(0.5),
    std: fields?.numbers('std', channels, of(0.25), (value) => value > 0, 'above 0') ?? of(0.25),
    fit: 'crop',
  };
  fields?.finish();
  return preprocess;
}

function parseOptimizer(top: Fields): OptimizerPlan {
  const fields = top.fields('optimizer');
  const below1 = { least: 0, most: 0.999999 };
  const kind = fields.oneOf('kind', ['sgd', 'adam']);
  const optimizer: OptimizerPlan =
    kind === 'sgd'
      ? { kind, momentum: fields.number('momentum', 0.9, below1), nesterov: fields.flag('nesterov', false) }
      : { kind, beta1: fields.number('beta1', 0.9, below1), beta2: fields.number('beta2', 0.999, below1), epsilon: fields.number('epsilon', 1e-8, { least: 0, open: true }) };
  fields.finish();
  return optimizer;
}

function parseSchedule(top: Fields): SchedulePlan {
  const fields = top.fields('schedule');
  const kind = fields.oneOf('kind', ['constant', 'step', 'cosine'], 'constant');
  const common = { rate: fields.number('rate', undefined, { least: 0, open: true }), warmup: fields.number('warmup', 0, { least: 0, most: MOST_STEPS }) };
  const own =
    kind === 'step'
      ? { kind, at: parseSteps(fields, 'at'), factor: fields.number('factor', 0.1, { least: 0, most: 1 }) }
      : kind === 'cosine'
        ? { kind, floor: fields.number('floor', 0, { least: 0, most: 1 }), ...(fields.has('restarts') && { restarts: parseRestarts(fields) }) }
        : { kind };
  fields.finish();
  return { ...common, ...own };
}

function parseRestarts(fields: Fields): { at: number; rate: number }[] {
  return fields.list('restarts').map((value, index) => {
    const one = new Fields(value, fields.at(`restarts[${index}]`), fields.faults);
    const restart = { at: one.number('at', undefined, { least: 0, open: true, most: MOST_STEPS }), rate: one.number('rate', undefined, { least: 0, open: true }) };
    one.finish();
    return restart;
  });
}

function parseAdversarial(fields: Fields): AdversarialPlan {
  const steps = { least: 0, most: MOST_STEPS };
  const plan = { distance: fields.number('distance', undefined, { least: 0, open: true }), from: fields.number('from', 0, steps), until: fields.number('until', 0, steps) };
  fields.finish();
  return plan;
}

function parseSteps(fields: Fields, key: string): number[] {
  const list = fields.list(key);
  const fits = list.every((value) => typeof value === 'number' && value >= 0 && value <= MOST_STEPS);
  if (!fits) fields.fault(key, 'must be a list of steps, or of shares of all steps');
  return fits ? (list as number[]) : [];
}

function parseData(top: Fields, { sceneClasses }: TrainingSources): DataPlan {
  const fields = top.fields('data');
  const [scenes, folder] = [fields.has('scenes'), fields.has('folder')];
  if (scenes === folder) fields.fault('', scenes ? 'has scenes and a folder; one of them is learnt from' : 'must have "scenes": {} or "folder": "PATH"');
  const data: DataPlan = folder ? { kind: 'folder', path: fields.text('folder') } : { kind: 'scenes', ...(scenes ? parseScenes(fields.fields('scenes'), sceneClasses) : { classes: sceneClasses }) };
  fields.finish();
  return data;
}

function parseScenes(fields: Fields, known: readonly string[]): { classes: readonly string[]; images?: number } {
  const classes = fields.has('classes') ? fields.list('classes') : known;
  const names = classes.map((name, index): string => {
    if (typeof name === 'string' && known.includes(name)) {
      if (classes.indexOf(name) < index) fields.fault(`classes[${index}]`, `${quote(name)} is there twice`);
      return name;
    }
    fields.fault(`classes[${index}]`, `is no class of scenes: ${described(name)}`, typeof name === 'string' ? didYouMean(name, known) : '');
    return '';
  });
  const images = fields.has('images') ? fields.whole('images', undefined, 1, MOST_IMAGES) : undefined;
  fields.finish();
  return { classes: names, ...(images !== undefined && { images }) };
}

function parseHeldOut(top: Fields): TrainingConfig['heldOut'] {
  if (!top.has('held_out')) return { images: 0, seed: 0 };
  const fields = top.fields('held_out');
  const heldOut = { images: fields.whole('images', undefined, 0, MOST_IMAGES), seed: fields.whole('seed', 0, 0, MOST_SEED) };
  fields.finish();
  return heldOut;
}

/** What no key alone can have wrong. */
function checkTogether({ layers, input, data, batch, heldOut, schedule, ...length }: TrainingConfig, top: Fields): void {
  if (top.faults.lines.length > 0) return; // they may follow from what is wrong already
  if ((length.steps === undefined) === (length.epochs === undefined)) top.fault('', 'must have "steps" or "epochs", one of them');
  const scored = layers.filter(({ kind }) => kind !== 'softmax').at(-1);
  const isEnd = (index: number): boolean => index === layers.length - 1;
  if (layers.some(({ kind }, index) => kind === 'softmax' && !isEnd(index))) top.fault('layers', 'can have a softmax at their end alone');
  if (scored?.kind !== 'dense') top.fault('layers', 'must end in a dense layer, behind which a softmax may stand');
  if (schedule.kind === 'cosine') checkRestarts(schedule.restarts ?? [], length.steps, top);
  if (heldOut.images % batch !== 0) top.fault('held_out.images', `must be a multiple of the batch, ${batch}: ${heldOut.images} is none`);
  if (data.kind === 'folder') return;
  const classes = data.classes.length;
  if (classes < 2) top.fault('data.scenes.classes', 'must name two classes at least');
  else if (batch % classes !== 0) top.fault('batch', `must be a multiple of the number of classes, ${classes}: each class has as many pictures in it`);
  if (scored?.kind === 'dense' && scored.outputs !== classes) top.fault('layers', `end in ${scored.outputs} outputs, but there are ${classes} classes`);
  if (data.images === undefined && length.epochs !== undefined) top.fault('epochs', 'need data.scenes.images: else every picture is new, and "steps" says how long');
  if (data.images !== undefined && data.images % batch !== 0) top.fault('data.scenes.images', `must be a multiple of the batch, ${batch}: ${data.images} is none`);
  if (input[0] !== 3 || input[1] !== input[2]) top.fault('input', `must be [3, S, S] for scenes, [${input.join(', ')}] is there`);
}

/** Restarts stand in order and within the training, in one unit: a share beside a number of steps cannot be put in order before the steps are counted. */
function checkRestarts(restarts: readonly { readonly at: number }[], steps: number | undefined, { faults }: Fields): void {
  restarts.forEach(({ at }, index) => {
    const before = restarts[index - 1]?.at ?? 0;
    if (before >= at || (before > 0 && before < 1 !== at < 1)) faults.add(`schedule.restarts[${index}].at`, `must be later than the one before and in its unit, steps or a share of them: ${at} is there`);
    else if (at >= 1 && steps !== undefined && at >= steps) faults.add(`schedule.restarts[${index}].at`, `must be below ${steps}, the number of steps: ${at} is there`);
  });
}
