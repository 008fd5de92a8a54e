/** The page of an atlas: every layer as a grid of its units. */
import { measured } from '../quantity.ts';
import { address, html, page, type Markup } from './markup.ts';

export interface ShownUnit {
  readonly name: string;
  readonly channel: number;
  readonly status: string;
  readonly score: number | null;
  /** Whether the unit came out as the argmax of its layer. */
  readonly isArgmax: boolean;
  readonly file: string | null;
}

/** A part of a picture, as shares of its sides. */
export interface Part {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface ShownLayer {
  readonly name: string;
  readonly shape: readonly number[];
  /** Width and height of what is shown, pixels. */
  readonly frame: readonly [number, number];
  /** What its units see, where that is only a part of the picture: it is what is shown. */
  readonly field?: Part | undefined;
  readonly units: readonly ShownUnit[];
}

export interface AtlasPage {
  readonly network: string;
  readonly about: readonly string[];
  readonly layers: readonly ShownLayer[];
}

const MARKS: Readonly<Record<string, string>> = { done: '', 'no gradient': 'silent' };

function unit({ name, channel, status, score, isArgmax, file }: ShownUnit, field: Part | undefined): Markup {
  const title = `${name}${score === null ? '' : `, score ${measured(score)}`}${isArgmax ? ', argmax of its layer' : ''}${status === 'done' ? '' : `, ${status}`}`;
  const picture = file === null ? html`<span class="none">${MARKS[status] ?? status}</span>` : html`<span class="crop"><img src="${address(file)}" alt="${title}" loading="lazy"${field ? html` style="${placed(field)}"` : ''}></span>`;
  const caption = html`<span class="name">${channel}${isArgmax ? html` <b>argmax</b>` : ''}</span>`;
  return file === null
    ? html`<div title="${title}">${picture}${caption}</div>
`
    : html`<a href="${address(file)}" title="${title}">${picture}${caption}</a>
`;
}

/** Style of a picture of which only a part is to fill its frame. */
function placed({ left, top, width, height }: Part): string {
  const percent = (share: number): string => `${(100 * share).toFixed(2)}%`;
  return `width: ${percent(1 / width)}; height: ${percent(1 / height)}; left: ${percent(-left / width)}; top: ${percent(-top / height)}`;
}

const counted = (units: readonly ShownUnit[], status: string): number => units.filter((own) => own.status === status).length;

function section({ name, shape, frame, field, units }: ShownLayer, index: number): Markup {
  const open = counted(units, 'open');
  const silent = counted(units, 'no gradient');
  const facts = [
    shape.join(' × '),
    `${units.filter(({ isArgmax }) => isArgmax).length} of ${units.length} argmax of the layer`,
    ...(silent > 0 ? [`${silent} without a gradient`] : []),
    ...(open > 0 ? [`${open} not made here yet`] : []),
    ...(field ? ['shown: the part that they see'] : []),
  ];
  return html`<section><h2 id="layer-${index}">${name} <small>${facts.join(' · ')}</small></h2>
<div class="units" style="--frame: ${frame[0]} / ${frame[1]}">${units.map((own) => unit(own, field))}</div></section>
`;
}

export function atlasPage({ network, about, layers }: AtlasPage): Uint8Array<ArrayBuffer> {
  const links = layers.length > 1 ? html`<nav>${layers.map(({ name }, index) => html`<a href="#layer-${index}">${name}</a>`)}</nav>` : '';
  const body = html`<h1>${network}</h1>
${about.map((sentence) => html`<p>${sentence}</p>`)}
${links}
${layers.map(section)}`;
  return page({ title: `${network}: atlas of units`, style: STYLE, body });
}

const STYLE = `
nav { display: flex; flex-wrap: wrap; gap: 6px; margin-top: 16px; }
nav a { padding: 4px 10px; border: 1px solid var(--line); border-radius: 6px; background: var(--raised); color: var(--text); text-decoration: none; overflow-wrap: anywhere; }
nav a:hover { border-color: var(--accent); }
h2 small { margin-left: 8px; color: var(--dim); font-size: 13px; font-weight: 400; }
.units { display: grid; grid-template-columns: repeat(auto-fill, minmax(104px, 1fr)); gap: 8px; }
.units > * { display: block; padding: 4px; border-radius: 6px; background: var(--panel); color: var(--dim); text-decoration: none; }
.units > a:hover { background: var(--raised); color: var(--text); }
.crop { position: relative; display: block; width: 100%; aspect-ratio: var(--frame); overflow: hidden; border-radius: 3px; background: var(--ground); }
.crop img { position: absolute; left: 0; top: 0; width: 100%; height: 100%; image-rendering: pixelated; }
.none { display: grid; place-items: center; width: 100%; aspect-ratio: var(--frame); border: 1px dashed var(--line); border-radius: 3px; font-size: 11px; }
.name { display: block; padding-top: 3px; font-size: 11px; font-variant-numeric: tabular-nums; }
.name b { color: var(--accent); font-weight: 400; }
`;
