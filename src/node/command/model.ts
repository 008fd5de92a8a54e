/** The network that a command works on: a file, a folder, or the one that comes with the program. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UnitscopeError } from '../../errors.ts';
import { formats } from '../../formats/index.ts';
import { mainFiles } from '../../formats/loader.ts';
import { roomBefore } from '../../formats/safetensors.ts';
import { readSidecar, SIDECAR } from '../../formats/sidecar.ts';
import { loadNetwork, shapesOf, type NamedFile, type Network } from '../../index.ts';
import { ownCatalog } from '../catalog/catalog.ts';
import { knownEntry } from '../catalog/known.ts';
import { nearest } from './arguments.ts';
import type { Call, Option } from './command.ts';
import { companionsIn } from './companions.ts';
import { ioFault, kindOf, readBytes, readLarge } from './files.ts';
import { sizesOf } from './value.ts';

export const MODEL_OPTIONS: Readonly<Record<string, Option>> = {
  weights: { type: 'text', value: 'FILE', summary: 'the weights, or their folder, where they do not lie beside MODEL' },
  architecture: { type: 'text', value: 'NAME', summary: 'the graph of a MODEL that holds weights alone, e.g. resnet18; without it the tensors must be those of one that is built in' },
  labels: { type: 'text', value: 'FILE', summary: 'names of the classes, one a line' },
  'input-shape': { type: 'text', value: 'N,C,H,W', summary: 'shape of the input, where the file leaves it open' },
  strict: { type: 'flag', summary: 'refuse weights that are not finite' },
};

/** What stands for the network that comes with the program. */
export const EMBEDDED = 'embedded';

export interface Model {
  readonly network: Network;
  /** SHA-256 of the files it was made of, one after the other by name. */
  readonly hash: string;
}

/** Most notes of a loader that are shown beside the work. */
const NOTES_SHOWN = 3;

/** Loads and checks the model before any GPU is asked for. Its notes go to stderr unless the command shows them. */
export async function loadModel(call: Call, operand = EMBEDDED, notes: 'warn' | 'kept' = 'warn'): Promise<Model> {
  const { 'input-shape': shape, architecture, weights } = call.values;
  const { files, beside } = await filesOf(operand, weights);
  const options = {
    strict: call.flags.has('strict'),
    ...(shape !== undefined && { inputShape: sizesOf('input-shape', shape) }),
    ...(architecture !== undefined && { architecture }),
  };
  let network: Network;
  try {
    network = await loadNetwork([...files, ...beside], options);
    shapesOf(network);
  } catch (error) {
    throw unusable(error, operand);
  }
  if (!network.preprocess || !network.labels) network = withKnownFacts(network, files);
  if (call.values.labels !== undefined) network = { ...network, labels: await readLabels(call.values.labels) };
  if (notes === 'warn') warnOf(call, network);
  return { network, hash: hashOf(files) };
}

/** The preprocessing and the names of the classes of a network whose weights the catalog knows, where the files say nothing. */
function withKnownFacts(network: Network, files: readonly NamedFile[]): Network {
  const entry = knownEntry(ownCatalog(), files);
  const preprocess = network.preprocess ? undefined : entry?.preprocess;
  const labels = network.labels || typeof entry?.labels === 'string' ? undefined : entry?.labels;
  const known = [...(preprocess ? ['the preprocessing is'] : []), ...(labels ? ['the names of the classes are'] : [])];
  const notes = known.map((what) => `${what} known from the catalog, where this is '${entry!.name}'`);
  return { ...network, ...(preprocess && { preprocess }), ...(labels && { labels }), ...(notes.length > 0 && { notes: [...(network.notes ?? []), ...notes] }) };
}

function warnOf(call: Call, { notes = [] }: Network): void {
  for (const note of notes.slice(0, NOTES_SHOWN)) call.warn(`note: ${note}`);
  if (notes.length > NOTES_SHOWN) call.warn(`note: ${notes.length - NOTES_SHOWN} more; \`unitscope inspect\` shows them all`);
}

/** The embedded network beside the built program, or in the sources. */
function embeddedFolder(): string {
  const places = ['embedded', '../../../models/embedded'].map((path) => join(import.meta.dirname, path));
  const found = places.find((path) => existsSync(join(path, 'network.json')));
  if (!found) throw new UnitscopeError('io', 'the embedded network is not where the program is', { file: places[0] }, 'build or install it again');
  return found;
}

interface ModelFiles {
  /** The main file, and those of its neighbours that it names: what the network is made of. */
  readonly files: readonly NamedFile[];
  /** What is said of it: its sidecar with the labels. */
  readonly beside: readonly NamedFile[];
}

async function filesOf(operand: string, weights?: string): Promise<ModelFiles> {
  const path = operand === EMBEDDED ? embeddedFolder() : operand;
  const kind = await kindOf(path);
  if (kind === 'nothing') throw await missing(path);
  if (kind === 'file' && basename(path) === SIDECAR) throw new UnitscopeError('usage', `'${path}' says something of a model and is none`, { file: path }, `give the model beside it, or their folder: '${dirname(path)}'`);
  const mains = kind === 'folder' ? await mainsIn(path) : [await readNamed(path)];
  const texts = mains.map(manifestText).filter((text) => text !== undefined);
  const folder = kind === 'folder' ? path : dirname(path);
  const ends = mains.flatMap((main) => formats.find((format) => format.recognise(main))?.beside ?? []);
  const apart = weights === undefined ? [] : await weightsApart(weights, mains, texts, ends);
  const given = new Set(apart.map(({ name }) => basename(name)));
  const others = ends.filter((end) => !apart.some(({ name }) => name.toLowerCase().endsWith(end)));
  const named = [...(await namedIn(folder, texts)), ...(await companionsIn(folder, mains)), ...(await endingIn(folder, others))];
  const files = [...mains, ...named.filter(({ name }) => !given.has(basename(name))), ...apart];
  const beside = await sidecarIn(folder);
  const once = files.filter(({ name }, index) => files.findIndex((file) => file.name === name) === index);
  return { files: once.filter(({ name }) => !beside.some((file) => file.name === name)), beside };
}

/** The sidecar of a folder and the labels that it names. A sidecar that cannot be read is told by the loader. */
async function sidecarIn(folder: string): Promise<NamedFile[]> {
  const names = await listFiles(folder).catch(() => [] as string[]);
  if (!names.includes(SIDECAR)) return [];
  const sidecar = await readNamed(join(folder, SIDECAR));
  let labels: unknown;
  try {
    ({ labels } = readSidecar(new TextDecoder().decode(sidecar.bytes), SIDECAR));
  } catch {
    return [sidecar];
  }
  return typeof labels === 'string' && names.includes(labels) ? [sidecar, await readNamed(join(folder, labels))] : [sidecar];
}

async function missing(path: string): Promise<UnitscopeError> {
  const neighbours = await readdir(dirname(path)).catch(() => [] as string[]);
  const near = nearest(basename(path), neighbours);
  const hint = `${near ? `did you mean '${join(dirname(path), near)}'? ` : ''}'${EMBEDDED}' is the network that comes with the program`;
  return new UnitscopeError('usage', `there is no model '${path}'`, { file: path }, hint);
}

export async function readNamed(path: string): Promise<NamedFile> {
  return { name: path, bytes: await readLarge(path, roomBefore) };
}

/** Names of the ordinary files of a folder. Links are passed over: a model that was downloaded reaches no other folder. */
async function listFiles(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name).sort();
  } catch (cause) {
    throw ioFault('read', folder, cause);
  }
}

/**
 * The networks of a folder; where there are none, weights alone; where there are none either, whatever is there, so that
 * the loader can say what it is. Weights are not read for nothing: they are large.
 */
async function mainsIn(folder: string): Promise<NamedFile[]> {
  const names = await listFiles(folder);
  const read = (some: readonly string[]): Promise<NamedFile[]> => Promise.all(some.map((name) => readNamed(join(folder, name))));
  const likely = (alone: boolean): string[] => {
    const ends = formats.filter(({ weightsAlone = false }) => weightsAlone === alone).flatMap(({ extensions }) => extensions);
    return names.filter((name) => ends.some((end) => name.toLowerCase().endsWith(end)));
  };
  let files: NamedFile[] = [];
  for (const some of [likely(false), likely(true)]) {
    files = [...files, ...(await read(some))];
    const mains = mainFiles(files).map(({ file }) => file);
    if (mains.length > 0) return mains;
  }
  if (files.length === 0) files = await read(names.slice(0, 8));
  if (files.length === 0) throw new UnitscopeError('model-format', `the folder '${folder}' holds no files`, { file: folder }, 'folders in it and links are passed over: give the folder with the files, or the file itself');
  return files;
}

/** The text of a file that may name others; undefined for binary files. */
function manifestText({ bytes }: NamedFile): string | undefined {
  const start = bytes.subarray(0, 16).findIndex((byte) => byte > 0x20 && byte < 0x80);
  return bytes[start] === 0x7b && bytes.length < 2 ** 26 ? new TextDecoder().decode(bytes) : undefined;
}

/** Files of a folder whose names stand in a text, alone or behind folders, as in "./weights.bin". */
async function namedIn(folder: string, texts: readonly string[]): Promise<NamedFile[]> {
  if (texts.length === 0) return [];
  const stands = (name: string) => (text: string) => [JSON.stringify(name), `/${JSON.stringify(name).slice(1)}`].some((quoted) => text.includes(quoted));
  const names = (await listFiles(folder)).filter((name) => texts.some(stands(name)));
  return Promise.all(names.map((name) => readNamed(join(folder, name))));
}

/** Files that belong to a network whose main file does not name them. */
async function endingIn(folder: string, ends: readonly string[]): Promise<NamedFile[]> {
  if (ends.length === 0) return [];
  const names = (await listFiles(folder)).filter((name) => ends.some((end) => name.toLowerCase().endsWith(end)));
  return Promise.all(names.map((name) => readNamed(join(folder, name))));
}

/** The weights that --weights points to, under the name by which the manifest asks for them. */
async function weightsApart(path: string, mains: readonly NamedFile[], texts: readonly string[], ends: readonly string[]): Promise<NamedFile[]> {
  if ((await kindOf(path)) === 'folder') return [...(await namedIn(path, texts)), ...(await companionsIn(path, mains)), ...(await endingIn(path, ends))];
  const file = await readNamed(path);
  const names = /"weights"\s*:\s*("(?:[^"\\]|\\.)*")|"paths"\s*:\s*\[\s*("(?:[^"\\]|\\.)*")\s*\]/g;
  const [asked, another] = [...(texts[0] ?? '').matchAll(names)].map(([, one, only]) => one ?? only);
  return another !== undefined || asked === undefined || asked === JSON.stringify(basename(path)) ? [file] : [{ ...file, name: JSON.parse(asked) as string }];
}

/** The error with the file in its address, and with an end that says 'unusable model' where the cause lies in the model. */
function unusable(error: unknown, file: string): unknown {
  if (!(error instanceof UnitscopeError)) return error;
  const { code, message, address, hint } = error;
  const ours = code === 'io' || code === 'not-finite' ? 'model-invalid' : code;
  const advice = hint.includes('inputShape') ? 'give it, for example --input-shape 1,3,224,224' : hint.replace('the strict option', '--strict').replace('the option architecture', '--architecture');
  return new UnitscopeError(ours, message, { file, ...address }, advice, { cause: error });
}

async function readLabels(path: string): Promise<string[]> {
  return new TextDecoder().decode(await readBytes(path)).trimEnd().split(/\r?\n/);
}

/** One after the other: several hundred megabytes are neither joined nor copied. */
function hashOf(files: readonly NamedFile[]): string {
  const ordered = [...files].sort((a, b) => (basename(a.name) < basename(b.name) ? -1 : 1));
  const hash = createHash('sha256');
  for (const { bytes } of ordered) hash.update(bytes);
  return hash.digest('hex');
}
