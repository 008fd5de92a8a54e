/** `unitscope embed`: pictures on a map, near each other where a layer answers alike. */
import { join } from 'node:path';
import { version } from '../../../package.json';
import { UnitscopeError } from '../../errors.ts';
import {
  agreement,
  classLayers,
  computed,
  embed as runEmbed,
  EMBED_DEFAULTS,
  EMBED_METHOD,
  embeddingMap,
  embedThrough,
  embedSettings,
  encodePng,
  featurePoints,
  findNode,
  fitImage,
  GRID_MOST,
  gridOf,
  layerFeatures,
  LAYOUTS,
  METRICS,
  nearestNeighbours,
  overColor,
  POOLINGS,
  RECIPE_KEYWORD,
  recipeText,
  SCENE_SIZES,
  snapToGrid,
  tileSide,
  writeNpy,
  type ComputationStep,
  type EmbedSettings,
  type Engine,
  type Image,
  type Neighbours,
  type Network,
  type Picture,
  type PictureSet,
  type Preprocess,
  type Tensor,
} from '../../index.ts';
import { openEmbeddingThread } from '../embedding_thread.ts';
import { EXIT, type Call, type Command, type Report } from './command.ts';
import { kindOf, makeFolder, writeWhole } from './files.ts';
import { adapterName, KERNEL_OPTIONS, withKernels } from './gpu.ts';
import { table } from './help.ts';
import { inputShape, neededPreprocess, PREPROCESS_OPTIONS } from './input.ts';
import { loadModel, MODEL_OPTIONS } from './model.ts';
import { PICTURE_SET_OPTIONS, pictureSetOf } from './picture_set.ts';
import { counted } from './quantity.ts';
import { choiceOf, countOf, numberOf } from './value.ts';

/** Neighbours of a picture that are written down. */
const NEIGHBOURS = 5;

export const embed: Command = {
  name: EMBED_METHOD.name,
  summary: EMBED_METHOD.summary,
  operands: ['MODEL?'],
  options: {
    layer: { type: 'text', value: 'NAME', summary: 'layer, by node or output name' },
    ...PICTURE_SET_OPTIONS,
    out: { type: 'text', value: 'FOLDER', summary: 'write map.png, points.json, neighbours.json and features.npy there' },
    method: { type: 'text', value: 'WORD', summary: `how they are laid out: ${LAYOUTS.join(', ')}`, default: EMBED_DEFAULTS.layout },
    pool: { type: 'text', value: 'WORD', summary: `what counts of a layer's maps: ${POOLINGS.join(', ')}`, default: POOLINGS[0] },
    grid: { type: 'flag', summary: 'put the pictures of the map into rows and columns, so that none covers another' },
    metric: { type: 'text', value: 'WORD', summary: `what is near, for umap and for neighbours: ${METRICS.join(', ')}`, default: EMBED_DEFAULTS.metric },
    perplexity: { type: 'text', value: 'X', summary: 'tsne: about how many neighbours a picture has', default: String(EMBED_DEFAULTS.perplexity) },
    neighbours: { type: 'text', value: 'N', summary: 'umap: how many make a neighbourhood', default: String(EMBED_DEFAULTS.neighbours) },
    'min-dist': { type: 'text', value: 'X', summary: 'umap: how close pictures may come', default: String(EMBED_DEFAULTS.minDist) },
    iterations: { type: 'text', value: 'N', summary: 'steps of tsne (1000 unless given), epochs of umap (500)' },
    seed: { type: 'text', value: 'S', summary: 'seed of the first map', default: '0' },
    ...PREPROCESS_OPTIONS,
    ...KERNEL_OPTIONS,
    ...MODEL_OPTIONS,
  },
  examples: [
    ['unitscope embed --layer fc7 --scenes 20 --out map/', 'what the embedded network takes for alike'],
    ['unitscope embed network.onnx --layer pool5 --images photos/ --method umap --metric cosine --grid --out map/', 'a folder of pictures by UMAP, in rows and columns'],
  ],
  gpu: true,
  async run(call): Promise<Report> {
    const settings = settingsOf(call);
    const pooling = choiceOf('pool', call.values.pool!, POOLINGS);
    const grid = call.flags.has('grid');
    const { network, hash } = await loadModel(call, call.operands[0]);
    const layer = layerOf(call, network);
    const out = await folderOf(call);
    const setOf = await pictureSetOf(call);
    const preprocess = neededPreprocess(call, network);
    const [, , height, width] = inputShape(network);
    const size = Math.min(SCENE_SIZES.most, Math.max(SCENE_SIZES.least, height, width));

    const { set, seen, adapter } = await withKernels(call, async (engine) => {
      const set = setOf(engine, size);
      const count = set.pictures.length;
      embedSettings(settings, count);
      if (grid && count > GRID_MOST) throw new UnitscopeError('usage', `a grid holds up to ${GRID_MOST} pictures, there are ${count}`, {}, 'take fewer, or leave --grid out');
      return { set, seen: await look(call, engine, network, set, { layer, pooling, preprocess, side: tileSide(count, grid) }), adapter: adapterName(engine) };
    });
    const { indices, features, tiles, broken } = seen;
    const used = embedSettings(settings, indices.length);
    const points = featurePoints(features);
    const options = { signal: call.signal, progress: (step: ComputationStep) => report(call, step) };
    let map = new Float64Array();
    const thread = openEmbeddingThread();
    try {
      for await (const step of thread ? embedThrough(thread, points, used, options) : runEmbed(points, used, options)) {
        if (step.map) map = new Float64Array(step.map);
        if (step.stage !== 'map') report(call, step);
      }
    } finally {
      thread?.close();
    }
    const each = Math.min(NEIGHBOURS, indices.length - 1);
    const near = await computed(nearestNeighbours(points, each, used.metric), options);
    const nearOnMap = await computed(nearestNeighbours({ count: indices.length, size: 2, data: map }, 1, 'euclidean'), options);
    const cells = grid ? await computed(snapToGrid(map, gridOf(indices.length)), options) : undefined;

    const pictures = indices.map((index) => set.pictures[index]);
    const labels = pictures.map(({ label }) => label);
    const facts = { network: network.name, hash, layer, pool: pooling, ...used };
    const recipe = recipeText({
      network: { name: network.name, hash },
      method: EMBED_METHOD.name,
      units: [],
      settings: { layer, pooling, grid, ...used, pictures: originOf(call), preprocess: { ...preprocess } },
      seed: used.seed,
      iterations: used.iterations,
      adapter,
      version,
    });
    await makeFolder(out);
    const files: string[] = [];
    const write = async (name: string, bytes: Uint8Array): Promise<void> => {
      await writeWhole(join(out, name), bytes);
      files.push(join(out, name));
    };
    await write('map.png', await encodePng(embeddingMap({ map, tiles, labels, classes: set.labels, cells }), { [RECIPE_KEYWORD]: recipe }));
    await write('points.json', jsonOf({ ...facts, classes: set.labels, points: pointsOf(pictures, set, map, cells) }));
    await write('neighbours.json', jsonOf({ ...facts, neighbours: neighboursOf(pictures, near) }));
    await write('features.npy', writeNpy(features));

    const share = labels.some((label) => label !== undefined) ? { layer: agreement(near, labels), map: agreement(nearOnMap, labels) } : null;
    return {
      data: { ...facts, adapter, pictures: indices.length, features: features.shape, sameClass: share, broken: broken.map(({ name, error }) => ({ name, code: error.code, message: error.message })), files },
      text: describe(network, layer, features, used, share, broken, files),
      exit: broken.length > 0 ? EXIT.failed : EXIT.ok,
    };
  },
};

function settingsOf({ values }: Call): EmbedSettings {
  return {
    layout: choiceOf('method', values.method!, LAYOUTS),
    metric: choiceOf('metric', values.metric!, METRICS),
    perplexity: numberOf('perplexity', values.perplexity!),
    neighbours: countOf('neighbours', values.neighbours!, 2, 1000),
    minDist: numberOf('min-dist', values['min-dist']!),
    iterations: values.iterations === undefined ? 0 : countOf('iterations', values.iterations, 1, 100000),
    seed: countOf('seed', values.seed!, 0, 0xffffffff),
  };
}

function layerOf({ values }: Call, network: Network): string {
  if (values.layer === undefined) throw new UnitscopeError('usage', 'no layer is given', {}, `name one with --layer, for example --layer ${findNode(network, classLayers(network).logits).name}, or the layer before it`);
  return findNode(network, values.layer).name;
}

async function folderOf({ values: { out } }: Call): Promise<string> {
  if (out === undefined) throw new UnitscopeError('usage', 'no folder is given', {}, 'name one with --out FOLDER');
  const kind = await kindOf(out);
  if (kind === 'file' || kind === 'other') throw new UnitscopeError('usage', `'${out}' is no folder`, { file: out }, 'FOLDER is made where it is not there');
  return out;
}

interface Looked {
  /** Which pictures of the set could be read. */
  readonly indices: readonly number[];
  readonly features: Tensor;
  readonly tiles: readonly Image[];
  readonly broken: readonly { readonly name: string; readonly error: UnitscopeError }[];
}

/** Shows the network all pictures; keeps what the layer answers and a small picture of each. */
async function look(
  call: Call,
  engine: Engine,
  network: Network,
  set: PictureSet,
  { side, ...options }: { readonly layer: string; readonly pooling: (typeof POOLINGS)[number]; readonly preprocess: Preprocess; readonly side: number },
): Promise<Looked> {
  const [indices, tiles, batches, broken]: [number[], Image[], Float32Array[], { name: string; error: UnitscopeError }[]] = [[], [], [], []];
  const onBroken = ({ name }: Picture, error: UnitscopeError): void => {
    broken.push({ name, error });
    call.warn(error.describe());
  };
  for await (const batch of layerFeatures(engine, network, set, { ...options, signal: call.signal, broken: onBroken })) {
    indices.push(...batch.indices);
    batches.push(batch.features.data);
    for (const image of batch.images) tiles.push(fitImage(overColor(image, [16, 16, 20]), side, side, 'crop'));
    call.progress.report('pictures', indices.length + broken.length, set.pictures.length);
  }
  const total = batches.reduce((sum, { length }) => sum + length, 0);
  const data = new Float32Array(total);
  let at = 0;
  for (const batch of batches) {
    data.set(batch, at);
    at += batch.length;
  }
  return { indices, features: { shape: [indices.length, indices.length > 0 ? total / indices.length : 0], data }, tiles, broken };
}

function report({ progress }: Call, { stage, done, total }: ComputationStep): void {
  progress.report(stage, done, total);
}

/** Where the pictures came from, as the call says it. */
function originOf({ values: { images, scenes, 'scene-seed': seed } }: Call): Readonly<Record<string, string | number>> {
  return images === undefined ? { scenes: Number(scenes), seed: Number(seed) } : { folder: images.slice(0, 1000) };
}

function pointsOf(pictures: readonly Picture[], set: PictureSet, map: Float64Array, cells: Uint32Array | undefined) {
  const { columns } = gridOf(pictures.length);
  return pictures.map(({ name, label }, n) => ({
    name,
    label: label === undefined ? null : set.labels[label],
    x: map[2 * n],
    y: map[2 * n + 1],
    ...(cells && { column: cells[n] % columns, row: Math.floor(cells[n] / columns) }),
  }));
}

function neighboursOf(pictures: readonly Picture[], { each, indices, distances }: Neighbours) {
  return pictures.map(({ name }, n) => ({
    name,
    nearest: Array.from({ length: each }, (_, k) => ({ name: pictures[indices[n * each + k]].name, distance: distances[n * each + k] })),
  }));
}

const jsonOf = (value: unknown): Uint8Array => new TextEncoder().encode(`${JSON.stringify(value, null, 1)}\n`);

function describe(
  network: Network,
  layer: string,
  { shape }: Tensor,
  { layout, perplexity, neighbours, minDist, metric, iterations, seed }: EmbedSettings,
  share: { layer: number; map: number } | null,
  broken: Looked['broken'],
  files: readonly string[],
): string {
  const how = {
    tsne: `t-SNE, perplexity ${Number(perplexity.toFixed(2))}, ${iterations} iterations, seed ${seed}`,
    umap: `UMAP, ${neighbours} neighbours, least distance ${minDist}, ${metric}, ${iterations} epochs, seed ${seed}`,
    pca: 'the first two principal components',
  }[layout];
  const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;
  return [
    ...table([
      ['network', network.name],
      ['layer', `${layer}, ${counted(shape[1], 'number')} of each picture`],
      ['pictures', String(shape[0])],
      ['map', how],
      ...(share ? [['nearest of the same class', `${percent(share.layer)} in the layer, ${percent(share.map)} on the map`]] : []),
    ]),
    ...(broken.length > 0 ? [`${counted(broken.length, 'picture')} could not be read: ${broken.map(({ name }) => name).slice(0, 20).join(', ')}${broken.length > 20 ? ', ...' : ''}`] : []),
    ...files.map((file) => `wrote ${file}`),
  ].join('\n');
}
