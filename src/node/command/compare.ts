/** `unitscope compare`: two networks, or two checkpoints of one, side by side. */
import { version } from '../../../package.json';
import { UnitscopeError } from '../../errors.ts';
import {
  commonUnit, compareMaps, COMPARE_METHOD, comparePreferred, compareStructure, compareWeights, deprocess, encodePng, findNode, layerShape,
  preprocess as toInput, RECIPE_KEYWORD, recipeText, STARTS, unitName,
  type Engine, type Image, type Preferred, type Preprocess, type Tensor,
} from '../../index.ts';
import { SETTING_OPTIONS, settingsOf } from './ascent_options.ts';
import type { Call, Command, Report } from './command.ts';
import { compareLines, comparePicture, type Compared, type Seen } from './compare_report.ts';
import { checkTarget, writeWhole } from './files.ts';
import { adapterName, KERNEL_OPTIONS, withKernels } from './gpu.ts';
import { inputShape, neededPreprocess, PREPROCESS_OPTIONS, statedPreprocess } from './input.ts';
import { loadModel, MODEL_OPTIONS, type Model } from './model.ts';
import { readPicture } from './picture.ts';
import { choiceOf, countOf } from './value.ts';

/** Most pictures of one side and layer: they climb as one batch. */
const MOST = 16;

/** These belong to one model alone. */
const { weights: _weights, architecture: _architecture, ...SHARED_MODEL_OPTIONS } = MODEL_OPTIONS;

export const compare: Command = {
  name: COMPARE_METHOD.name,
  summary: COMPARE_METHOD.summary,
  operands: ['MODEL_A', 'MODEL_B'],
  options: {
    unit: { type: 'text', value: 'UNIT', summary: 'show what this unit prefers in both: LAYER:CHANNEL or LAYER:CHANNEL@Y,X', repeats: true },
    seed: { type: 'text', value: 'S', summary: 'seed of the start images, 0 unless given', repeats: true },
    image: { type: 'text', value: 'FILE', summary: 'show what the layers of the units answer to this picture' },
    layer: { type: 'text', value: 'NAME', summary: 'with --image: layers to show in place of those of the units', repeats: true },
    out: { type: 'text', value: 'FILE.png', summary: 'write all that is shown, A on the left and B on the right' },
    ...SETTING_OPTIONS,
    start: { type: 'text', value: 'WORD', summary: `start image: ${STARTS.join(', ')}`, default: STARTS[0] },
    ...PREPROCESS_OPTIONS,
    ...KERNEL_OPTIONS,
    ...SHARED_MODEL_OPTIONS,
  },
  examples: [
    ['unitscope compare before.onnx after.onnx', 'which layers differ, and how far their weights lie apart'],
    ['unitscope compare models/twins/dead models/twins/dead-repaired --unit fc5:8 --image photo.png --layer relu1 --out twins.png', 'a training that failed beside one that did not'],
  ],
  gpu: true,
  async run(call): Promise<Report> {
    const { out, image } = call.values;
    const settings = settingsOf(call, true);
    const start = choiceOf('start', call.values.start!, STARTS);
    const seeds = call.lists.seed.length === 0 ? [0] : [...new Set(call.lists.seed.map((seed) => countOf('seed', seed, 0, 0xffffffff)))];
    const [pathA, pathB] = call.operands;
    const models = [await loadModel(call, pathA), await loadModel(call, pathB)] as const;
    const [a, b] = models.map(({ network }) => network);
    const sides = models.map(({ network }) => ({ network, preprocess: statedPreprocess(call, network) }));
    const units = [...new Set(call.lists.unit.map((text) => {
      const [unit] = commonUnit(sides, text);
      return unitName(unit, layerShape(a, unit.layer));
    }))];
    units.forEach((unit) => commonUnit(sides, unit));
    const layers = [...new Set(call.lists.layer.length > 0 ? call.lists.layer : units.map((unit) => commonUnit(sides, unit)[0].layer))];
    for (const { network } of models) for (const layer of layers) findNode(network, layer);
    checkWants(call, units, layers, seeds);
    if (out !== undefined) await checkTarget(out, '.png');
    const picture = image === undefined ? undefined : await readPicture(image);
    const compared: Compared = { names: namesOf(models), structure: compareStructure(a, b), weights: compareWeights(a, b) };

    const files: string[] = [];
    let seen: Seen = { preferred: [], pictures: [], maps: [] };
    if (out !== undefined) {
      const ways = models.map(({ network }) => neededPreprocess(call, network));
      const shown = await withKernels(call, async (engine) => ({ ...(await look(call, engine, { models, ways, units, layers, seeds, settings, start, picture })), adapter: adapterName(engine) }));
      seen = shown;
      const recipe = recipeText({
        network: { name: a.name, hash: models[0].hash },
        method: COMPARE_METHOD.name,
        units,
        settings: { ...settings, start, seeds, layers, other: { name: b.name, hash: models[1].hash }, preprocess: ways.map((way) => ({ ...way })) },
        seed: seeds[0],
        iterations: settings.iterations,
        adapter: shown.adapter,
        version,
      });
      await writeWhole(out, await encodePng(comparePicture(compared.names, shown), { [RECIPE_KEYWORD]: recipe }));
      files.push(out);
    }
    const preferred = seen.preferred.map((side) => side.map(({ unit, seed, score, status }) => ({ unit, seed, score, status })));
    return {
      data: {
        a: { network: a.name, hash: models[0].hash }, b: { network: b.name, hash: models[1].hash },
        structure: compared.structure, weights: compared.weights, preferred: { a: preferred[0] ?? [], b: preferred[1] ?? [] },
        maps: seen.maps.map(({ layer, map, range }) => ({ layer, map, range })), files,
      },
      text: [...compareLines(compared, seen.preferred), ...files.map((file) => `wrote ${file}`)].join('\n'),
    };
  },
};

/** The names of the two, or A and B where they have the same one. */
function namesOf(models: readonly [Model, Model]): [string, string] {
  const [a, b] = models.map(({ network }) => network.name);
  return a === b ? [`A: ${a}`, `B: ${b}`] : [a, b];
}

function checkWants({ values: { out, image } }: Call, units: readonly string[], layers: readonly string[], seeds: readonly number[]): void {
  const wants = units.length > 0 || image !== undefined;
  if (out !== undefined && !wants) throw new UnitscopeError('usage', 'nothing is named that a picture could show', {}, 'name a unit with --unit, or a picture with --image and layers with --layer');
  if (out === undefined && wants) throw new UnitscopeError('usage', 'no file is given', {}, 'name one with --out FILE.png');
  if (image !== undefined && layers.length === 0) throw new UnitscopeError('usage', 'no layer is given', {}, 'name those to show with --layer, or units with --unit');
  if (units.length * seeds.length > MOST) throw new UnitscopeError('usage', `${units.length} units from ${seeds.length} seeds are more than ${MOST} pictures`, {}, 'name fewer units or seeds');
}

interface Wants {
  readonly models: readonly [Model, Model];
  readonly ways: readonly Preprocess[];
  readonly units: readonly string[];
  readonly layers: readonly string[];
  readonly seeds: readonly number[];
  readonly settings: ReturnType<typeof settingsOf>;
  readonly start: (typeof STARTS)[number];
  readonly picture: Image | undefined;
}

/** What both sides prefer, unit by unit, and what their layers answer. */
async function look(call: Call, engine: Engine, wants: Wants): Promise<Seen> {
  const { models, ways, units, layers, seeds, settings, start, picture } = wants;
  const sides = models.map(({ network }, n) => ({ network, preprocess: ways[n] }));
  const preferred: Preferred[][] = [[], []];
  const layerOf = (unit: string): string => commonUnit(sides, unit)[0].layer;
  for (const layer of new Set(units.map(layerOf))) {
    const own = units.filter((unit) => layerOf(unit) === layer);
    for await (const { side, step, iterations, result } of comparePreferred(engine, sides, { units: own, seeds, settings, start, signal: call.signal })) {
      if (result) preferred[side].push(...result);
      else call.progress.report(`${layer} of ${'AB'[side]}`, step, iterations);
    }
  }
  const [pictures, maps]: [Image[], Seen['maps'][number][]] = [[], []];
  if (picture) {
    const x = models.map(({ network }, n): Tensor => toInput(picture, ways[n], inputShape(network)));
    pictures.push(...x.map((one, n) => deprocess(one, ways[n])));
    for (const layer of layers) maps.push({ layer, ...(await compareMaps(engine, sides.map((side, n) => ({ ...side, x: x[n] })), layer, call.signal)) });
  }
  return { preferred, pictures, maps };
}
