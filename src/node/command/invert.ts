/** `unitscope invert`: what a layer still knows of a picture. */
import { basename } from 'node:path';
import { version } from '../../../package.json';
import { UnitscopeError } from '../../errors.ts';
import {
  encodePng,
  findNode,
  hashBytes,
  INVERSION,
  stableRate,
  inversionSettings,
  invert as runInversion,
  INVERT_METHOD,
  RECIPE_KEYWORD,
  recipeText,
  sheet,
  stackImages,
  variationAt,
  type Engine,
  type Image,
  type Inversion,
  type InversionSettings,
} from '../../index.ts';
import { EXIT, type Call, type Command, type Report } from './command.ts';
import { isFolder, makeFolder, readBytes, writeWhole } from './files.ts';
import { adapterName, KERNEL_OPTIONS, withKernels } from './gpu.ts';
import { table } from './help.ts';
import { neededPreprocess, pictureTensor, PREPROCESS_OPTIONS, splitOperands } from './input.ts';
import { loadModel, MODEL_OPTIONS } from './model.ts';
import { pictureTargets } from './picture_targets.ts';
import { countOf, numberOf } from './value.ts';

/** Numbers, in the order of the help. */
const MEANING: Readonly<Record<keyof InversionSettings, string>> = {
  steps: `steps, ${INVERSION.steps} unless given`,
  restarts: `starts side by side, the closest is kept; ${INVERSION.restarts} unless given`,
  rate: 'step size at first; 0.004 unless given, or what is stable with the total variation',
  alpha: `weight of the mean of (level / 128)^6, ${INVERSION.alpha} unless given`,
  variation: 'weight of the total variation; 1, 10 or 100 by depth unless given',
  beta: `exponent of the total variation, ${INVERSION.beta} unless given`,
};

export const invert: Command = {
  name: INVERT_METHOD.name,
  summary: INVERT_METHOD.summary,
  operands: ['MODEL?', 'IMAGE?'],
  options: {
    layer: { type: 'text', value: 'LAYER', summary: 'whose code is inverted; several: one picture each', repeats: true },
    with: { type: 'text', value: 'IMAGE', summary: 'a second picture: invert the mean of both codes', repeats: true },
    out: { type: 'text', value: 'FILE.png', summary: 'the picture, a sheet where there are several; folder/ for one file each' },
    seed: { type: 'text', value: 'S', summary: 'seed of the first start, the next ones follow', default: '0' },
    ...Object.fromEntries(Object.entries(MEANING).map(([name, summary]) => [name, { type: 'text' as const, value: 'N', summary }])),
    ...PREPROCESS_OPTIONS,
    ...KERNEL_OPTIONS,
    ...MODEL_OPTIONS,
  },
  examples: [
    ['unitscope invert photo.png --layer conv2 --layer conv4 --out known.png', 'what two layers of the embedded network know of a picture'],
    ['unitscope invert net.onnx cat.jpg --with dog.jpg --layer fc7 --out between.png --preprocess caffe', 'what lies between two pictures'],
  ],
  gpu: true,
  async run(call): Promise<Report> {
    const settings = settingsOf(call);
    const seed = countOf('seed', call.values.seed!, 0, 0xffffffff);
    const { model, images } = await splitOperands(call);
    const { network, hash } = await loadModel(call, model);
    if (call.lists.layer.length === 0) throw new UnitscopeError('usage', 'no layer is given', {}, 'name one with --layer, for example --layer conv3');
    const layers = [...new Set(call.lists.layer.map((layer) => findNode(network, layer).name))];
    if (images.length !== 1) throw new UnitscopeError('usage', images.length === 0 ? 'IMAGE is missing' : `one IMAGE is inverted, ${images.length} are given`, {}, 'a second one is named with --with');
    const preprocess = neededPreprocess(call, network);
    const targets = await pictureTargets(call.values.out, layers);
    const paths = [images[0], ...call.lists.with];
    const x = stackImages(await Promise.all(paths.map((path) => pictureTensor(path, network, preprocess))));
    const pictures = await Promise.all(paths.map(async (path) => ({ name: basename(path), hash: await hashBytes(await readBytes(path)) })));
    const variationOf = (layer: string): number => settings.variation ?? variationAt(network, layer);
    const recipe = (own: readonly string[], adapter: string): string =>
      recipeText({
        network: { name: network.name, hash },
        method: INVERT_METHOD.name,
        units: own,
        settings: { ...settings, variation: own.map(variationOf), rate: own.map((layer) => settings.rate ?? stableRate(variationOf(layer))), preprocess: { ...preprocess }, pictures },
        seed,
        iterations: settings.steps,
        adapter,
        version,
      });
    for (const target of targets) recipe(target.pictures.map((n) => layers[n]), '');

    const work = async (engine: Engine) => {
      const found: Inversion[] = [];
      for (const layer of layers) {
        for await (const { step, errors, result } of runInversion(engine, network, x, { layer, settings, seed, preprocess, signal: call.signal })) {
          call.progress.report(layer, step, settings.steps, String, `error ${percent(Math.min(...errors))}`);
          if (result) found.push(result);
        }
      }
      return { found, adapter: adapterName(engine) };
    };
    const { found, adapter } = await withKernels(call, work);

    const files: string[] = [];
    if (await isFolder(call.values.out!)) await makeFolder(call.values.out!);
    for (const target of targets) {
      const own: Image[] = target.pictures.map((n) => found[n].picture);
      const image = own.length === 1 ? own[0] : sheet(own);
      await writeWhole(target.path, await encodePng(image, { [RECIPE_KEYWORD]: recipe(target.pictures.map((n) => layers[n]), adapter) }));
      files.push(target.path);
    }
    const results = layers.map((layer, n) => ({ layer, error: found[n].error, errors: found[n].errors, variation: found[n].variation, rate: found[n].rate }));
    const rows = results.map(({ layer, error, errors }) => [layer, percent(error), errors.map(percent).join(', ')]);
    return {
      data: { network: network.name, hash, adapter, settings, seed, pictures, layers: results, files },
      text: [...table([['layer', 'error of the code', 'of every start'], ...rows], [1]), ...files.map((file) => `wrote ${file}`)].join('\n'),
      exit: EXIT.ok,
    };
  },
};

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** Throws 'usage' naming the option or the setting, with its range. */
function settingsOf({ values }: Call): InversionSettings {
  const given = Object.keys(MEANING).flatMap((name) => (values[name] === undefined ? [] : [[name, numberOf(name, values[name])]]));
  return inversionSettings(Object.fromEntries(given) as Partial<InversionSettings>);
}
