/** What a search leaves in its folder besides its trials: a sheet, a page, and all numbers. The same bytes for the same trials. */
import {
  compareTrials,
  COMPLEMENTARY_RULE,
  decodePng,
  encodePng,
  parseRecipe,
  readPngText,
  RECIPE_KEYWORD,
  recipeText,
  SEARCH_METHOD,
  type Color,
  type Image,
  type Recipe,
  type SearchTrial,
  type TrialFacts,
} from '../../index.ts';
import type { JobFolder } from './job_folder.ts';
import { searchPage, type ShownTrial } from './page/search_page.ts';
import type { Piece } from './pieces.ts';
import { trialRecipe, type SearchJob, type TrialPlace } from './search_job.ts';
import { trialSheet, type SheetRow } from './trial_sheet.ts';

/** A trial with what has become of it; without a piece it has failed. */
export interface MadeTrial {
  readonly place: TrialPlace;
  readonly piece: Piece<TrialFacts> | undefined;
}

/** A line of search.json. */
export interface TrialRow extends Omit<TrialFacts, 'status'> {
  readonly trial: number;
  readonly status: TrialFacts['status'] | 'failed';
  /** Mean distance of the picture to the others, levels. */
  readonly distance: number | null;
  readonly file: string | null;
  readonly settings: SearchTrial['settings'];
  readonly sweep?: SearchTrial['sweep'];
}

export interface SearchFiles {
  /** By the number of the trial. */
  readonly rows: readonly TrialRow[];
  /** Numbers of the trials that complement each other. */
  readonly chosen: readonly number[];
  readonly files: readonly string[];
}

/** Of the chosen ones, in their order. */
const COLORS: readonly Color[] = [[255, 143, 133], [122, 211, 161], [124, 196, 255], [227, 166, 255]];

const NOTHING = { score: null, step: null, argmax: null, iterations: 0, rank: null, of: 0, probability: null, variation: null, sparsity: null };

/** @throws io */
export async function writeSearch(folder: JobFolder, job: SearchJob, made: readonly MadeTrial[]): Promise<SearchFiles> {
  const seen: { number: number; facts: TrialFacts; image: Image }[] = [];
  for (const { place, piece } of made) {
    if (piece?.picture) seen.push({ number: place.trial.number, facts: piece.facts, image: await decodePng(piece.picture) });
  }
  const { chosen: places, distances } = compareTrials(seen, job.sweep ? 0 : COLORS.length);
  const chosen = places.map((n) => seen[n].number);
  const distanceOf = new Map(seen.map(({ number }, n) => [number, distances[n]]));
  const rows = made.map(({ place: { trial, name }, piece }): TrialRow => ({
    trial: trial.number,
    ...(piece?.facts ?? NOTHING),
    status: piece?.facts.status ?? 'failed',
    distance: distanceOf.get(trial.number) ?? null,
    file: piece?.pictured ? `${name}.png` : null,
    settings: trial.settings,
    ...(trial.sweep && { sweep: trial.sweep }),
  }));

  const images = new Map(seen.map(({ number, image }) => [number, image]));
  const sheet = trialSheet(job.sweep ? sweepRows(rows, images) : searchRows(sorted(rows), images, chosen));
  const files: Record<string, Uint8Array> = {
    'sheet.png': await encodePng(sheet, { [RECIPE_KEYWORD]: recipeText(sheetRecipe(job, made, rows)) }),
    'search.json': jsonOf({ job: JSON.parse(job.text) as unknown, network: job.network.name, ...(!job.sweep && { rule: COMPLEMENTARY_RULE, chosen }), trials: rows }),
    'index.html': searchPage({
      network: `${job.network.name}, SHA-256 ${job.hash.slice(0, 16)}`,
      unit: job.name,
      about: aboutOf(job, rows),
      trials: sorted(rows).map(shownOf),
      chosen: chosen.map((number, n) => ({ number, letter: letter(n), color: hex(COLORS[n]) })),
    }),
  };
  for (const [name, bytes] of Object.entries(files)) await folder.write(name, bytes);
  return { rows, chosen, files: Object.keys(files) };
}

const jsonOf = (value: unknown): Uint8Array => new TextEncoder().encode(`${JSON.stringify(value, null, 1)}\n`);

/** The recipe of all of them together; the GPU is that of the trials: all, where the search went on elsewhere. */
function sheetRecipe(job: SearchJob, made: readonly MadeTrial[], rows: readonly TrialRow[]): Recipe {
  const pictures = made.flatMap(({ piece }) => piece?.picture ?? []);
  const adapters = new Set(pictures.map((picture) => parseRecipe(readPngText(picture)[RECIPE_KEYWORD] ?? '').adapter));
  const iterations = Math.max(...rows.map((row) => row.iterations));
  return { ...trialRecipe(job, job.trials[0], iterations, [...adapters].join('; ')), method: SEARCH_METHOD.name, settings: JSON.parse(job.text) as Recipe['settings'] };
}

/** The best first; those without a score last. */
const sorted = (rows: readonly TrialRow[]): TrialRow[] => [...rows].sort((a, b) => (b.score ?? -Infinity) - (a.score ?? -Infinity) || a.trial - b.trial);

const letter = (place: number): string => String.fromCharCode(65 + place);
const hex = (color: Color): string => `#${color.map((level) => level.toString(16).padStart(2, '0')).join('')}`;

function searchRows(rows: readonly TrialRow[], images: ReadonlyMap<number, Image>, chosen: readonly number[]): SheetRow[] {
  const columns = Math.ceil(Math.sqrt(rows.length));
  const cells = rows.map(({ trial }) => {
    const place = chosen.indexOf(trial);
    return { image: images.get(trial), label: place < 0 ? String(trial) : `${letter(place)} ${trial}`, ...(place >= 0 && { color: COLORS[place] }) };
  });
  return Array.from({ length: Math.ceil(cells.length / columns) }, (_, row) => ({ cells: cells.slice(row * columns, (row + 1) * columns) }));
}

/** A row for each regularizer, from none of it to much, in hundredths. */
function sweepRows(rows: readonly TrialRow[], images: ReadonlyMap<number, Image>): SheetRow[] {
  const names = { decay: 'decay', blur: 'blur', absContribution: 'contribution', smallNorm: 'small norm' } as const;
  return Object.entries(names).map(([regularizer, name]) => ({
    name,
    cells: rows
      .filter(({ sweep }) => sweep?.regularizer === regularizer)
      .map(({ trial, sweep }) => ({ image: images.get(trial), label: String(Math.round(100 * sweep!.strength)) })),
  }));
}

function aboutOf({ seed, sweep, free, iterations }: SearchJob, rows: readonly TrialRow[]): string[] {
  const limit = iterations === undefined ? '' : `, at most ${iterations} iterations each`;
  if (sweep) return [`${rows.length} trials: each regularizer alone, from none of it to much; seed ${seed}${limit}.`];
  const shown = rows.filter(({ file }) => file !== null).length;
  return [
    `${rows.length} settings drawn from the published distributions${free ? ' (steps: six times the published gain, without a limit)' : ''}, ${shown} with a picture; seed ${seed}${limit}.`,
    `Chosen are four of them. ${COMPLEMENTARY_RULE}. Distance: root mean square over 16 x 16 boxes of the picture, in levels.`,
  ];
}

function shownOf({ trial, sweep, ...result }: TrialRow): ShownTrial {
  return { ...result, number: trial, ...(sweep && { sweep: `${sweep.regularizer} ${Math.round(100 * sweep.strength)} %` }) };
}
