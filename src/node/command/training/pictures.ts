/** Where the pictures of a training come from: scenes that the GPU draws, or a folder with a folder for each class. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { throwIfAborted, UnitscopeError } from '../../../errors.ts';
import {
  Epochs,
  fitImage,
  heldOutSeeds,
  mix,
  preprocess,
  RepeatedScenes,
  SCENE_CLASSES,
  sceneDrawing,
  shuffled,
  trainingSeeds,
  type Drawing,
  type Image,
  type TrainingConfig,
  type TrainingInput,
} from '../../../index.ts';
import type { Call } from '../command.ts';
import { ioFault } from '../files.ts';
import { isPictureName, readPicture } from '../picture.ts';

export interface Pictures {
  readonly labels: readonly string[];
  /** Steps that see every picture once; absent where every picture is new. */
  readonly epoch?: number;
  /** What tells these pictures from others. */
  readonly mark: string;
  readonly draw?: Drawing;
  /** What a step learns from; the first step is 1. */
  input(step: number): TrainingInput;
  heldOut(): Iterable<TrainingInput>;
}

/** @throws usage where the pictures do not suffice, io, image-decode */
export function openPictures(call: Call, config: TrainingConfig, folder: string): Promise<Pictures> | Pictures {
  return config.data.kind === 'folder' ? openFolder(call, config, join(folder, config.data.path)) : drawnPictures(config, config.data);
}

function drawnPictures({ batch, seed, preprocess: way, heldOut }: TrainingConfig, { classes, images }: Extract<TrainingConfig['data'], { kind: 'scenes' }>): Pictures {
  const draw = sceneDrawing(batch, classes.map((name) => SCENE_CLASSES.indexOf(name)), way);
  const repeated = images === undefined ? undefined : new RepeatedScenes(draw.labels, images, seed);
  return {
    labels: classes,
    ...(repeated && { epoch: repeated.steps }),
    mark: 'scenes',
    draw,
    input: (step) => ({ seeds: repeated?.seeds(step) ?? trainingSeeds(batch, seed, step) }),
    *heldOut() {
      for (let index = 0; index < heldOut.images / batch; index++) yield { seeds: heldOutSeeds(batch, index, heldOut.seed * 65536) };
    },
  };
}

/** Most pixels of all pictures of a folder, which stay in memory. */
const MOST_PIXELS = 2 ** 28;

interface Labelled {
  readonly path: string;
  readonly label: number;
}

async function openFolder(call: Call, config: TrainingConfig, path: string): Promise<Pictures> {
  const { input, batch, seed, preprocess: way, heldOut } = config;
  const { labels, files } = await listed(path);
  const [kept, learnt] = split(files, heldOut.images, heldOut.seed);
  const outputs = config.layers.flatMap((layer) => (layer.kind === 'dense' ? [layer.outputs] : [])).at(-1);
  if (outputs !== labels.length) throw new UnitscopeError('usage', `the network has ${outputs} outputs, '${path}' has ${labels.length} folders of classes`, { file: path });
  if (learnt.length < batch) throw new UnitscopeError('usage', `'${path}' has ${files.length} pictures: too few for ${heldOut.images} held-out ones and a batch of ${batch}`, { file: path });
  const [, height, width] = input;
  if (files.length * height * width > MOST_PIXELS) throw new UnitscopeError('usage', `${files.length} pictures of ${height} x ${width} do not fit into memory`, { file: path }, 'make the input smaller, or learn from fewer pictures');
  const images = new Map<string, Image>();
  for (const [done, { path: file }] of files.entries()) {
    throwIfAborted(call.signal);
    images.set(file, fitImage(await readPicture(join(path, file)), width, height, way.fit));
    call.progress.report('pictures', done + 1, files.length);
  }
  const batchOf = (items: readonly Labelled[]): TrainingInput => {
    const tensors = items.map(({ path: file }) => preprocess(images.get(file)!, way, [1, ...input]).data);
    const data = new Float32Array(items.length * tensors[0].length);
    tensors.forEach((tensor, n) => data.set(tensor, n * tensor.length));
    return { images: data, labels: Uint32Array.from(items, ({ label }) => label) };
  };
  const epochs = new Epochs(learnt.length, batch, seed);
  const names = new TextEncoder().encode(files.map(({ path: file }) => file).join('\n'));
  return {
    labels,
    epoch: epochs.steps,
    mark: `${files.length} pictures, ${mix(...names).toString(16)}`,
    input: (step) => batchOf(Array.from(epochs.items(step), (item) => learnt[item])),
    *heldOut() {
      for (let from = 0; from < kept.length; from += batch) yield batchOf(kept.slice(from, from + batch));
    },
  };
}

/** The pictures of every folder in a folder, by name. */
async function listed(path: string): Promise<{ labels: string[]; files: Labelled[] }> {
  const entries = async (folder: string) => {
    try {
      return (await readdir(folder, { withFileTypes: true })).filter(({ name }) => !name.startsWith('.')).sort((a, b) => (a.name < b.name ? -1 : 1));
    } catch (cause) {
      throw ioFault('read', folder, cause);
    }
  };
  const labels = (await entries(path)).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  if (labels.length < 2) throw new UnitscopeError('usage', `'${path}' must have a folder of pictures for each of two classes or more, it has ${labels.length}`, { file: path });
  const files: Labelled[] = [];
  for (const [label, name] of labels.entries()) {
    const own = (await entries(join(path, name))).filter((entry) => entry.isFile() && isPictureName(entry.name));
    if (own.length === 0) throw new UnitscopeError('usage', `'${join(path, name)}' has no pictures`, { file: join(path, name) });
    files.push(...own.map((entry) => ({ path: join(name, entry.name), label })));
  }
  return { labels, files };
}

/** So many pictures, as evenly over the classes as can be, and the others. */
function split(files: readonly Labelled[], count: number, seed: number): [kept: Labelled[], learnt: Labelled[]] {
  const ranked = [...new Set(files.map(({ label }) => label))].flatMap((label) => {
    const own = files.filter((file) => file.label === label);
    return Array.from(shuffled(own.length, mix(seed, label)), (item, rank) => ({ file: own[item], rank }));
  });
  const order = ranked.sort((a, b) => a.rank - b.rank || a.file.label - b.file.label).map(({ file }) => file);
  return [order.slice(0, count), order.slice(count)];
}
