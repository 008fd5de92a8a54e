/** `unitscope top`: the patches of pictures that units answer most, and what in them moves the units. */
import { version } from '../../../package.json';
import { throwIfAborted, UnitscopeError } from '../../errors.ts';
import { layerShape, mapShape, surveyedLayers, TOP_PATCHES_METHOD, type Network, type PictureSet } from '../../index.ts';
import { EXIT, type Command, type Report } from './command.ts';
import { kindOf } from './files.ts';
import { adapterName, forcedKernel, KERNEL_OPTIONS, withKernels } from './gpu.ts';
import { table } from './help.ts';
import { inputShape, neededPreprocess, PREPROCESS_OPTIONS } from './input.ts';
import { JobFolder } from './job_folder.ts';
import { loadModel, MODEL_OPTIONS } from './model.ts';
import { PICTURE_SET_OPTIONS, pictureSetOf, setFacts } from './picture_set.ts';
import { RULES } from './plan.ts';
import { counted, measured } from './quantity.ts';
import { collect, drawSheets, listing, type TopJob, type TopLayer } from './top_job.ts';
import { choiceOf, countOf, rangeOf, type Range } from './value.ts';

/** No pictures of what moves the units. */
const NONE = 'none';

export const top: Command = {
  name: TOP_PATCHES_METHOD.name,
  summary: TOP_PATCHES_METHOD.summary,
  operands: ['MODEL?'],
  options: {
    layer: { type: 'text', value: 'NAME', summary: "layer, by node or output name; 'all' for every convolution and dense layer", repeats: true },
    ...PICTURE_SET_OPTIONS,
    out: { type: 'text', value: 'FOLDER', summary: 'sheets of patches and top.json; started again, it goes on where it was' },
    units: { type: 'text', value: 'FROM..TO', summary: 'units that are drawn, of each layer; all unless given. top.json lists every unit' },
    count: { type: 'text', value: 'N', summary: 'patches of each unit', default: '9' },
    rule: { type: 'text', value: 'RULE', summary: `what is shown beside the patches: the gradient by ${RULES.join(', ')}; or ${NONE}`, default: 'guided' },
    ...PREPROCESS_OPTIONS,
    ...KERNEL_OPTIONS,
    ...MODEL_OPTIONS,
  },
  examples: [
    ['unitscope top --layer conv2 --layer conv5 --scenes 20 --out top/', 'what units of the embedded network look for in its own world'],
    ['unitscope top network.onnx --layer all --images photos/ --preprocess imagenet --out top/', 'every unit of another network, in a folder of pictures'],
    ['unitscope top network.onnx --layer conv10 --units 281..293 --images photos/ --preprocess imagenet --out top/', 'the sheet of some units'],
    ['unitscope top --layer fc7 --scenes 100 --count 16 --rule none --out top/', 'sixteen pictures a unit, without what moves them'],
  ],
  gpu: true,
  async run(call): Promise<Report> {
    const count = countOf('count', call.values.count!, 1, 100);
    const rule = choiceOf('rule', call.values.rule!, [...RULES, NONE]);
    const units = call.values.units === undefined ? null : rangeOf('units', call.values.units);
    const { out } = call.values;
    const { network, hash } = await loadModel(call, call.operands[0]);
    const layers = surveyedLayers(network, call.lists.layer);
    checkRange(network, layers, units);
    const preprocess = neededPreprocess(call, network);
    if (out === undefined) throw new UnitscopeError('usage', 'no folder is given', {}, 'name one with --out FOLDER');
    if (['file', 'other'].includes(await kindOf(out))) throw new UnitscopeError('usage', `'${out}' is no folder`, { file: out });
    const pictures = await pictureSetOf(call);

    return withKernels(call, async (engine) => {
      const [, , height, width] = inputShape(network);
      const set = pictures(engine, Math.max(height, width));
      const adapter = adapterName(engine);
      const settings = { layers, units: units && { ...units }, count, rule, preprocess: { ...preprocess }, kernel: forcedKernel(call) ?? null, ...(await setFacts(call, set)) };
      const folder = await JobFolder.open(out, JSON.stringify({ method: TOP_PATCHES_METHOD.name, network: { name: network.name, hash }, ...settings, adapter, version }));
      const job: TopJob = { call, engine, network, hash, set, folder, layers, units: units ?? undefined, count, preprocess, rule: rule === NONE ? undefined : rule, settings, adapter };
      const found = await collect(job);
      throwIfAborted(call.signal);
      const list = listing(job, found);
      await drawSheets(job, found);
      await folder.write('top.json', new TextEncoder().encode(`${JSON.stringify({ ...list, broken: found.broken.list() }, null, 1)}\n`));
      const failed = found.broken.list().length > 0;
      return {
        data: { network: network.name, hash, adapter, ...settings, out, layers: found.layers.map(summaryOf), broken: found.broken.list() },
        text: describe(network, set, found.layers, out, found.broken.lines()),
        exit: failed ? EXIT.failed : EXIT.ok,
      };
    });
  },
};

/** @throws usage where a layer has no such units */
function checkRange(network: Network, layers: readonly string[], units: Range | null): void {
  for (const layer of units ? layers : []) {
    const [channels] = mapShape(layerShape(network, layer));
    if (units!.from >= channels) throw new UnitscopeError('usage', `${layer} has the units 0 to ${channels - 1}, not ${units!.from}`, { layer });
  }
}

/** Units whose best answer is not above 0. */
const silentOf = ({ winners }: TopLayer): number => winners.filter(([best]) => !(best && best.value > 0)).length;

function summaryOf(layer: TopLayer) {
  const best = layer.winners.map(([first], channel) => ({ channel, value: first?.value ?? -Infinity })).reduce((a, b) => (b.value > a.value ? b : a));
  return { layer: layer.name, units: layer.winners.length, silent: silentOf(layer), strongest: Number.isFinite(best.value) ? best : null, sheets: layer.sheets };
}

function describe(network: Network, { pictures }: PictureSet, layers: readonly TopLayer[], out: string, broken: readonly string[]): string {
  const rows = layers.map((layer) => {
    const { units, silent, strongest, sheets } = summaryOf(layer);
    return [layer.name, String(units), String(silent), strongest ? `${measured(strongest.value)} in unit ${strongest.channel}` : '', counted(sheets.length, 'sheet')];
  });
  return [
    `${network.name}, ${counted(pictures.length, 'picture')}`,
    ...table([['layer', 'units', 'never above 0', 'strongest answer', ''], ...rows], [1, 2]),
    ...broken,
    `wrote ${out}`,
  ].join('\n');
}
