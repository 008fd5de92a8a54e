/** What an atlas leaves in its folder besides its pictures: a page and a list. The same bytes for the same pieces. */
import { findNode, receptiveFields, type Network } from '../../index.ts';
import type { AtlasJob, AtlasPlace, PlacedLayer } from './atlas_job.ts';
import type { JobFolder } from './job_folder.ts';
import { atlasPage, type Part, type ShownLayer } from './page/atlas_page.ts';
import type { Piece } from './pieces.ts';

/** What a unit has come to; the picture is that of the best iteration, null is what it does not have. */
export interface UnitFacts {
  readonly status: 'done' | 'no gradient' | 'not finite';
  readonly score: number | null;
  readonly step: number | null;
  /** The first iteration in which the unit was its layer's argmax, and whether it was in the last one. */
  readonly argmax: number | null;
  readonly isArgmax: boolean;
  readonly iterations: number;
}

export interface LayerCount {
  readonly layer: string;
  readonly units: number;
  readonly pictures: number;
  readonly argmax: number;
  readonly silent: number;
  /** Failed, or to be made elsewhere or later. */
  readonly open: number;
}

type Pieces = ReadonlyMap<AtlasPlace, Piece<UnitFacts>>;

const OPEN = { status: 'open', score: null, step: null, argmax: null, isArgmax: false, iterations: 0 } as const;

/** A line of atlas.json. */
function entry(place: AtlasPlace, pieces: Pieces) {
  const piece = pieces.get(place);
  return { unit: place.unitName, channel: place.unit.channel, ...(piece?.facts ?? OPEN), file: piece?.pictured ? `${place.name}.png` : null };
}

/** @throws io */
export async function writeAtlas(folder: JobFolder, job: AtlasJob, pieces: Pieces): Promise<{ layers: LayerCount[]; files: string[] }> {
  const layers = job.layers.map(({ name, shape, places }) => ({ layer: name, shape, units: places.map((place) => entry(place, pieces)) }));
  const list = { job: JSON.parse(job.text) as unknown, network: job.network.name, layers };
  await folder.write('atlas.json', new TextEncoder().encode(`${JSON.stringify(list, null, 1)}\n`));
  const page = atlasPage({ network: job.network.name, about: aboutOf(job), layers: shownLayers(job, pieces) });
  await folder.write('index.html', page);
  const counts = layers.map(({ layer, units }): LayerCount => ({
    layer,
    units: units.length,
    pictures: units.filter(({ file }) => file !== null).length,
    argmax: units.filter(({ isArgmax }) => isArgmax).length,
    silent: units.filter(({ status }) => status === 'no gradient').length,
    open: units.filter(({ status }) => status === 'open').length,
  }));
  return { layers: counts, files: ['index.html', 'atlas.json'] };
}

function aboutOf({ hash, method, settings, start, seed }: AtlasJob): string[] {
  const { policy, iterations, decay, blurRadius, blurEvery, smallNorm, contribution, absContribution } = settings;
  const on = Object.entries({ decay, blurRadius, blurEvery, smallNorm, contribution, absContribution }).filter(([, value]) => value > 0);
  return [
    `The picture of every unit by ${method}: ${iterations} iterations, policy ${policy}, ${on.map(([name, value]) => `${name} ${value}`).join(', ') || 'no regularizer'}; start ${start}, seed ${seed}.`,
    `Network SHA-256 ${hash.slice(0, 16)}. On maps the unit is the one at the centre. Marked are those that ended as the argmax of their layer.`,
  ];
}

function shownLayers({ network, layers }: AtlasJob, pieces: Pieces): ShownLayer[] {
  const [, , height, width] = network.inputs[0].shape;
  const fields = fieldsOf(network);
  return layers.map((layer) => {
    const field = fields(layer, height, width);
    const units = layer.places.map((place) => {
      const { channel, status, score, isArgmax, file } = entry(place, pieces);
      return { name: place.unitName, channel, status, score, isArgmax, file };
    });
    const frame = [width * (field?.width ?? 1), height * (field?.height ?? 1)].map(Math.round) as [number, number];
    return { name: layer.name, shape: layer.shape, frame, ...(field && { field }), units };
  });
}

/** Largest share of a side that is shown larger. */
const WORTHWHILE = 0.6;

/** What the units at the centre of a layer see of the picture, where that is a small part of it. */
function fieldsOf(network: Network): (layer: PlacedLayer, height: number, width: number) => Part | undefined {
  const all = receptiveFields(network);
  return ({ name, units }, height, width) => {
    const field = all.get(findNode(network, name).output)?.get(network.inputs[0].name);
    if (!field || 'reason' in field) return undefined;
    const [y, x] = [units[0].y, units[0].x].map((place, axis) => field.offset[axis] + field.stride[axis] * place);
    const [top, tall] = visible(y, field.size[0], height);
    const [left, wide] = visible(x, field.size[1], width);
    const part = { left: left / width, top: top / height, width: wide / width, height: tall / height };
    return tall > 0 && wide > 0 && part.width <= WORTHWHILE && part.height <= WORTHWHILE ? part : undefined;
  };
}

/** First pixel and number of pixels of a field of `size` around `centre` that lie inside of a side. */
function visible(centre: number, size: number, side: number): [first: number, count: number] {
  const first = Math.max(0, Math.ceil(centre - (size - 1) / 2));
  const last = Math.min(side - 1, Math.floor(centre + (size - 1) / 2));
  return [first, last - first + 1];
}
