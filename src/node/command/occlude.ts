/** `unitscope occlude`: where a picture's evidence lies, by covering it piece by piece. */
import { version } from '../../../package.json';
import { UnitscopeError } from '../../errors.ts';
import {
  classCount, coveredPicture, deprocess, encodePng, FILLS, occlusion, OCCLUSION_METHOD, occlusionDrops, overlayHeat, panels, planeRange,
  RECIPE_KEYWORD, recipeText, spreadGrid, worstPatch, writeNpy,
  type Engine, type Image, type Network, type OcclusionMap, type OcclusionOptions, type OcclusionProgress, type Preprocess, type Tensor,
} from '../../index.ts';
import { classNamed } from './class_name.ts';
import type { Call, Command, Report } from './command.ts';
import { checkTarget, writeWhole } from './files.ts';
import { adapterName, KERNEL_OPTIONS, withKernels } from './gpu.ts';
import { table } from './help.ts';
import { INPUT_OPTIONS, neededPreprocess, oneInput, splitOperands } from './input.ts';
import { loadModel, MODEL_OPTIONS } from './model.ts';
import { measured, milliseconds } from './quantity.ts';
import { choiceOf, countOf } from './value.ts';

const SHOWS = ['drop', 'score'] as const;
const SPREADS = ['bilinear', 'nearest'] as const;

/** Most pixels of a patch or a step, and most pictures at once. */
const MOST = { side: 65535, batch: 1024 } as const;

export const occlude: Command = {
  name: OCCLUSION_METHOD.name,
  summary: OCCLUSION_METHOD.summary,
  operands: ['MODEL?', 'IMAGE?'],
  options: {
    class: { type: 'text', value: 'CLASS', summary: 'whose probability is watched: index, or a part of its label; the class that the network names, unless given' },
    unit: { type: 'text', value: 'UNIT', summary: 'in place of a class: LAYER:CHANNEL or LAYER:CHANNEL@Y,X' },
    patch: { type: 'text', value: 'N', summary: 'side of the patch, pixels of the input; 32 of 227 unless given' },
    stride: { type: 'text', value: 'N', summary: 'pixels between two places; 16 of 227 unless given' },
    fill: { type: 'text', value: 'WORD', summary: `what the patch shows: ${FILLS.join(', ')} (mean: 0 in network units; zero: black)`, default: 'mean' },
    seed: { type: 'text', value: 'S', summary: 'seed of the noise', default: '0' },
    batch: { type: 'text', value: 'N', summary: 'covered pictures that run at once; 16 unless given, 2 without a GPU' },
    out: { type: 'text', value: 'FILE.png', summary: 'write the picture, the heat map over it, and the place that matters most' },
    npy: { type: 'text', value: 'FILE.npy', summary: 'write the scores [rows, columns]' },
    show: { type: 'text', value: 'WORD', summary: 'the heat map: drop (how far the score falls) or score', default: SHOWS[0] },
    spread: { type: 'text', value: 'WORD', summary: `how the places become pixels: ${SPREADS.join(', ')}`, default: SPREADS[0] },
    ...INPUT_OPTIONS,
    ...KERNEL_OPTIONS,
    ...MODEL_OPTIONS,
  },
  examples: [
    ['unitscope occlude photo.png --out why.png', 'what the embedded network goes by'],
    ['unitscope occlude network.onnx cat.jpg --class tabby --fill blur --out why.png --preprocess imagenet --labels classes.txt', 'why a class is seen, without the edges of a grey patch'],
    ['unitscope occlude network.onnx cat.jpg --unit conv4:17 --patch 16 --stride 4 --npy scores.npy --preprocess imagenet', 'what one unit looks at, as numbers'],
  ],
  gpu: true,
  async run(call): Promise<Report> {
    const { out, npy, unit } = call.values;
    const show = choiceOf('show', call.values.show!, SHOWS);
    const spread = choiceOf('spread', call.values.spread!, SPREADS);
    const fill = choiceOf('fill', call.values.fill!, FILLS);
    const [patch, stride] = ['patch', 'stride'].map((name) => (call.values[name] === undefined ? undefined : countOf(name, call.values[name], 1, MOST.side)));
    const seed = countOf('seed', call.values.seed!, 0, 0xffffffff);
    const asked = call.values.batch === undefined ? undefined : countOf('batch', call.values.batch, 1, MOST.batch);
    if (unit !== undefined && call.values.class !== undefined) throw new UnitscopeError('usage', 'give --class or --unit, not both');
    const { model, images } = await splitOperands(call);
    const { network, hash } = await loadModel(call, model);
    const index = call.values.class === undefined ? undefined : classNamed(call.values.class, network.labels, classCount(network));
    if (out !== undefined) await checkTarget(out, '.png');
    if (npy !== undefined) await checkTarget(npy, '.npy');
    const preprocess = neededPreprocess(call, network);
    const x = await oneInput(call, network, images);
    const options = { fill, seed, preprocess, ...(asked !== undefined && { batch: asked }), signal: call.signal, ...(patch && { patch }), ...(stride && { stride }), ...(unit !== undefined && { unit }), ...(index !== undefined && { class: index }) };
    const { end, adapter } = await withKernels(call, async (engine) => ({ end: await watch(call, engine, network, x, options), adapter: adapterName(engine) }));
    const { map, ms, batch, total } = end;
    const facts = factsOf(map, map.class === undefined ? null : (network.labels?.[map.class] ?? `class ${map.class}`));

    const files: string[] = [];
    if (npy !== undefined) {
      await writeWhole(npy, writeNpy(map.scores));
      files.push(npy);
    }
    if (out !== undefined) {
      const settings = { patch: map.patch, stride: map.stride, fill, show, spread, class: map.class ?? null, preprocess: { ...preprocess } };
      const recipe = recipeText({ network: { name: network.name, hash }, method: OCCLUSION_METHOD.name, units: [map.unit], settings, seed, iterations: total, adapter, version });
      await writeWhole(out, await encodePng(compose(x, map, facts, preprocess, { show, spread }), { [RECIPE_KEYWORD]: recipe }));
      files.push(out);
    }
    if (!Number.isFinite(map.whole)) call.warn('the score is not finite: the weights or the input have numbers that are not, or it overflows');
    return {
      data: { network: network.name, hash, adapter, ...facts, fill, seed, batch, tops: map.tops, lefts: map.lefts, scores: [...map.scores.data], ms, files },
      text: describe(map, facts, { fill, batch, ms, total }, files),
    };
  },
};

async function watch(call: Call, engine: Engine, network: Network, x: Tensor, options: OcclusionOptions): Promise<OcclusionProgress> {
  let last: OcclusionProgress | undefined;
  for await (const progress of occlusion(engine, network, x, options)) {
    last = progress;
    call.progress.report('places', progress.done, progress.total);
  }
  return last!;
}

interface Facts {
  readonly unit: string;
  /** Of the class; null where the score is no probability. */
  readonly label: string | null;
  readonly score: number;
  readonly patch: number;
  readonly stride: number;
  /** The place that lowers the score most. */
  readonly worst: { readonly top: number; readonly left: number; readonly score: number; readonly drop: number };
  /** Places that raise it. */
  readonly raising: number;
}

function factsOf(map: OcclusionMap, label: string | null): Facts {
  const worst = worstPatch(map);
  const { unit, patch, stride, whole, scores } = map;
  return { unit, label, score: whole, patch, stride, worst: { ...worst, drop: whole - worst.score }, raising: scores.data.filter((score) => score > whole).length };
}

const shown = (score: number, { label }: Facts): string => (label === null ? measured(score) : `${(100 * score).toFixed(1)} %`);

/** The picture, the heat map over it, and the picture under the patch that matters most. */
function compose(x: Tensor, map: OcclusionMap, facts: Facts, preprocess: Preprocess, { show, spread }: { show: (typeof SHOWS)[number]; spread: (typeof SPREADS)[number] }): Image {
  const picture = deprocess(x, preprocess);
  const values = show === 'drop' ? occlusionDrops(map).data : map.scores.data;
  const colors = show === 'drop' ? 'diverging' : 'ember';
  // A score belongs to the middle of what its patch covers.
  const middles = (starts: readonly number[], length: number): number[] => starts.map((start) => (start + Math.min(start + map.patch, length) - 1) / 2);
  const plane = spreadGrid({ values, rows: middles(map.tops, picture.height), columns: middles(map.lefts, picture.width) }, picture.width, picture.height, spread);
  const range = planeRange(values, colors);
  const heat = overlayHeat(picture, plane, colors, range);
  return panels([[
    { image: picture, lines: [facts.label ?? facts.unit, shown(facts.score, facts)] },
    { image: heat, lines: show === 'drop' ? ['orange: it falls', `by up to ${shown(Math.max(0, facts.worst.drop), facts)}`] : ['score', `${shown(range[0], facts)} to ${shown(range[1], facts)}`] },
    { image: deprocess(coveredPicture(x, map, facts.worst), preprocess), lines: ['covered there', shown(facts.worst.score, facts)] },
  ]], { width: 224 });
}

function describe({ tops, lefts }: OcclusionMap, facts: Facts, run: { fill: string; batch: number; ms: number; total: number }, files: readonly string[]): string {
  const { worst } = facts;
  const rows = [
    ['unit', facts.unit],
    ...(facts.label === null ? [] : [['class', facts.label]]),
    [facts.label === null ? 'activation' : 'probability', shown(facts.score, facts)],
    ['patch', `${facts.patch} pixels, every ${facts.stride}, filled with ${run.fill}`],
    ['places', `${tops.length} x ${lefts.length}`],
    ['matters most', `rows from ${worst.top}, columns from ${worst.left}: ${shown(worst.score, facts)} are left`],
    ['raise it', `${facts.raising} places`],
    ['time', `${milliseconds(run.ms)}, ${milliseconds(run.ms / run.total)} a place, ${run.batch} at once`],
  ];
  return [...table(rows), ...files.map((file) => `wrote ${file}`)].join('\n');
}
