/** `unitscope synthesize`: pictures that climb any objective, each with the recipe to make it again. */
import { basename } from 'node:path';
import { version } from '../../../package.json';
import { throwIfAborted, UnitscopeError } from '../../errors.ts';
import {
  encodePng,
  hashBytes,
  parseObjective,
  readNpy,
  RECIPE_KEYWORD,
  recipeText,
  shapesOf,
  SYNTHESIZE_METHOD,
  withInputSize,
  WORDINGS,
  type Network,
  type Objective,
  type SynthesisSettings,
} from '../../index.ts';
import { EXIT, type Call, type Command, type Report } from './command.ts';
import { isFolder, makeFolder, readBytes, writeWhole } from './files.ts';
import { adapterName, KERNEL_OPTIONS, withKernels } from './gpu.ts';
import { table } from './help.ts';
import { neededPreprocess, PREPROCESS_OPTIONS } from './input.ts';
import { loadModel, MODEL_OPTIONS } from './model.ts';
import { readPicture } from './picture.ts';
import { composed, pictureTargets } from './picture_targets.ts';
import { measured } from './quantity.ts';
import { SYNTHESIS_BATCH, synthesizeAll, type SynthesisJob, type SynthesisOutcome } from './synthesis.ts';
import { SYNTHESIS_OPTIONS, synthesisOf } from './synthesis_options.ts';
import { countOf } from './value.ts';

export const synthesize: Command = {
  name: SYNTHESIZE_METHOD.name,
  summary: SYNTHESIZE_METHOD.summary,
  operands: ['MODEL?'],
  options: {
    objective: { type: 'text', value: 'TEXT', summary: `what climbs: ${WORDINGS.map(({ form }) => form).join('; ')}; sums with weights, e.g. "conv3:1 + 0.5*conv4"`, repeats: true },
    seed: { type: 'text', value: 'S', summary: 'seed of the start image and of its moves, 0 unless given', repeats: true },
    out: { type: 'text', value: 'FILE.png', summary: 'the picture, a sheet where there are several; folder/ for one file each' },
    start: { type: 'text', value: 'IMAGE', summary: 'start at this picture (pixels alone)' },
    size: { type: 'text', value: 'N', summary: 'side of the picture, where the layers allow another one than the network has' },
    ...SYNTHESIS_OPTIONS,
    ...PREPROCESS_OPTIONS,
    ...KERNEL_OPTIONS,
    ...MODEL_OPTIONS,
  },
  examples: [
    ['unitscope synthesize --objective fc8:8 --seed 0 --seed 1 --out butterfly.png', 'what a class of the embedded network looks like, twice'],
    ['unitscope synthesize net.onnx --objective "channel conv3:12 - conv3:7" --out channel.png', 'a channel, and nothing that another one of its units likes'],
    ['unitscope synthesize --style deepdream --start photo.jpg --objective conv4 --out dream.png', 'a picture that shows more of what a layer sees in it'],
    ['unitscope synthesize --objective "conv4:3 + 20*diversity conv2" --seed 0 --seed 1 --seed 2 --out facets.png', 'three facets of one unit'],
  ],
  gpu: true,
  async run(call): Promise<Report> {
    const settings = synthesisOf(call);
    const seeds = call.lists.seed.length === 0 ? [0] : [...new Set(call.lists.seed.map((seed) => countOf('seed', seed, 0, 0xffffffff)))];
    const { start: startPath, size } = call.values;
    if (startPath !== undefined && settings.parameterization !== 'pixels') throw new UnitscopeError('usage', 'only pixels can start at a picture', {}, 'add --parameterization pixels, or --style deepdream');
    const model = await loadModel(call, call.operands[0]);
    const preprocess = neededPreprocess(call, model.network);
    const { network, jobs, vectors } = await jobsOf(call, model.network, seeds, size === undefined ? undefined : countOf('size', size, 8, 4096));
    const targets = await pictureTargets(call.values.out, jobs.map(({ name, seed }) => `${name}-seed${seed}`));
    const start = startPath === undefined ? undefined : { image: await readPicture(startPath), name: basename(startPath), hash: await hashBytes(await readBytes(startPath)) };
    const facts = {
      ...settings,
      preprocess: { ...preprocess },
      ...(size !== undefined && { size: Number(size) }),
      ...(start && { start: start.name, startHash: start.hash }),
      ...(vectors.size > 0 && { vectors: Object.fromEntries(vectors) }),
    };
    // Everything but what the run itself will tell, so that a recipe that cannot be written is refused now.
    const recipe = (own: readonly SynthesisJob[], iterations: number, adapter: string): string => {
      const all = [...new Set(own.map(({ seed }) => seed))];
      const units = [...new Set(own.map(({ name }) => name))];
      return recipeText({ network: { name: network.name, hash: model.hash }, method: SYNTHESIZE_METHOD.name, units, settings: { ...facts, ...(all.length > 1 && { seeds: all }) }, seed: all[0], iterations, adapter, version });
    };
    for (const { pictures } of targets) recipe(pictures.map((n) => jobs[n]), 0, '');

    const synthesis = { network, settings, preprocess, start: start?.image, signal: call.signal, progress: call.progress };
    const { outcomes, adapter } = await withKernels(call, async (engine) => ({ outcomes: await synthesizeAll(engine, jobs, synthesis), adapter: adapterName(engine) }));
    if (outcomes.every(({ steps }) => steps === 0)) throwIfAborted(call.signal);
    outcomes.forEach(({ message }, n) => message && call.warn(`${jobs[n].name} seed ${jobs[n].seed}: ${message}`));

    const files: string[] = [];
    if (outcomes.some(({ image }) => image) && (await isFolder(call.values.out!))) await makeFolder(call.values.out!);
    for (const { path, pictures } of targets) {
      const image = composed(pictures.map((n) => outcomes[n].image), seeds.length);
      if (!image) continue;
      const steps = Math.max(...pictures.map((n) => outcomes[n].steps));
      await writeWhole(path, await encodePng(image, { [RECIPE_KEYWORD]: recipe(pictures.map((n) => jobs[n]), steps, adapter) }));
      files.push(path);
    }
    const failed = outcomes.some(({ status }) => status !== 'done' && status !== 'interrupted');
    return { ...reportOf(jobs, outcomes, files, { network: network.name, hash: model.hash, adapter, settings }), exit: failed ? EXIT.failed : EXIT.ok };
  },
};

/** Every objective from every seed, seeds side by side; and the hashes of the files that objectives name. */
async function jobsOf(call: Call, whole: Network, seeds: readonly number[], size: number | undefined): Promise<{ network: Network; jobs: SynthesisJob[]; vectors: Map<string, string> }> {
  const texts = [...new Set(call.lists.objective)];
  if (texts.length === 0) throw new UnitscopeError('usage', 'no objective is given', {}, 'name one with --objective LAYER:CHANNEL, for example --objective conv3:12');
  const vectors = new Map<string, string>();
  const vector = async (path: string): Promise<Float32Array> => {
    const bytes = await readBytes(path);
    vectors.set(basename(path), await hashBytes(bytes));
    try {
      return readNpy(bytes, path).data;
    } catch (cause) {
      if (!(cause instanceof UnitscopeError)) throw cause;
      throw new UnitscopeError('usage', cause.message, cause.address, cause.hint, { cause });
    }
  };
  const read = (network: Network): Promise<Objective[]> => Promise.all(texts.map((text) => parseObjective(network, text, vector)));
  const objectives = await read(whole);
  const layers = objectives.flatMap(({ terms }) => terms.map(({ layer }) => layer));
  const network = size === undefined ? whole : withInputSize(whole, layers, { height: size, width: size });
  // The centre of a map lies elsewhere in a map of another size.
  const own = size === undefined ? objectives : await fitting(network, size, read);
  const jobs = own.flatMap((objective, n) => seeds.map((seed): SynthesisJob => ({ objective, name: texts[n], seed })));
  if (objectives.some(({ terms }) => terms.some(({ kind }) => kind === 'diversity')) && (seeds.length < 2 || seeds.length > SYNTHESIS_BATCH)) {
    throw new UnitscopeError('usage', `diversity compares 2 to ${SYNTHESIS_BATCH} images, ${seeds.length} seed${seeds.length === 1 ? ' is' : 's are'} given`, {}, 'give several with --seed');
  }
  return { network, jobs, vectors };
}

/** Objectives of a network of another size: where its layers do not fit together, the size is at fault. */
async function fitting(network: Network, size: number, read: (network: Network) => Promise<Objective[]>): Promise<Objective[]> {
  try {
    shapesOf(network);
  } catch (cause) {
    if (!(cause instanceof UnitscopeError)) throw cause;
    throw new UnitscopeError('usage', `no picture of ${size} x ${size} fits: ${cause.message}`, cause.address, 'layers before the first dense one take any size', { cause });
  }
  return read(network);
}

function reportOf(
  jobs: readonly SynthesisJob[],
  outcomes: readonly SynthesisOutcome[],
  files: readonly string[],
  facts: { network: string; hash: string; adapter: string; settings: SynthesisSettings },
): Omit<Report, 'exit'> {
  const known = (value: number | undefined): number | null => (value !== undefined && Number.isFinite(value) ? value : null);
  const images = jobs.map(({ name, seed }, n) => {
    const { status, first, score, steps, message = null } = outcomes[n];
    return { objective: name, seed, status, first: known(first), score: known(score), steps, message };
  });
  const shown = (value: number | null): string => (value === null ? '' : measured(value));
  const rows = images.map(({ objective, seed, first, score, steps, status }) => [objective, String(seed), shown(first), shown(score), status === 'done' ? status : `${status}, ${steps} steps`]);
  return {
    data: { ...facts, images, files },
    text: [...table([['objective', 'seed', 'score at first', 'in the end', 'status'], ...rows], [1, 2, 3]), ...files.map((file) => `wrote ${file}`)].join('\n'),
  };
}
