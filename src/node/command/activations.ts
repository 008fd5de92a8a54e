/** `unitscope activations`: what layers answer to a picture, as numbers and as maps. */
import { join } from 'node:path';
import { UnitscopeError } from '../../errors.ts';
import { activations as runActivations, createImage, encodePng, findNode, gridOfMaps, mapShape, writeNpy, type Image, type Tensor } from '../../index.ts';
import type { Command, Report } from './command.ts';
import { checkTarget, fileNames, isFolder, makeFolder, writeWhole } from './files.ts';
import { KERNEL_OPTIONS, withKernels } from './gpu.ts';
import { table } from './help.ts';
import { INPUT_OPTIONS, oneInput, splitOperands } from './input.ts';
import { loadModel, MODEL_OPTIONS } from './model.ts';
import { measured } from './quantity.ts';

/** Maps that are smaller than this are drawn larger, pixels. */
const SEEN = 32;

export const activations: Command = {
  name: 'activations',
  summary: 'compute what layers answer to a picture',
  operands: ['MODEL?', 'IMAGE?'],
  options: {
    layer: { type: 'text', value: 'NAME', summary: 'layer, by node or output name', repeats: true },
    out: { type: 'text', value: 'FILE.npy', summary: 'write the numbers; folder/ for one file per layer' },
    sheet: { type: 'text', value: 'FILE.png', summary: 'write the maps as one picture' },
    ...INPUT_OPTIONS,
    ...KERNEL_OPTIONS,
    ...MODEL_OPTIONS,
  },
  examples: [
    ['unitscope activations photo.png --layer conv3 --sheet conv3.png', 'all maps of a layer on one sheet'],
    ['unitscope activations network.onnx photo.jpg --layer conv1 --layer pool1 --out answers/', 'answers/conv1.npy and answers/pool1.npy'],
    ['unitscope activations network.onnx --input x.npy --layer fc1 --out fc1.npy', 'from an exact tensor'],
  ],
  gpu: true,
  async run(call): Promise<Report> {
    const { out, sheet: sheetPath } = call.values;
    const { model, images } = await splitOperands(call);
    const { network } = await loadModel(call, model);
    const layers = [...new Set(call.lists.layer)];
    if (layers.length === 0) throw new UnitscopeError('usage', 'no layer is given', {}, `name one with --layer, for example --layer ${network.nodes[0].name}`);
    for (const layer of layers) findNode(network, layer);
    const targets = out === undefined ? [] : await targetsOf(out, layers);
    if (sheetPath !== undefined) await checkTarget(sheetPath, '.png');
    const x = await oneInput(call, network, images);
    const results = await withKernels(call, (engine) => runActivations(engine, network, x, { layers, signal: call.signal }));

    const files: string[] = [];
    if (out !== undefined && (await isFolder(out))) await makeFolder(out);
    for (const [n, path] of targets.entries()) {
      await writeWhole(path, writeNpy(results.get(layers[n])!));
      files.push(path);
    }
    if (sheetPath !== undefined) {
      await writeWhole(sheetPath, await encodePng(sheetOf([...results.values()])));
      files.push(sheetPath);
    }
    const facts = layers.map((layer) => factsOf(layer, results.get(layer)!));
    for (const { layer, notFinite } of facts) if (notFinite > 0) call.warn(`note: ${notFinite} numbers of '${layer}' are not finite`);
    return { data: { network: network.name, layers: facts, files }, text: describe(facts, files) };
  },
};

async function targetsOf(out: string, layers: readonly string[]): Promise<string[]> {
  if (await isFolder(out)) return fileNames(layers, '.npy').map((name) => join(out, name));
  if (layers.length > 1) throw new UnitscopeError('usage', `one file cannot hold ${layers.length} layers`, {}, `end --out with / for one file per layer`);
  await checkTarget(out, '.npy');
  return [out];
}

/** The maps of the first image of every layer, one layer below the other. */
function sheetOf(tensors: readonly Tensor[]): Image {
  const grids = tensors.map((tensor) => {
    const [, height, width] = mapShape(tensor.shape);
    const zoom = Math.max(1, Math.floor(SEEN / Math.max(height, width)));
    // A map of one value has no contrast of its own.
    return gridOfMaps(tensor, { zoom, contrast: height * width === 1 ? 'shared' : 'each' });
  });
  const width = Math.max(...grids.map((grid) => grid.width));
  const result = createImage(width, grids.reduce((sum, grid) => sum + grid.height, 0), [16, 16, 20]);
  let top = 0;
  for (const grid of grids) {
    for (let y = 0; y < grid.height; y++) {
      const row = grid.data.subarray(y * grid.width * 4, (y + 1) * grid.width * 4);
      result.data.set(row, (top + y) * width * 4);
    }
    top += grid.height;
  }
  return result;
}

interface LayerFacts {
  readonly layer: string;
  readonly shape: readonly number[];
  readonly least: number;
  readonly greatest: number;
  readonly mean: number;
  /** Share of values that are not 0. */
  readonly active: number;
  readonly notFinite: number;
  /** Channel of the greatest value of the first image. */
  readonly channel: number;
}

function factsOf(layer: string, { shape, data }: Tensor): LayerFacts {
  let [least, greatest, sum, active, finite, at] = [Infinity, -Infinity, 0, 0, 0, 0];
  for (let i = 0; i < data.length; i++) {
    const value = data[i];
    if (!Number.isFinite(value)) continue;
    finite++;
    sum += value;
    if (value !== 0) active++;
    if (value < least) least = value;
    if (value > greatest) [greatest, at] = [value, i];
  }
  const [channels, height, width] = mapShape(shape);
  const none = finite === 0;
  return {
    layer,
    shape,
    least: none ? 0 : least,
    greatest: none ? 0 : greatest,
    mean: none ? 0 : sum / finite,
    active: active / data.length,
    notFinite: data.length - finite,
    channel: Math.floor(at / (height * width)) % channels,
  };
}

function describe(facts: readonly LayerFacts[], files: readonly string[]): string {
  const rows = facts.map(({ layer, shape, least, greatest, mean, active, channel }) => [
    layer, shape.join(' x '), measured(least), measured(mean), measured(greatest), String(channel), `${(100 * active).toFixed(1)} %`,
  ]);
  return [
    ...table([['layer', 'shape', 'least', 'mean', 'greatest', 'in channel', 'not 0'], ...rows], [2, 3, 4, 5, 6]),
    ...files.map((file) => `wrote ${file}`),
  ].join('\n');
}
