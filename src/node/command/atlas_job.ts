/** What an atlas is, before it runs: every unit with the name of its files, and the share of this machine. */
import { version } from '../../../package.json';
import { UnitscopeError } from '../../errors.ts';
import {
  ATLAS_METHOD,
  atlasBatches,
  atlasLayers,
  CLIMB_BATCH,
  layerShape,
  shardOf,
  STARTS,
  unitLayers,
  unitName,
  type AscentSettings,
  type AtlasLayer,
  type ClimbJob,
  type Contrast,
  type Network,
  type Preprocess,
  type Recipe,
  type Start,
} from '../../index.ts';
import { CONTRAST_OPTION, contrastOf, SETTING_OPTIONS, settingsOf } from './ascent_options.ts';
import type { Call, Option } from './command.ts';
import { fileNames } from './files.ts';
import { neededPreprocess } from './input.ts';
import { EMBEDDED, loadModel } from './model.ts';
import { jobKey, type PieceName } from './pieces.ts';
import { choiceOf, countOf } from './value.ts';

/** A unit to make, and what its files are called: its name, and the hash of the job that it is. */
export interface AtlasPlace extends PieceName, ClimbJob {
  readonly unitName: string;
}

export interface PlacedLayer extends AtlasLayer {
  readonly places: readonly AtlasPlace[];
}

export interface AtlasJob {
  readonly out: string;
  readonly network: Network;
  readonly hash: string;
  readonly method: 'maximize';
  readonly settings: AscentSettings;
  readonly start: Start;
  readonly contrast: Contrast;
  readonly preprocess: Preprocess;
  readonly seed: number;
  readonly shard: { readonly index: number; readonly count: number } | null;
  readonly layers: readonly PlacedLayer[];
  /** What this machine makes. */
  readonly batches: readonly (readonly AtlasPlace[])[];
  /** All that decides the files, whichever machine makes them, as JSON. */
  readonly text: string;
}

const METHODS = ['maximize'] as const;

export const ATLAS_OPTIONS: Readonly<Record<string, Option>> = {
  layers: { type: 'text', value: 'A,B', summary: 'layers by name, or all: those with learnt weights that mix channels (convolutions, dense)' },
  out: { type: 'text', value: 'FOLDER', summary: 'where the pictures, index.html and atlas.json go; a command that was stopped goes on when it is given again' },
  method: { type: 'text', value: 'WORD', summary: `how a picture is made: ${METHODS.join(', ')}`, default: METHODS[0] },
  shard: { type: 'text', value: 'I/N', summary: 'make part I of N, counted from 1; copy the folders of all parts into one, and run once more without --shard for the page' },
  batch: { type: 'text', value: 'N', summary: 'units at once', default: String(CLIMB_BATCH) },
  seed: { type: 'text', value: 'S', summary: 'seed of the start image', default: '0' },
  ...SETTING_OPTIONS,
  start: { type: 'text', value: 'WORD', summary: `start image: ${STARTS.join(', ')}`, default: STARTS[0] },
  contrast: CONTRAST_OPTION,
};

/** Throws 'usage', 'unknown-layer' and what `loadModel` throws. */
export async function atlasJob(call: Call): Promise<AtlasJob> {
  const { values } = call;
  const method = choiceOf('method', values.method!, METHODS);
  const settings = settingsOf(call, (call.operands[0] ?? EMBEDDED) === EMBEDDED);
  const start = choiceOf('start', values.start!, STARTS);
  const contrast = contrastOf(call);
  const seed = countOf('seed', values.seed!, 0, 0xffffffff);
  const batch = countOf('batch', values.batch!, 1, 1024);
  const shard = values.shard === undefined ? null : shardNamed(values.shard);
  if (values.out === undefined) throw new UnitscopeError('usage', 'no folder is given', {}, 'name one with --out FOLDER');
  const { network, hash } = await loadModel(call, call.operands[0]);
  const layers = atlasLayers(network, layersNamed(network, values.layers));
  const preprocess = neededPreprocess(call, network);
  const facts = { network, hash, method, settings, start, contrast, preprocess, seed };
  const placed = await placedLayers(facts, layers);
  const placeOf = new Map(placed.flatMap(({ places }) => places).map((place) => [place.unit, place]));
  const batches = atlasBatches(layers, batch);
  const own = (shard ? shardOf(batches, shard) : batches).map((units) => units.map((unit) => placeOf.get(unit)!));
  const names = layers.map(({ name }) => name);
  const text = JSON.stringify({ method: ATLAS_METHOD.name, pictures: method, network: hash, layers: names, settings, start, contrast, seed, batch, preprocess });
  return { ...facts, out: values.out, shard, layers: placed, batches: own, text };
}

/** A layer whose whole name has commas is taken by it. */
function layersNamed(network: Network, text: string | undefined): string[] {
  if (text === undefined) return [];
  if (network.nodes.some(({ name, output }) => name === text || output === text)) return [text];
  return text === 'all' ? unitLayers(network) : text.split(',').map((name) => name.trim());
}

function shardNamed(text: string): { index: number; count: number } {
  const [, index, count] = (/^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? []).map(Number);
  if (index >= 1 && index <= count) return { index, count };
  throw new UnitscopeError('usage', `--shard needs I/N with I from 1 to N, got '${text}'`, {}, 'for example --shard 2/8');
}

type Facts = Pick<AtlasJob, 'network' | 'hash' | 'method' | 'settings' | 'start' | 'contrast' | 'preprocess' | 'seed'>;

async function placedLayers(facts: Facts, layers: readonly AtlasLayer[]): Promise<PlacedLayer[]> {
  const shapes = new Map(layers.map(({ name }) => [name, layerShape(facts.network, name)]));
  const units = layers.flatMap((layer) => layer.units);
  const names = units.map((unit) => unitName(unit, shapes.get(unit.layer)!));
  const keys = await Promise.all(names.map((name) => jobKey(unitRecipe(facts, name, 0, ''))));
  // The hash alone tells them apart; the name is for people.
  const files = fileNames(names, '').map((name, n) => `${name.slice(0, 100)}-${keys[n].slice(0, 16)}`);
  const { settings, seed } = facts;
  let next = 0;
  return layers.map((layer) => {
    const places = layer.units.map((unit): AtlasPlace => {
      const n = next++;
      return { unit, seed, settings, unitName: names[n], name: files[n], key: keys[n] };
    });
    return { ...layer, places };
  });
}

/** The recipe of one unit: that of an ordinary maximization. */
export function unitRecipe({ network, hash, method, settings, start, contrast, preprocess, seed }: Facts, name: string, iterations: number, adapter: string): Recipe {
  return {
    network: { name: network.name, hash },
    method,
    units: [name],
    settings: { ...settings, start, snapshot: 'best', contrast, preprocess: { ...preprocess } },
    seed,
    iterations,
    adapter,
    version,
  };
}
