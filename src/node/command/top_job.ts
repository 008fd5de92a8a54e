/** The pieces of `unitscope top`: the lists of the best pictures, kept while they grow, and the sheets that are drawn from them. */
import { version } from '../../../package.json';
import { throwIfAborted, UnitscopeError } from '../../errors.ts';
import {
  deprocess,
  encodePng,
  layerShape,
  mapShape,
  normalizedGradient,
  patches,
  patchSheet,
  RECIPE_KEYWORD,
  recipeText,
  shownPatch,
  slicesOf,
  TOP_PATCHES_METHOD,
  topPatches,
  unitFields,
  unitsOfSheet,
  winnersOf,
  type Engine,
  type Image,
  type Network,
  type PatchRequest,
  type PictureSet,
  type Preprocess,
  type Recipe,
  type ReluRule,
  type Tensor,
  type TopState,
  type UnitBlock,
  type Winner,
} from '../../index.ts';
import { BrokenPictures, type BrokenPicture } from './broken_pictures.ts';
import type { Call } from './command.ts';
import { fileNames } from './files.ts';
import type { JobFolder } from './job_folder.ts';
import type { Range } from './value.ts';

/** The lists so far. */
const STATE = 'state.json';

/** The lists are kept this often, ms. */
const KEEP = 5000;

export interface TopJob {
  readonly call: Call;
  readonly engine: Engine;
  readonly network: Network;
  readonly hash: string;
  readonly set: PictureSet;
  readonly folder: JobFolder;
  readonly layers: readonly string[];
  /** Which units are drawn; all of a layer without it. */
  readonly units: Range | undefined;
  readonly count: number;
  readonly preprocess: Preprocess;
  readonly rule: ReluRule | undefined;
  /** All that decides the result, for recipes. */
  readonly settings: Recipe['settings'];
  readonly adapter: string;
}

/** A part of a layer's units on one picture. */
interface Sheet {
  readonly file: string;
  readonly channels: readonly number[];
}

export interface TopLayer {
  readonly name: string;
  /** By channel, best first. */
  readonly winners: readonly (readonly Winner[])[];
  readonly sheets: readonly Sheet[];
}

export interface Found {
  readonly layers: readonly TopLayer[];
  readonly broken: BrokenPictures;
}

interface State extends TopState {
  readonly broken: readonly BrokenPicture[];
}

/** Goes through the pictures that no earlier run has seen; Ctrl-C keeps what was found. */
export async function collect(job: TopJob): Promise<Found> {
  const { call, engine, network, set, folder, layers, count, preprocess } = job;
  let state: State = folder.has(STATE) ? readState(job, await folder.read(STATE)) : { next: 0, lists: new Map(), broken: [] };
  const broken = new BrokenPictures(call, state.broken);
  if (state.next < set.pictures.length) {
    call.progress.report('pictures', state.next, set.pictures.length);
    const resume = state.next > 0 ? state : undefined;
    let kept = performance.now();
    for await (const progress of topPatches(engine, network, set, { layers, preprocess, count, resume, signal: call.signal, broken: broken.add })) {
      const { done, total } = progress;
      call.progress.report('pictures', done, total);
      if (done < total && !call.signal.aborted && performance.now() - kept < KEEP) continue;
      state = { ...(await progress.state()), broken: broken.list(done) };
      await folder.write(STATE, stateBytes(state));
      kept = performance.now();
    }
  }
  throwIfAborted(call.signal);
  const names = fileNames(layers, '');
  return { broken, layers: layers.map((layer, n) => layerOf(job, layer, names[n], winnersOf(network, layer, state.lists.get(layer)!))) };
}

function layerOf({ network, units, count, rule }: TopJob, layer: string, base: string, winners: readonly (readonly Winner[])[]): TopLayer {
  const { width, height } = unitFields(network, layer)({ channel: 0, y: 0, x: 0 });
  const each = unitsOfSheet(count, Math.max(width, height), rule !== undefined);
  const sheets = winners.some(({ length }) => length > 0)
    ? slicesOf([...winners.keys()].slice(units?.from, units && units.to + 1), each).map((channels) => ({ file: `${base}-${channels[0]}-${channels.at(-1)!}.png`, channels }))
    : [];
  return { name: layer, winners, sheets };
}

function stateBytes({ next, lists, broken }: State): Uint8Array {
  const plain = Object.fromEntries([...lists].map(([layer, list]) => [layer, [...list]]));
  return new TextEncoder().encode(`${JSON.stringify({ next, broken, lists: plain })}\n`);
}

const isCount = (value: unknown, end = 2 ** 32): value is number => Number.isInteger(value) && (value as number) >= 0 && (value as number) < end;

/** @throws io where that is not what `stateBytes` wrote */
function readState({ network, set, folder, layers, count }: TopJob, bytes: Uint8Array): State {
  const total = set.pictures.length;
  try {
    const { next, broken, lists } = JSON.parse(new TextDecoder().decode(bytes)) as { next: unknown; broken: BrokenPicture[]; lists: Record<string, unknown[]> };
    const fits = (layer: string): boolean => {
      const [channels, height, width] = mapShape(layerShape(network, layer));
      const ends = [2 ** 32, total, height * width]; // of keys, pictures, places
      const list = lists[layer];
      return list.length === 3 * channels * count && list.every((word, at) => isCount(word, list[at - (at % 3)] === 0 ? 2 ** 32 : ends[at % 3]));
    };
    const known = broken.every(({ index, name, message }) => isCount(index, total) && typeof name === 'string' && typeof message === 'string');
    if (isCount(next, total + 1) && known && layers.every(fits)) {
      return { next, broken, lists: new Map(layers.map((layer) => [layer, Uint32Array.from(lists[layer] as number[])])) };
    }
  } catch {
    // told below
  }
  throw new UnitscopeError('io', `'${folder.file(STATE)}' is damaged`, { file: folder.file(STATE) }, 'remove it to start over');
}

/** Every unit's best pictures, with the rectangle that the unit saw of the network's input. */
export function listing({ network, hash, set, count, settings }: TopJob, { layers }: Found) {
  return {
    network: { name: network.name, hash },
    pictures: set.pictures.length,
    count,
    settings,
    layers: layers.map(({ name, winners, sheets }) => {
      const field = unitFields(network, name);
      return {
        layer: name,
        sheets: sheets.map(({ file }) => file),
        units: winners.map((own, channel) => ({
          channel,
          top: own.map(({ value, picture, y, x }) => ({
            value: Number.isFinite(value) ? value : String(value),
            picture: set.pictures[picture].name,
            y,
            x,
            rectangle: field({ channel, y, x }),
          })),
        })),
      };
    }),
  };
}

/** One patch of a sheet: whose it is, and which of its best. */
interface Piece extends PatchRequest {
  readonly sheet: number;
  readonly rank: number;
}

/** Draws the sheets that are not there yet. */
export async function drawSheets(job: TopJob, { layers, broken }: Found): Promise<void> {
  for (const layer of layers) {
    const missing = layer.sheets.filter(({ file }) => !job.folder.has(file));
    // Within a sheet by picture, so that each is read once for it.
    const pieces = missing.flatMap(({ channels }, sheet) => channels.flatMap((channel) => piecesOf(layer, channel, sheet)).sort((a, b) => a.picture - b.picture));
    await drawLayer(job, layer, missing, pieces, broken);
  }
}

/** A unit that answers nothing at all has no place that it answers to. */
const piecesOf = ({ name, winners }: TopLayer, channel: number, sheet: number): Piece[] =>
  winners[channel].flatMap(({ value, picture, y, x }, rank) => (value === 0 ? [] : [{ sheet, rank, picture, unit: { layer: name, channel, y, x } }]));

async function drawLayer(job: TopJob, layer: TopLayer, sheets: readonly Sheet[], pieces: readonly Piece[], broken: BrokenPictures): Promise<void> {
  const { call, engine, network, set, preprocess, rule } = job;
  let cells = new Map<string, { patch: Image; beside: Image | undefined }>();
  let at = 0;
  const finish = async (until: number): Promise<void> => {
    for (; at < until; at++) {
      await drawSheet(job, layer, sheets[at], (channel, rank) => cells.get(`${channel} ${rank}`));
      cells = new Map();
    }
  };
  for await (const { request, x, gradient } of patches(engine, network, set, { layer: layer.name, requests: pieces, preprocess, rule, signal: call.signal, broken: broken.add })) {
    const { sheet, unit, rank } = pieces[request];
    await finish(sheet);
    if (x) {
      const beside = gradient && shownPatch(normalizedGradient(evened(gradient), preprocess, { mode: 'raw' }));
      cells.set(`${unit.channel} ${rank}`, { patch: shownPatch(deprocess(x, preprocess)), beside });
    }
    call.progress.report(`patches of ${layer.name}`, request + 1, pieces.length);
  }
  await finish(sheets.length);
}

/** Cut at the size that one in a hundred of its values exceeds: a few strong pixels would leave the others grey. */
function evened({ shape, data }: Tensor): Tensor {
  const sizes = data.filter((value) => value !== 0).map(Math.abs).sort();
  const most = sizes[Math.floor(0.99 * (sizes.length - 1))] ?? 0;
  return { shape, data: data.map((value) => Math.max(-most, Math.min(most, value))) };
}

async function drawSheet(job: TopJob, { name }: TopLayer, { file, channels }: Sheet, cell: (channel: number, rank: number) => { patch: Image; beside: Image | undefined } | undefined): Promise<void> {
  const { network, hash, count, rule, settings, set, adapter, folder } = job;
  const ranks = Array.from({ length: count }, (_, rank) => rank);
  const blocks = channels.map((channel): UnitBlock => {
    const own = ranks.map((rank) => cell(channel, rank));
    return { caption: String(channel), patches: own.map((one) => one?.patch), beside: rule ? own.map((one) => one?.beside) : [] };
  });
  const recipe: Recipe = {
    network: { name: network.name, hash },
    method: TOP_PATCHES_METHOD.name,
    units: channels.map((channel) => `${name}:${channel}`),
    settings,
    seed: Number(settings.seed),
    iterations: set.pictures.length,
    adapter,
    version,
  };
  await folder.write(file, await encodePng(patchSheet(blocks, count), { [RECIPE_KEYWORD]: recipeText(recipe) }));
}
