/** `unitscope maximize`: pictures that units prefer, each with the recipe to make it again. */
import { version } from '../../../package.json';
import { throwIfAborted, UnitscopeError } from '../../errors.ts';
import {
  encodePng,
  layerShape,
  MAXIMIZE_METHOD,
  parseUnit,
  RECIPE_KEYWORD,
  recipeText,
  STARTS,
  unitName,
  type AscentSettings,
  type ClimbOutcome,
  type Network,
  type Recipe,
} from '../../index.ts';
import { CONTRAST_OPTION, contrastOf, SETTING_OPTIONS, settingsOf } from './ascent_options.ts';
import { climb, type Job } from './climb.ts';
import { EXIT, type Call, type Command, type Report } from './command.ts';
import { isFolder, makeFolder, writeWhole } from './files.ts';
import { adapterName, KERNEL_OPTIONS, withKernels } from './gpu.ts';
import { table } from './help.ts';
import { neededPreprocess, PREPROCESS_OPTIONS } from './input.ts';
import { EMBEDDED, loadModel, MODEL_OPTIONS } from './model.ts';
import { composed, pictureTargets } from './picture_targets.ts';
import { measured } from './quantity.ts';
import { choiceOf, countOf } from './value.ts';

const SNAPSHOTS = ['best', 'last', 'majority'] as const;

export const maximize: Command = {
  name: MAXIMIZE_METHOD.name,
  summary: MAXIMIZE_METHOD.summary,
  operands: ['MODEL?'],
  options: {
    unit: { type: 'text', value: 'UNIT', summary: 'LAYER:CHANNEL or LAYER:CHANNEL@Y,X', repeats: true },
    seed: { type: 'text', value: 'S', summary: 'seed of the start image, 0 unless given', repeats: true },
    out: { type: 'text', value: 'FILE.png', summary: 'the picture, a sheet where there are several; folder/ for one file each' },
    ...SETTING_OPTIONS,
    start: { type: 'text', value: 'WORD', summary: `start image: ${STARTS.join(', ')}`, default: STARTS[0] },
    snapshot: { type: 'text', value: 'WORD', summary: 'iteration to show: best, last, or the first as argmax (majority)', default: 'best' },
    contrast: CONTRAST_OPTION,
    ...PREPROCESS_OPTIONS,
    ...KERNEL_OPTIONS,
    ...MODEL_OPTIONS,
  },
  examples: [
    ['unitscope maximize --unit fc8:8 --out butterfly.png', 'what a class of the embedded network looks like'],
    ['unitscope maximize network.onnx --unit conv5:3 --unit conv5:9 --seed 0 --seed 1 --out sheet.png --preprocess caffe', 'two units from two starts, on one sheet'],
    ['unitscope maximize --unit fc8:0 --preset 1 --iterations 200 --blur-radius 1 --out flower.png', 'a preset with other settings'],
    ['unitscope maximize network.onnx --unit prob:281 --contrast stretched --out cat.png --preprocess imagenet', 'a faint picture, at its largest contrast'],
    ['unitscope maximize --unit conv3:0 --unit conv3:1 --out pictures/', 'one file per picture'],
  ],
  gpu: true,
  async run(call): Promise<Report> {
    const settings = settingsOf(call, (call.operands[0] ?? EMBEDDED) === EMBEDDED);
    const start = choiceOf('start', call.values.start!, STARTS);
    const snapshot = choiceOf('snapshot', call.values.snapshot!, SNAPSHOTS);
    const contrast = contrastOf(call);
    const seeds = call.lists.seed.length === 0 ? [0] : unique(call.lists.seed.map((seed) => countOf('seed', seed, 0, 0xffffffff)));
    const { network, hash } = await loadModel(call, call.operands[0]);
    const jobs = jobsOf(call, network, seeds, settings);
    const preprocess = neededPreprocess(call, network);
    const targets = await pictureTargets(call.values.out, jobs.map(({ name, seed }) => `${name}-seed${seed}`));
    // Everything but what the run itself will tell, so that a recipe that cannot be written is refused now.
    const recipe = (own: readonly number[], iterations: number, adapter: string): string =>
      recipeText(recipeOf(own.map((n) => jobs[n]), { network, hash, settings: { ...settings, start, snapshot, contrast, preprocess: { ...preprocess } }, iterations, adapter }));
    for (const { pictures } of targets) recipe(pictures, 0, '');

    const ascent = { network, preprocess, start, snapshot, contrast, signal: call.signal, progress: call.progress };
    const { outcomes, adapter } = await withKernels(call, async (engine) => ({ outcomes: await climb(engine, jobs, ascent), adapter: adapterName(engine) }));
    if (outcomes.every(({ iterations }) => iterations === 0)) throwIfAborted(call.signal);
    outcomes.forEach(({ message }, n) => message && call.warn(`${jobs[n].name} seed ${jobs[n].seed}: ${message}`));

    const files: string[] = [];
    if (outcomes.some(({ image }) => image) && (await isFolder(call.values.out!))) await makeFolder(call.values.out!);
    for (const { path, pictures: own } of targets) {
      const image = composed(own.map((n) => outcomes[n].image), seeds.length);
      if (!image) continue;
      const iterations = Math.max(...own.map((n) => outcomes[n].iterations));
      await writeWhole(path, await encodePng(image, { [RECIPE_KEYWORD]: recipe(own, iterations, adapter) }));
      files.push(path);
    }
    const images = jobs.map(({ name, seed }, n) => ({ unit: name, seed, ...factsOf(outcomes[n], settings) }));
    const failed = outcomes.some(({ status }) => status !== 'done' && status !== 'interrupted');
    return {
      data: { network: network.name, hash, adapter, settings, start, snapshot, contrast, images, files },
      text: describe(images, files),
      exit: failed ? EXIT.failed : EXIT.ok,
    };
  },
};

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];

/** Every unit from every seed, seeds side by side. */
function jobsOf(call: Call, network: Network, seeds: readonly number[], settings: AscentSettings): Job[] {
  if (call.lists.unit.length === 0) throw new UnitscopeError('usage', 'no unit is given', {}, 'name one with --unit LAYER:CHANNEL, for example --unit conv3:12');
  const units = new Map(
    call.lists.unit.map((text) => {
      const unit = parseUnit(network, text);
      return [unitName(unit, layerShape(network, unit.layer)), unit];
    }),
  );
  return [...units].flatMap(([name, unit]) => seeds.map((seed) => ({ unit, name, seed, settings })));
}

function recipeOf(
  jobs: readonly Job[],
  facts: { network: Network; hash: string; settings: Recipe['settings']; iterations: number; adapter: string },
): Recipe {
  const seeds = unique(jobs.map(({ seed }) => seed));
  const { network, hash, settings, iterations, adapter } = facts;
  return {
    network: { name: network.name, hash },
    method: 'maximize',
    units: unique(jobs.map(({ name }) => name)),
    settings: seeds.length > 1 ? { ...settings, seeds } : settings,
    seed: seeds[0],
    iterations,
    adapter,
    version,
  };
}

interface ImageFacts {
  readonly status: ClimbOutcome['status'];
  readonly score: number | null;
  readonly step: number | null;
  /** The first iteration as the layer's argmax; null where it never was. */
  readonly argmax: number | null;
  readonly isArgmax: boolean;
  readonly iterations: number;
  readonly message: string | null;
}

function factsOf({ status, score, step, argmax, isArgmax, iterations, message }: ClimbOutcome, settings: AscentSettings): ImageFacts {
  const ran = score !== undefined && Number.isFinite(score);
  return {
    status,
    score: ran ? score : null,
    step: ran ? step! : null,
    argmax: argmax ?? null,
    isArgmax,
    iterations: Math.min(iterations, settings.iterations),
    message: message ?? null,
  };
}

function describe(images: readonly (ImageFacts & { unit: string; seed: number })[], files: readonly string[]): string {
  const rows = images.map(({ unit, seed, score, step, argmax, isArgmax, status, iterations }) => [
    unit,
    String(seed),
    score === null ? '' : measured(score),
    step === null ? '' : String(step),
    argmax === null ? 'never' : `${isArgmax ? 'yes' : 'no more'}, first at ${argmax}`,
    status === 'done' ? status : `${status}, ${iterations} iterations`,
  ]);
  return [
    ...table([['unit', 'seed', 'best score', 'at', 'argmax', 'status'], ...rows], [1, 2, 3]),
    ...files.map((file) => `wrote ${file}`),
  ].join('\n');
}
