/** What `unitscope compare` tells: as lines, and side by side. */
import { enlarge, mapPlane, mapShape, panels, sheet, type ComparedMaps, type Image, type LayerSummary, type Panel, type Preferred, type StructureDifference, type WeightDifference } from '../../index.ts';
import { table } from './help.ts';
import { counted, measured } from './quantity.ts';

export interface Compared {
  readonly names: readonly [string, string];
  readonly structure: StructureDifference;
  readonly weights: readonly WeightDifference[];
}

/** What both show, side by side. */
export interface Seen {
  /** By side: unit by unit, seed by seed. */
  readonly preferred: readonly (readonly Preferred[])[];
  /** The picture as each side takes it; none where no picture is given. */
  readonly pictures: readonly Image[];
  readonly maps: readonly (ComparedMaps & { readonly layer: string })[];
}

/** Layers that are listed of one kind of difference; `--json` has them all. */
const LISTED = 20;

/** Pixels: maps that are smaller are drawn larger, and words need as much. */
const SEEN = { map: 32, panel: 192 } as const;

const summary = ({ op, shape }: LayerSummary): string => `${op} ${shape.join(' x ')}`;

function listed(title: string, rows: readonly (readonly string[])[], right: readonly number[] = [], head?: readonly string[]): string[] {
  if (rows.length === 0) return [];
  const lines = table([...(head ? [head] : []), ...rows.slice(0, LISTED)], right);
  return [title, ...lines, ...(rows.length > LISTED ? [`  and ${rows.length - LISTED} more`] : [])];
}

export function compareLines({ names: [a, b], structure, weights }: Compared, preferred: readonly (readonly Preferred[])[]): string[] {
  const { onlyA, onlyB, changed, same } = structure;
  const far = weights.map(({ layer, role, shape, normA, normB, relative }) => [layer, role, shape.join(' x '), measured(normA), measured(normB), relative === null ? 'from 0' : `${(100 * relative).toFixed(2)} %`]);
  const pairs = (preferred[0] ?? []).map((one, n) => {
    const other = preferred[1]![n];
    return [one.unit, String(one.seed), ...[one, other].map(({ score, status }) => (status === 'running' ? measured(score) : status === 'noGradient' ? 'no gradient' : 'not finite'))];
  });
  return [
    `A is ${a}, B is ${b}`,
    `${counted(same, 'layer')} ${same === 1 ? 'is' : 'are'} built alike`,
    ...listed(`only in A (${onlyA.length})`, onlyA.map((one) => [one.layer, summary(one)])),
    ...listed(`only in B (${onlyB.length})`, onlyB.map((one) => [one.layer, summary(one)])),
    ...listed(`built otherwise (${changed.length})`, changed.map(({ layer, what, a: one, b: other }) => [layer, what.join(', '), `${summary(one)} -> ${summary(other)}`])),
    ...listed('weights', far, [3, 4, 5], ['layer', 'of', 'shape', '|A|', '|B|', '|B - A| of |A|']),
    ...listed('best scores', pairs, [1, 2, 3], ['unit', 'seed', 'A', 'B']),
  ];
}

const STATUS: Readonly<Record<Preferred['status'], string>> = { running: '', noGradient: 'no gradient', notFinite: 'not finite' };

/** A column for each network: a row for each unit and seed, then the picture, and the maps of each layer under one scale of colours. */
export function comparePicture(names: readonly [string, string], { preferred, pictures, maps }: Seen): Image {
  const pair = (panel: (side: number) => { readonly image: Image; readonly lines: readonly string[] }): Panel[] => names.map((name, side) => {
    const { image, lines } = panel(side);
    return { image, lines: [name, ...lines] };
  });
  const units = (preferred[0] ?? []).map((_, n) =>
    pair((side) => {
      const { image, unit, seed, score, status } = preferred[side][n];
      return { image, lines: [unit, `seed ${seed}: ${status === 'running' ? measured(score) : STATUS[status]}`] };
    }),
  );
  const seen = pictures.length > 0 ? [pair((side) => ({ image: pictures[side], lines: ['the picture'] }))] : [];
  const answers = maps.map(({ layer, ...compared }) => pair((side) => ({ image: mapsOf(compared, side), lines: [layer, `${measured(compared.range[0])} to ${measured(compared.range[1])}`] })));
  return panels([...units, ...seen, ...answers], { width: SEEN.panel });
}

/** All maps of a side, colours as for the other side. */
function mapsOf({ tensors, map, range }: ComparedMaps, side: number): Image {
  const { shape, data } = tensors[side];
  const [channels, height, width] = mapShape(shape);
  const zoom = Math.max(1, Math.floor(SEEN.map / Math.max(height, width)));
  return sheet(Array.from({ length: channels }, (_, c) => enlarge(mapPlane(data.subarray(c * height * width, (c + 1) * height * width), width, height, map, range), zoom)));
}
