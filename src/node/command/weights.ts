/** `unitscope weights`: what the layers of a network have learnt, as pictures and numbers. */
import { join } from 'node:path';
import { version } from '../../../package.json';
import { throwIfAborted, UnitscopeError } from '../../errors.ts';
import {
  encodePng,
  filterSheet,
  histogramPicture,
  isColored,
  kernelSheet,
  kernelsOf,
  RECIPE_KEYWORD,
  recipeText,
  SCALES,
  unitNorms,
  weightLayers,
  WEIGHTS_METHOD,
  weightStatistics,
  type Image,
  type Kernels,
  type Preprocess,
  type Scale,
} from '../../index.ts';
import { EXIT, type Call, type Command, type Report } from './command.ts';
import { checkTarget, fileNames, isFolder, makeFolder, writeWhole } from './files.ts';
import { table } from './help.ts';
import { PREPROCESS_OPTIONS, statedPreprocess } from './input.ts';
import { loadModel, MODEL_OPTIONS, type Model } from './model.ts';
import { measured } from './quantity.ts';
import { choiceOf, countOf } from './value.ts';

const SHOWS = ['auto', 'filters', 'kernels', 'histogram'] as const;
type Show = (typeof SHOWS)[number];

/** Units with the largest and with the smallest norms that are listed. */
const LISTED = 10;

export const weights: Command = {
  name: WEIGHTS_METHOD.name,
  summary: WEIGHTS_METHOD.summary,
  operands: ['MODEL?'],
  options: {
    layer: { type: 'text', value: 'NAME', summary: 'layer, by node or output name; unless given, the first one for a file, all for a folder', repeats: true },
    out: { type: 'text', value: 'FILE.png', summary: 'write a picture; folder/ for pictures, histograms and norms.json of all layers' },
    show: { type: 'text', value: 'WORD', summary: `what the picture shows: ${SHOWS.join(', ')} (filters where a layer reads a colour image, else kernels)`, default: SHOWS[0] },
    scale: { type: 'text', value: 'WORD', summary: `one range for all kernels, or one for each: ${SCALES.join(', ')}`, default: SCALES[0] },
    most: { type: 'text', value: 'N', summary: 'outputs and inputs of a layer that are drawn', default: '64' },
    ...PREPROCESS_OPTIONS,
    ...MODEL_OPTIONS,
  },
  examples: [
    ['unitscope weights --out conv1.png', 'the first filters of the embedded network in colour'],
    ['unitscope weights network.onnx --layer conv3 --out conv3.png --most 32', 'kernels as small multiples: a row for each output, a column for each input'],
    ['unitscope weights network.onnx --out weights/', 'every layer: picture, histogram, norms of its units'],
  ],
  gpu: false,
  async run(call): Promise<Report> {
    const { out } = call.values;
    const show = choiceOf('show', call.values.show!, SHOWS);
    const scale = choiceOf('scale', call.values.scale!, SCALES);
    const most = countOf('most', call.values.most!, 1, 512);
    const model = await loadModel(call, call.operands[0]);
    const { network, hash } = model;
    const channels = channelsOf(call, model);
    const folder = out !== undefined && (await isFolder(out));
    const layers = layersOf(call, model, out !== undefined && !folder);
    if (out !== undefined && !folder) await checkTarget(out, '.png');
    const names = fileNames(layers, '');
    const recipe = (layer: string, picture: string): Record<string, string> => ({
      [RECIPE_KEYWORD]: recipeText({
        network: { name: network.name, hash },
        method: WEIGHTS_METHOD.name,
        units: [],
        settings: { layer, picture, scale, most, channels },
        seed: 0,
        iterations: 0,
        adapter: 'none',
        version,
      }),
    });

    const files: string[] = [];
    const write = async (path: string, bytes: Uint8Array): Promise<void> => {
      await writeWhole(path, bytes);
      files.push(path);
    };
    if (folder) await makeFolder(out);
    const facts: Facts[] = [];
    for (const [n, layer] of layers.entries()) {
      throwIfAborted(call.signal);
      const kernels = kernelsOf(network, layer);
      if (out === undefined) facts.push(factsOf(kernels));
      else {
        const { image, ...drawn } = draw(kernels, show, { channels, scale, most });
        await write(folder ? join(out, `${names[n]}.png`) : out, await encodePng(image, recipe(layer, drawn.shows)));
        if (folder && show === 'auto') await write(join(out, `${names[n]}-histogram.png`), await encodePng(histogramPicture(kernels), recipe(layer, 'histogram')));
        facts.push({ ...factsOf(kernels), drawn });
      }
      call.progress.report('layers', n + 1, layers.length);
      await new Promise((resolve) => setImmediate(resolve)); // a request to stop is heard
    }
    const data = { network: network.name, hash, layers: facts };
    if (folder) await write(join(out, 'norms.json'), new TextEncoder().encode(`${JSON.stringify(data, null, 1)}\n`));
    for (const { layer, notFinite } of facts) if (notFinite > 0) call.warn(`note: ${notFinite} weights of '${layer}' are not finite`);
    return { data: { ...data, files }, text: describe(facts, files), exit: facts.some(({ notFinite }) => notFinite > 0) ? EXIT.failed : EXIT.ok };
  },
};

/** The layers that are meant, each once. */
function layersOf({ lists }: Call, { network }: Model, one: boolean): string[] {
  const asked = [...new Set(lists.layer.map((layer) => kernelsOf(network, layer).layer))];
  if (one && asked.length > 1) throw new UnitscopeError('usage', `one picture cannot show ${asked.length} layers`, {}, 'end --out with / for one file per layer');
  const all = weightLayers(network);
  if (all.length === 0) throw new UnitscopeError('usage', `'${network.name}' has no layer with kernels`);
  return asked.length > 0 ? asked : one ? all.slice(0, 1) : all;
}

/** The order of the channels of the image; where nothing is said, RGB, and a word of it. */
function channelsOf(call: Call, { network }: Model): Preprocess['channels'] {
  const stated = network.inputs.length === 1 ? statedPreprocess(call, network)?.channels : undefined;
  if (stated === undefined && network.inputs[0]?.shape[1] === 3) call.warn(`note: '${network.name}' does not say how a picture becomes its input: its channels are shown as RGB; --preprocess says otherwise`);
  return stated ?? 'RGB';
}

interface Drawing {
  readonly image: Image;
  readonly shows: Exclude<Show, 'auto'>;
  /** Of kernels: how many of the layer's are on the picture, and what the strongest colour stands for. */
  readonly outputs?: number;
  readonly inputs?: number;
  readonly reach?: number | undefined;
}

function draw(kernels: Kernels, show: Show, { channels, scale, most }: { readonly channels: Preprocess['channels']; readonly scale: Scale; readonly most: number }): Drawing {
  const shows = show === 'auto' ? (isColored(kernels) ? 'filters' : 'kernels') : show;
  if (shows === 'filters') return { shows, image: filterSheet(kernels, channels, scale) };
  if (shows === 'histogram') return { shows, image: histogramPicture(kernels) };
  return { shows, ...kernelSheet(kernels, { scale, most }) };
}

type Facts = ReturnType<typeof factsOf> & { readonly drawn?: Omit<Drawing, 'image'> };

function factsOf(kernels: Kernels) {
  const { layer, op, outputs, inputs, groups, height, width } = kernels;
  return { layer, op, outputs, inputs, groups, kernel: [height, width], ...weightStatistics(kernels), norms: [...unitNorms(kernels)].map((norm) => (Number.isFinite(norm) ? norm : null)) };
}

function describe(facts: readonly Facts[], files: readonly string[]): string {
  const rows = facts.map(({ layer, outputs, inputs, kernel, least, greatest, mean, deviation, norms }) => {
    const sorted = finite(norms).sort((a, b) => a - b);
    const [small, middle, large] = [0, Math.floor((sorted.length - 1) / 2), sorted.length - 1].map((at) => (sorted.length > 0 ? measured(sorted[at]) : '-'));
    return [layer, `${outputs} x ${inputs} x ${kernel.join(' x ')}`, measured(least), measured(greatest), measured(mean), measured(deviation), small, middle, large];
  });
  return [
    ...table([['layer', 'kernels', 'least', 'greatest', 'mean', 'deviation', 'least norm', 'median', 'greatest'], ...rows], [2, 3, 4, 5, 6, 7, 8]),
    ...(facts.length === 1 ? ['', ...normRows(facts[0])] : []),
    ...facts.flatMap(({ layer, outputs, inputs, drawn }) => (drawn?.outputs !== undefined && (drawn.outputs < outputs || drawn.inputs! < inputs) ? [`${layer}: shown are the first ${drawn.outputs} of ${outputs} outputs and ${drawn.inputs} of ${inputs} inputs; --most shows more`] : [])),
    ...files.map((file) => `wrote ${file}`),
  ].join('\n');
}

const finite = (norms: readonly (number | null)[]): number[] => norms.filter((norm) => norm !== null);

/** The units with the largest and the smallest norms, side by side. */
function normRows({ layer, norms }: Facts): string[] {
  const order = [...norms.keys()].filter((n) => norms[n] !== null).sort((a, b) => norms[b]! - norms[a]! || a - b);
  const count = Math.min(LISTED, order.length);
  const cell = (n: number): string[] => [`${layer}:${n}`, measured(norms[n]!)];
  return table([['largest', 'norm', 'smallest', 'norm'], ...Array.from({ length: count }, (_, k) => [...cell(order[k]), ...cell(order.at(-1 - k)!)])], [1, 3]);
}
