/** The page of a search: the settings that were chosen, all trials as parallel coordinates, and all pictures. */
import type { AscentSettings } from '../../../index.ts';
import { measured } from '../quantity.ts';
import { address, html, Markup, page } from './markup.ts';
import { parallelCoordinates, type Axis, type Line } from './parallel_coordinates.ts';
import { SEARCH_SCRIPT } from './search_script.ts';

export interface ShownTrial {
  readonly number: number;
  readonly settings: AscentSettings;
  /** Of a sweep. */
  readonly sweep?: string | undefined;
  readonly status: string;
  readonly score: number | null;
  readonly rank: number | null;
  readonly of: number;
  readonly probability: number | null;
  readonly variation: number | null;
  readonly sparsity: number | null;
  readonly distance: number | null;
  /** Name of the picture. */
  readonly file: string | null;
}

export interface SearchPage {
  readonly network: string;
  readonly unit: string;
  /** Sentences about what was done. */
  readonly about: readonly string[];
  /** The best first. */
  readonly trials: readonly ShownTrial[];
  /** Letters of those that were chosen, in that order, each with its colour as #rrggbb. */
  readonly chosen: readonly { readonly number: number; readonly letter: string; readonly color: string }[];
}

const known = (value: number | null): number | undefined => value ?? undefined;
const rateOf = ({ policy, rate, maxRate }: AscentSettings): number => (policy === 'constant' ? rate : maxRate);

/** Steps of progress stand above those of constant rates, whatever their sizes. */
const ABOVE = 1e15;
/** 100000000 -> 1e8. */
const power = (value: number): string => value.toExponential().replace('+', '');
const off = (value: number): string => (value === 0 ? 'off' : String(value));

const AXES: readonly Axis<ShownTrial>[] = [
  { title: 'decay', value: ({ settings }) => settings.decay, steps: true, text: off },
  { title: 'blur radius', value: ({ settings }) => settings.blurRadius, steps: true, text: off },
  { title: 'blur every', value: ({ settings }) => settings.blurEvery, steps: true, text: off },
  { title: 'small norm', value: ({ settings }) => settings.smallNorm, steps: true, text: off },
  { title: 'contribution', value: ({ settings }) => settings.contribution, steps: true, text: off },
  { title: '|contribution|', value: ({ settings }) => settings.absContribution, steps: true, text: off },
  {
    title: 'step size',
    value: ({ settings }) => rateOf(settings) * (settings.policy === 'constant' ? 1 : ABOVE),
    steps: true,
    text: (v) => (v < ABOVE / 10 ? String(v) : `\u2264 ${power(Math.round(v / ABOVE))}`),
  },
  { title: 'gain per step', value: ({ settings }) => (settings.policy === 'constant' ? 0 : settings.desired), steps: true, text: (v) => (v === 0 ? 'constant' : String(v)) },
  { title: 'iterations', value: ({ settings }) => settings.iterations, steps: true },
  { title: 'score', value: ({ score }) => known(score) },
  { title: 'rank', value: ({ rank }) => (rank === null ? undefined : Math.log10(rank)), falling: true, text: (v) => String(Math.round(10 ** v)) },
  { title: 'variation', value: ({ variation }) => known(variation) },
  { title: 'sparsity', value: ({ sparsity }) => known(sparsity), text: (v) => `${Math.round(100 * v)} %` },
];

const percent = (share: number | null): string => (share === null ? '' : `${(100 * share).toFixed(1)} %`);
const amount = (value: number | null): string => (value === null ? '' : measured(value));

/** The settings that are on, in words. */
function settingRows({ settings: s }: ShownTrial): (readonly [string, string])[] {
  const step = s.policy === 'constant' ? `${s.rate}` : `gain ${s.desired}, at most ${power(s.maxRate)}`;
  const rows: (readonly [string, string])[] = [
    ['step', step],
    ['decay', off(s.decay)],
    ['blur', s.blurEvery === 0 || s.blurRadius === 0 ? 'off' : `${s.blurRadius}, every ${s.blurEvery === 1 ? 'step' : `${s.blurEvery} steps`}`],
    ['small norm', off(s.smallNorm)],
    ['contribution', off(s.contribution)],
    ['|contribution|', off(s.absContribution)],
    ['iterations', String(s.iterations)],
  ];
  return rows.filter(([, text]) => text !== 'off');
}

function resultRows(trial: ShownTrial): (readonly [string, string])[] {
  const rows: (readonly [string, string])[] = [
    ['score', amount(trial.score)],
    ['rank', trial.rank === null ? '' : `${trial.rank} of ${trial.of}`],
    ['probability', percent(trial.probability)],
    ['variation', amount(trial.variation)],
    ['sparsity', percent(trial.sparsity)],
    ['distance', amount(trial.distance)],
    ['status', trial.status === 'done' ? '' : trial.status],
  ];
  return rows.filter(([, text]) => text !== '');
}

const titleOf = ({ number, sweep }: ShownTrial): string => `trial ${number}${sweep === undefined ? '' : `: ${sweep}`}`;

const list = (rows: readonly (readonly [string, string])[]): Markup => html`<dl>${rows.map(([name, text]) => html`<dt>${name}</dt><dd>${text}</dd>`)}</dl>`;

/** JSON inside of a script element. */
const json = (value: unknown): Markup => new Markup(JSON.stringify(value).replace(/</g, '\\u003c'));

export function searchPage({ network, unit, about, trials, chosen }: SearchPage): Uint8Array<ArrayBuffer> {
  const colors = new Map(chosen.map(({ number, color }) => [number, color]));
  const heat = heatOf(trials);
  const lines = trials.map((trial): Line<ShownTrial> => ({ trial, id: trial.number, color: colors.get(trial.number) ?? heat(trial), strong: colors.has(trial.number) }));
  const byNumber = new Map(trials.map((trial) => [trial.number, trial]));
  const picture = (trial: ShownTrial): Markup =>
    trial.file === null ? html`<span class="none">${trial.status}</span>` : html`<img src="${address(trial.file)}" alt="${titleOf(trial)}" loading="lazy">`;
  const data = trials.map((trial) => ({ id: trial.number, title: titleOf(trial), file: trial.file === null ? null : address(trial.file), rows: [...resultRows(trial), ...settingRows(trial)] }));
  const body = html`<h1>${unit}</h1>
<p>${network}</p>
${about.map((sentence) => html`<p>${sentence}</p>`)}
${chosen.length === 0 ? '' : html`<h2>Settings that complement each other</h2>
<div class="chosen">${chosen.map(({ number, letter, color }) => {
    const trial = byNumber.get(number)!;
    return html`<figure data-trial="${number}" tabindex="0" style="--own: ${color}">${picture(trial)}<figcaption><b>${letter}</b> ${titleOf(trial)}${list([...resultRows(trial).slice(0, 3), ...settingRows(trial)])}</figcaption></figure>
`;
  })}</div>`}
<h2>All trials</h2>
<div class="both"><div class="chart">${parallelCoordinates(AXES, lines)}</div>
<aside id="panel" data-first="${chosen[0]?.number ?? trials[0]?.number ?? ''}"><img alt="" hidden><h3></h3><dl></dl></aside></div>
<div class="all">${trials.map((trial) => {
    const color = colors.get(trial.number);
    return html`<a data-trial="${trial.number}" href="${trial.file === null ? '#panel' : address(trial.file)}"${color === undefined ? '' : html` style="--own: ${color}" class="own"`}>${picture(trial)}<span>${trial.number} · ${amount(trial.score)}</span></a>
`;
  })}</div>
<script type="application/json" id="trials">${json(data)}</script>`;
  return page({ title: `${unit}: search for settings`, style: STYLE, body, script: SEARCH_SCRIPT });
}

/** From a dim blue for the worst score to the accent for the best, by rank. */
function heatOf(trials: readonly ShownTrial[]): (trial: ShownTrial) => string {
  const scores = trials.map(({ score }) => score ?? -Infinity).sort((a, b) => a - b);
  const [cold, hot] = [[70, 82, 116], [255, 169, 77]];
  return ({ score }) => {
    const place = scores.length < 2 ? 1 : scores.indexOf(score ?? -Infinity) / (scores.length - 1);
    return `#${cold.map((level, c) => Math.round(level + place * (hot[c] - level)).toString(16).padStart(2, '0')).join('')}`;
  };
}

const STYLE = `
dl { display: grid; grid-template-columns: auto 1fr; gap: 1px 10px; margin: 8px 0 0; font-size: 12px; }
dt { color: var(--dim); }
dd { margin: 0; font-variant-numeric: tabular-nums; }
.chosen { display: grid; grid-template-columns: repeat(auto-fit, minmax(240px, 1fr)); gap: 16px; }
figure { display: flex; gap: 14px; margin: 0; padding: 14px; border: 1px solid var(--line); border-top: 3px solid var(--own); border-radius: 8px; background: var(--panel); }
figure img, figure .none { flex: none; width: 136px; height: 136px; object-fit: contain; image-rendering: pixelated; }
figure.lit { background: var(--raised); }
figcaption { min-width: 0; }
figcaption b { color: var(--own); font-size: 18px; }
.both { display: grid; grid-template-columns: minmax(0, 1fr) 240px; gap: 16px; align-items: start; }
.chart, aside { border: 1px solid var(--line); border-radius: 8px; background: var(--panel); padding: 14px; }
.chart { overflow-x: auto; }
.lines { display: block; width: 100%; min-width: 900px; font-size: 11px; }
.axis line { stroke: #3a3f4c; }
.title { fill: var(--text); font-size: 12px; text-anchor: middle; }
.tick { fill: var(--dim); paint-order: stroke; stroke: var(--panel); stroke-width: 3px; pointer-events: none; font-variant-numeric: tabular-nums; }
.trial path { fill: none; stroke-width: 1.2; stroke-opacity: 0.5; pointer-events: none; }
.trial .touch { stroke: transparent; stroke-width: 9; stroke-opacity: 1; pointer-events: stroke; }
.strong path { stroke-width: 2.4; stroke-opacity: 0.95; }
.trial.lit path:not(.touch) { stroke: #fff; stroke-width: 3; stroke-opacity: 1; }
aside { position: sticky; top: 16px; min-height: 462px; }
aside img { display: block; width: 100%; image-rendering: pixelated; border-radius: 4px; }
aside img[hidden] { display: none; }
aside h3 { margin: 10px 0 0; font-size: 14px; font-weight: 600; }
.all { display: grid; grid-template-columns: repeat(auto-fill, minmax(104px, 1fr)); gap: 8px; margin-top: 16px; }
.all a { display: block; padding: 4px; border: 2px solid transparent; border-radius: 6px; background: var(--panel); color: var(--dim); font-size: 11px; text-decoration: none; font-variant-numeric: tabular-nums; }
.all a.own { border-color: var(--own); }
.all a.lit { border-color: #fff; color: var(--text); }
.all img, .none { display: block; width: 100%; aspect-ratio: 1; object-fit: contain; image-rendering: pixelated; border-radius: 3px; }
.none { display: grid; place-items: center; background: var(--raised); color: var(--dim); font-size: 11px; text-align: center; }
@media (max-width: 900px) { .both { grid-template-columns: minmax(0, 1fr); } }
`;
