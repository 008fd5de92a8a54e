/**
 * Parallel coordinates as SVG: one upright axis per quantity, one line per trial.
 * Source: Inselberg, The plane with parallel coordinates, 1985.
 */
import { html, type Markup } from './markup.ts';

export interface Axis<T> {
  readonly title: string;
  /** undefined where a trial has none: its line ends before this axis. */
  readonly value: (trial: T) => number | undefined;
  /** Every value that occurs takes as much room as the next; without it, places are in proportion. */
  readonly steps?: boolean;
  /** The least value on top. */
  readonly falling?: boolean;
  readonly text?: (value: number) => string;
}

export interface Line<T> {
  readonly trial: T;
  /** What the script of the page finds it by. */
  readonly id: number;
  readonly color: string;
  readonly strong: boolean;
}

const WIDTH = 1240;
const HEIGHT = 430;
const MARGIN = { left: 52, right: 60, top: 46, bottom: 18 } as const;

/** Part of a step's room over which the lines of one value are spread, so that they can be told apart. */
const SPREAD = 0.5;

const TICKS = 5;

const short = (value: number): string => String(Number(value.toPrecision(3)));

/** Where an axis puts a value, 0 at its foot and 1 at its top, and what stands beside it. */
interface Scale {
  place(value: number, id: number): number;
  readonly ticks: readonly (readonly [place: number, text: string])[];
}

function scaleOf<T>({ steps = false, falling = false, text = short, value }: Axis<T>, lines: readonly Line<T>[]): Scale {
  const values = lines.map(({ trial }) => value(trial)).filter((v) => v !== undefined);
  const turn = (place: number): number => (falling ? 1 - place : place);
  if (steps) {
    const distinct = [...new Set(values)].sort((a, b) => a - b);
    const at = (index: number): number => (index + 0.5) / distinct.length;
    // Multiples of the golden ratio lie evenly, whatever trials there are.
    const aside = (id: number): number => (((id * 0.618034) % 1) - 0.5) * SPREAD;
    return {
      place: (v, id) => turn((distinct.indexOf(v) + 0.5 + (distinct.length > 1 ? aside(id) : 0)) / distinct.length),
      ticks: distinct.map((v, index) => [turn(at(index)), text(v)]),
    };
  }
  const low = Math.min(...values);
  const span = Math.max(...values) - low;
  if (!(span > 0)) return { place: () => 0.5, ticks: values.length > 0 ? [[0.5, text(low)]] : [] };
  return {
    place: (v) => turn((v - low) / span),
    ticks: Array.from({ length: TICKS }, (_, i) => i / (TICKS - 1)).map((place) => [turn(place), text(low + place * span)]),
  };
}

const rounded = (value: number): string => value.toFixed(1);

export function parallelCoordinates<T>(axes: readonly Axis<T>[], lines: readonly Line<T>[]): Markup {
  const scales = axes.map((axis) => scaleOf(axis, lines));
  const x = (index: number): number => MARGIN.left + (index * (WIDTH - MARGIN.left - MARGIN.right)) / Math.max(1, axes.length - 1);
  const y = (place: number): number => HEIGHT - MARGIN.bottom - place * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const path = ({ trial, id }: Line<T>): string => {
    const points = axes.map(({ value }, n) => {
      const own = value(trial);
      return own === undefined ? undefined : { x: x(n), y: y(scales[n].place(own, id)) };
    });
    return points.map((point, n) => {
      if (!point) return '';
      const before = points[n - 1];
      if (!before) return `M${rounded(point.x)} ${rounded(point.y)}`;
      const middle = rounded((before.x + point.x) / 2);
      return `C${middle} ${rounded(before.y)} ${middle} ${rounded(point.y)} ${rounded(point.x)} ${rounded(point.y)}`;
    }).join('');
  };
  // Strong lines lie over the others.
  const ordered = [...lines].sort((a, b) => Number(a.strong) - Number(b.strong));
  return html`<svg class="lines" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="settings and results of all trials as parallel coordinates">
${axes.map(
  ({ title }, n) => html`<g class="axis"><line x1="${rounded(x(n))}" x2="${rounded(x(n))}" y1="${rounded(y(1))}" y2="${rounded(y(0))}"/>
<text class="title" x="${rounded(x(n))}" y="${n % 2 === 0 ? 14 : 30}">${title}</text></g>
`,
)}${ordered.map((line) => {
  const d = path(line);
  return html`<g class="trial${line.strong ? ' strong' : ''}" data-trial="${line.id}"><path class="touch" d="${d}"/><path d="${d}" stroke="${line.color}"/></g>
`;
})}${axes.map((_, n) =>
    scales[n].ticks.map(([place, text]) => html`<text class="tick" x="${rounded(x(n) + 5)}" y="${rounded(y(place) + 3.5)}">${text}</text>
`),
  )}</svg>`;
}
