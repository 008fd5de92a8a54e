/** `unitscope statistics`: how units answer a set of pictures, and which of them are dead. */
import { join } from 'node:path';
import { version } from '../../../package.json';
import { UnitscopeError } from '../../errors.ts';
import { rangeOf, STATISTICS_METHOD, surveyedLayers, writeNpy, type LayerStatistics, type Statistics } from '../../index.ts';
import { EXIT, type Command, type Report } from './command.ts';
import { fileNames, kindOf, writeWhole } from './files.ts';
import { adapterName, forcedKernel, KERNEL_OPTIONS, withKernels } from './gpu.ts';
import { table } from './help.ts';
import { inputShape, neededPreprocess, PREPROCESS_OPTIONS } from './input.ts';
import { JobFolder } from './job_folder.ts';
import { loadModel, MODEL_OPTIONS } from './model.ts';
import { PICTURE_SET_OPTIONS, pictureSetOf, setFacts } from './picture_set.ts';
import { counted, measured } from './quantity.ts';
import { measure } from './statistics_job.ts';
import { choiceOf } from './value.ts';

const MEASURES = ['max', 'mean'] as const;

/** Most units that are named on the screen; the file has all. */
const SHOWN = 24;

export const statistics: Command = {
  name: STATISTICS_METHOD.name,
  summary: STATISTICS_METHOD.summary,
  operands: ['MODEL?'],
  options: {
    layer: { type: 'text', value: 'NAME', summary: "layer, by node or output name; 'all' for every convolution and dense layer", repeats: true },
    ...PICTURE_SET_OPTIONS,
    out: { type: 'text', value: 'FOLDER', summary: 'statistics.json, report.txt, and for each layer its histograms and class means as .npy; started again, it goes on where it was' },
    classes: { type: 'text', value: 'MEASURE', summary: 'what a picture counts with in the mean of its class: the max or the mean of a map', default: MEASURES[0] },
    ...PREPROCESS_OPTIONS,
    ...KERNEL_OPTIONS,
    ...MODEL_OPTIONS,
  },
  examples: [
    ['unitscope statistics --layer all --scenes 20 --out statistics/', 'which units of the embedded network are dead'],
    ['unitscope statistics network.onnx --layer relu5 --images photos/ --preprocess imagenet --out statistics/', 'one layer of another network, in a folder of classes'],
  ],
  gpu: true,
  async run(call): Promise<Report> {
    const classes = choiceOf('classes', call.values.classes!, MEASURES);
    const { out } = call.values;
    const { network, hash } = await loadModel(call, call.operands[0]);
    const layers = surveyedLayers(network, call.lists.layer);
    const preprocess = neededPreprocess(call, network);
    if (out === undefined) throw new UnitscopeError('usage', 'no folder is given', {}, 'name one with --out FOLDER');
    if (['file', 'other'].includes(await kindOf(out))) throw new UnitscopeError('usage', `'${out}' is no folder`, { file: out });
    const pictures = await pictureSetOf(call);

    const { set, result, broken, adapter } = await withKernels(call, async (engine) => {
      const [, , height, width] = inputShape(network);
      const set = pictures(engine, Math.max(height, width));
      const adapter = adapterName(engine);
      const job = { method: STATISTICS_METHOD.name, network: { name: network.name, hash }, layers, classes, preprocess, kernel: forcedKernel(call) ?? null, ...(await setFacts(call, set)), adapter, version };
      const folder = await JobFolder.open(out, JSON.stringify(job));
      return { set, ...(await measure({ call, engine, network, set, folder, layers, preprocess, classes })), adapter };
    });

    const names = fileNames(layers, '');
    const npys = result.layers.map((layer, n) => arraysOf(layer, names[n])).flat();
    for (const { file, tensor } of npys) await writeWhole(join(out, file), writeNpy(tensor));
    const facts = { network: { name: network.name, hash }, adapter, preprocess, pictures: result.pictures, classes: { measure: classes, labels: set.labels, counts: result.classCounts }, broken: broken.list() };
    const json = { ...facts, layers: result.layers.map(({ classMeans: _, ...layer }) => ({ ...layer, units: layer.units.map(unitFacts) })) };
    await writeText(join(out, 'statistics.json'), JSON.stringify(json));
    const title = `${network.name}, ${counted(result.pictures, 'picture')}`;
    await writeText(join(out, 'report.txt'), [title, ...describe(result), ...broken.lines()].join('\n'));
    const files = [...npys.map(({ file }) => file), 'statistics.json', 'report.txt'].map((file) => join(out, file));
    return {
      data: { ...facts, layers: result.layers.map(({ layer, units, dead, nearlyDead, constant }) => ({ layer, units: units.length, dead, nearlyDead, constant })), files },
      text: [title, ...describe(result, SHOWN), ...broken.lines(), `wrote ${out}`].join('\n'),
      exit: broken.list().length > 0 ? EXIT.failed : EXIT.ok,
    };
  },
};

const writeText = (path: string, text: string): Promise<void> => writeWhole(path, new TextEncoder().encode(`${text}\n`));

/** [units, bins] and, where pictures have classes, [units, classes]. */
function arraysOf({ units, classMeans }: LayerStatistics, base: string) {
  const counts = units.map(({ histogram }) => histogram.counts);
  const histogram = { shape: [units.length, counts[0].length], data: Float32Array.from(counts.flat()) };
  return [{ file: `${base}-histogram.npy`, tensor: histogram }, ...(classMeans ? [{ file: `${base}-classes.npy`, tensor: classMeans }] : [])];
}

function unitFacts({ histogram, ...unit }: LayerStatistics['units'][number]) {
  const [from, to] = rangeOf(histogram);
  return { ...unit, histogram: { from, to, counts: histogram.counts } };
}

/** @param most units that a line names */
function describe({ layers }: Statistics, most = Infinity): string[] {
  const share = (units: LayerStatistics['units'], of: 'zeros' | 'silent'): string => `${((100 * units.reduce((sum, unit) => sum + unit[of], 0)) / units.length).toFixed(1)} %`;
  const rows = layers.map(({ layer, units, dead, nearlyDead, constant }) => [
    layer,
    String(units.length),
    String(dead.length),
    String(nearlyDead.length),
    String(constant.length),
    share(units, 'zeros'),
    share(units, 'silent'),
    measured(units.reduce((max, unit) => Math.max(max, unit.max), -Infinity)),
  ]);
  const lines = layers.flatMap(({ layer, units, dead, nearlyDead, constant }) => {
    const line = (channels: readonly number[], what: string): string[] => {
      if (channels.length === 0) return [];
      const named = channels.slice(0, most).join(', ');
      return [`${layer}: ${channels.length} of ${units.length} units ${what}: ${named}${channels.length > most ? ', ...' : ''}`];
    };
    const broken = units.flatMap(({ notFinite }, channel) => (notFinite > 0 ? [channel] : []));
    const stiff = constant.filter((channel) => !dead.includes(channel));
    return [...line(dead, 'dead'), ...line(nearlyDead, 'nearly dead'), ...line(stiff, 'constant'), ...line(broken, 'not finite')];
  });
  return [...table([['layer', 'units', 'dead', 'nearly dead', 'constant', 'values 0', 'pictures silent', 'largest'], ...rows], [1, 2, 3, 4, 5, 6, 7]), ...lines];
}
