/** `unitscope convert`: any network that loads, in Unitscope's own form. Nothing is in place before it was read back. */
import { randomBytes } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { throwIfAborted, UnitscopeError } from '../../errors.ts';
import { writeManifest } from '../../formats/manifest/network.ts';
import { loadNetwork, roundToFloat16, type Network, type Tensor } from '../../index.ts';
import type { Call, Command, Report } from './command.ts';
import { ioFault, kindOf, makeFolder, writeWhole } from './files.ts';
import { table } from './help.ts';
import { loadModel, MODEL_OPTIONS, readNamed } from './model.ts';
import { binary, counted, measured } from './quantity.ts';
import { choiceOf } from './value.ts';

/** In the order in which they are put in place: the manifest, which names the weights, comes last. */
const FILES = ['weights.safetensors', 'network.json'] as const;

export const convert: Command = {
  name: 'convert',
  summary: "write a model as Unitscope's own network.json and weights.safetensors",
  operands: ['MODEL', 'OUT'],
  options: {
    precision: { type: 'text', value: 'f32|f16', summary: 'numbers of the weights; f16 halves the file and says by how much they change', default: 'f32' },
    force: { type: 'flag', summary: 'write over a network that is in OUT' },
    ...MODEL_OPTIONS,
  },
  examples: [
    ['unitscope convert network.onnx network/', 'into a folder, which is made; then: unitscope inspect network'],
    ['unitscope convert tfjs/model.json network/ --labels classes.txt', 'with the names of the classes in it'],
    ['unitscope convert network.onnx small/ --precision f16', 'half as large'],
  ],
  gpu: false,
  async run(call): Promise<Report> {
    const [operand, out] = call.operands as [string, string];
    const precision = choiceOf('precision', call.values.precision!, ['f32', 'f16']);
    await checkPlace(out, call.flags.has('force'));
    const { network } = await loadModel(call, operand);
    const { json, safetensors } = writeManifest(network, { precision, weightsFile: FILES[0] });
    const contents = { [FILES[0]]: safetensors, [FILES[1]]: new TextEncoder().encode(json) };
    const change = await place(call, out, network, contents);
    return reportOf(network, out, precision, Object.entries(contents).map(([name, { length }]) => ({ path: join(out, name), bytes: length })), change);
  },
};

/** Refuses, before any work, a place where something would be lost. */
async function checkPlace(out: string, force: boolean): Promise<void> {
  const kind = await kindOf(out);
  if (kind === 'file' || kind === 'other') throw new UnitscopeError('usage', `'${out}' is no folder`, { file: out }, 'OUT is a folder; it is made where it is not there');
  for (const name of FILES) {
    const path = join(out, name);
    const there = await kindOf(path);
    if (there === 'folder' || there === 'other') throw new UnitscopeError('usage', `'${path}' is no ordinary file`, { file: path });
    if (there === 'file' && !force) throw new UnitscopeError('usage', `'${path}' is there already`, { file: path }, '--force writes over it');
  }
}

/** Largest change of a weight, and whose it is. */
interface Change {
  readonly largest: number;
  readonly from: number;
  readonly layer: string;
  readonly role: string;
  /** Tensors with numbers beyond the range of f16, which stay f32. */
  readonly kept: number;
}

/** Writes beside the place, reads back, compares, and only then moves the files where they belong. */
async function place(call: Call, out: string, network: Network, contents: Readonly<Record<string, Uint8Array>>): Promise<Change | undefined> {
  const target = resolve(out);
  const draft = join(dirname(target), `.${basename(target).slice(0, 100)}.${randomBytes(4).toString('hex')}.part`);
  await makeFolder(draft);
  try {
    for (const name of FILES) await writeWhole(join(draft, name), contents[name]!);
    const written = await loadNetwork(await Promise.all(FILES.map((name) => readNamed(join(draft, name)))));
    const change = changeOf(network, written);
    throwIfAborted(call.signal);
    if ((await kindOf(target)) === 'nothing') await rename(draft, target);
    else for (const name of FILES) await rename(join(draft, name), join(target, name));
    return change;
  } catch (cause) {
    if (cause instanceof UnitscopeError) throw cause;
    throw ioFault('write', out, cause);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/**
 * What became of the weights; undefined where every bit is the same.
 * @throws io where anything is not what was written
 */
function changeOf(network: Network, written: Network): Change | undefined {
  const structures = [network, written].map(structureOf);
  if (structures[0] !== structures[1]) throw new UnitscopeError('io', 'what was written reads back as another network: nothing is kept');
  let worst: Change | undefined;
  let kept = 0;
  network.nodes.forEach((node, index) => {
    for (const [role, { data }] of Object.entries(node.weights)) {
      const read = written.nodes[index]!.weights[role]!.data;
      if (isSame(data, read)) {
        kept += data.some((value) => Math.abs(value) >= 65520 && Number.isFinite(value)) ? 1 : 0;
        continue;
      }
      if (!isSame(roundToFloat16(data), read)) throw new UnitscopeError('io', 'what was written reads back as other weights: nothing is kept', { layer: node.name });
      for (let i = 0; i < data.length; i++) {
        const largest = Math.abs(data[i]! - read[i]!);
        if (largest > (worst?.largest ?? 0)) worst = { largest, from: data[i]!, layer: node.name, role, kept: 0 };
      }
    }
  });
  return worst && { ...worst, kept };
}

/** All of a network but the numbers of its weights, and what its loader had to say. */
function structureOf({ name, inputs, outputs, preprocess, labels, nodes }: Network): string {
  const shapes = (weights: Readonly<Record<string, Tensor>>) => Object.entries(weights).map(([role, { shape }]) => [role, shape]);
  const layers = nodes.map(({ name: layer, op, inputs: from, output, attributes, weights }) => [layer, op, from, output, attributes, shapes(weights)]);
  return JSON.stringify([name, inputs, outputs, preprocess ?? null, labels ?? null, layers]);
}

/** Bit by bit: a NaN is itself, and -0 is not 0. */
function isSame(a: Float32Array, b: Float32Array): boolean {
  if (a.length !== b.length) return false;
  const [x, y] = [a, b].map(({ buffer, byteOffset, length }) => new Uint32Array(buffer, byteOffset, length)) as [Uint32Array, Uint32Array];
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return false;
  return true;
}

interface Written {
  readonly path: string;
  readonly bytes: number;
}

function reportOf(network: Network, out: string, precision: string, files: readonly Written[], change: Change | undefined): Report {
  const { name, nodes, preprocess, labels } = network;
  const parameters = nodes.reduce((sum, { weights }) => sum + Object.values(weights).reduce((count, { data }) => count + data.length, 0), 0);
  const facts = change
    ? `the largest change of a weight is ${measured(change.largest)} (${measured(change.from)}, ${change.role} of layer '${change.layer}')`
    : 'every weight is the same, bit by bit';
  return {
    data: { name, out, precision, files, layers: nodes.length, parameters, preprocess: preprocess ?? null, labels: labels?.length ?? 0, change: change ?? null },
    text: [
      ...table([...files].reverse().map(({ path, bytes }) => [path, binary(bytes)]), [1]),
      '',
      `${name}: ${counted(nodes.length, 'layer')}, ${parameters.toLocaleString('en')} weights, ${preprocess ? 'with preprocessing' : 'without preprocessing'}, ${labels ? counted(labels.length, 'label') : 'without labels'}`,
      `read back and compared: ${facts}`,
      ...(change && change.kept > 0 ? [`${counted(change.kept, 'tensor')} beyond the range of f16 ${change.kept === 1 ? 'stays' : 'stay'} f32`] : []),
    ].join('\n'),
  };
}
