/** Rows about scaling as two pictures in one: time of an image by batch, and by pixels beside the work that they are. */
import { NAMES, type ContenderName, type Report, type RowRecord } from '../record.ts';
import type { Kind } from '../row.ts';
import { adapterOf, timeOf, versionsOf } from '../table.ts';
import { COLORS } from './bars.ts';
import { linearScale, logScale, markedScale, type Scale } from './scale.ts';
import { element, FAINT, GRID, INK, line, picture, polyline, text } from './svg.ts';

const WIDTH = 1000;
const HEIGHT = 450;
const PLOT = { top: 108, bottom: 392 };
const DASHES: Partial<Record<Kind, string>> = { 'forward + gradient': '7 4' };

interface Point {
  readonly x: number;
  /** Time of one image, ms. */
  readonly y: number;
}

interface Series {
  readonly name: ContenderName;
  readonly kind: Kind;
  readonly points: readonly Point[];
  /** Where the time would lie if it were proportional to the FLOPs, through the point at the network's own size. */
  readonly proportional?: readonly Point[];
}

/** The batch and size that both panels share. */
export function commonSize(rows: readonly RowRecord[]): number | undefined {
  return rows.find(({ batch }) => batch > 1)?.size ?? rows[0]?.size;
}

function seriesOf(rows: readonly RowRecord[], names: readonly ContenderName[], xOf: (row: RowRecord) => number): Series[] {
  return [...new Set(rows.map(({ kind }) => kind))].flatMap((kind) =>
    names.flatMap((name): Series[] => {
      const mine = rows.filter((row) => row.kind === kind).sort((a, b) => xOf(a) - xOf(b));
      const points = mine.flatMap((row) => {
        const time = timeOf(row, name);
        return time === undefined ? [] : [{ x: xOf(row), y: time / row.batch }];
      });
      return points.length > 0 ? [{ name, kind, points }] : [];
    }),
  );
}

export function batchSeries(rows: readonly RowRecord[], names: readonly ContenderName[]): Series[] {
  const size = commonSize(rows);
  return seriesOf(rows.filter((row) => row.size === size), names, ({ batch }) => batch);
}

export function pixelSeries(rows: readonly RowRecord[], names: readonly ContenderName[]): Series[] {
  const single = rows.filter(({ batch }) => batch === 1);
  const pixels = ({ size }: RowRecord): number => size! ** 2;
  return seriesOf(single, names, pixels).map((series) => {
    const mine = single.filter(({ kind }) => kind === series.kind);
    const base = mine.find(({ size }) => size === commonSize(rows));
    const time = base && timeOf(base, series.name);
    if (series.name !== 'unitscope' || !base || time === undefined || base.flops === 0) return series;
    return { ...series, proportional: mine.map((row) => ({ x: pixels(row), y: (time * row.flops) / base.flops })).sort((a, b) => a.x - b.x) };
  });
}

interface Panel {
  readonly title: string;
  readonly left: number;
  readonly right: number;
  readonly x: Scale;
  readonly y: Scale;
  readonly note: string;
}

function draw({ title, left, right, x, y, note }: Panel, series: readonly Series[]): string[] {
  const grid = [
    ...y.ticks.flatMap(({ value, label }) => [
      line(left, y.at(value), right, y.at(value), GRID, label === '' ? 0.5 : 1),
      ...(label === '' ? [] : [text(left - 7, y.at(value), label, { anchor: 'end', size: 10, fill: FAINT })]),
    ]),
    ...x.ticks.flatMap(({ value, label }) => [
      line(x.at(value), PLOT.top, x.at(value), PLOT.bottom, GRID),
      text(x.at(value), PLOT.bottom + 14, label, { anchor: 'middle', size: 10, fill: FAINT }),
    ]),
  ];
  const place = ({ x: px, y: py }: Point): readonly [number, number] => [x.at(px), y.at(py)];
  const lines = series.flatMap(({ name, kind, points, proportional }) => [
    ...(proportional ? [polyline(proportional.map(place), FAINT, '1.5 4', 1.5)] : []),
    polyline(points.map(place), COLORS[name], DASHES[kind]),
    ...points.map((point) => element('circle', { cx: place(point)[0], cy: place(point)[1], r: 3.5, fill: COLORS[name] })),
  ]);
  return [
    text(left, PLOT.top - 20, title, { weight: 'bold' }),
    ...grid,
    ...lines,
    text((left + right) / 2, PLOT.bottom + 34, note, { anchor: 'middle', size: 10, fill: FAINT }),
  ];
}

function legend(series: readonly Series[], y: number): string[] {
  let x = 12;
  const entry = (label: string, color: string, dash?: string): string[] => {
    const parts = [polyline([[x, y], [x + 26, y]], color, dash), text(x + 33, y, label, { fill: INK })];
    x += 55 + label.length * 6.2;
    return parts;
  };
  return [...series.flatMap(({ name, kind }) => entry(`${NAMES[name]} ${kind}`, COLORS[name], DASHES[kind])), ...entry('proportional to the FLOPs', FAINT, '1.5 4')];
}

/** The picture of the rows that have a size; undefined where there are none. */
export function scalingChart(report: Report, names: readonly ContenderName[]): string | undefined {
  const rows = report.rows.filter(({ size }) => size !== undefined);
  const byBatch = batchSeries(rows, names);
  const byPixels = pixelSeries(rows, names);
  if (byPixels.length === 0) return undefined;
  const values = (series: readonly Series[]): number[] => series.flatMap(({ points, proportional = [] }) => [...points, ...proportional].map(({ y }) => y));
  const marks = (series: readonly Series[]): number[] => series.flatMap(({ points }) => points.map(({ x }) => x));
  const size = commonSize(rows);
  const network = rows[0]!.title.replace(/^scaling /, '').replace(/ \d+x\d+ .*$/, '');
  return picture(WIDTH, HEIGHT, [
    text(12, 18, `${network}: time of one image`, { size: 15, weight: 'bold' }),
    text(12, 37, `${adapterOf(report)} · ${versionsOf(report)}`, { fill: FAINT }),
    ...legend(byPixels, 62),
    ...draw(
      {
        title: `ms an image by batch, ${size} x ${size} pixels`,
        left: 60,
        right: 440,
        x: markedScale(marks(byBatch), String, 85, 415),
        y: linearScale(values(byBatch), PLOT.bottom, PLOT.top),
        note: 'images at once, log scale',
      },
      byBatch,
    ),
    ...draw(
      {
        title: 'ms an image by size, batch 1',
        left: 560,
        right: 960,
        x: markedScale(marks(byPixels), (pixels) => `${Math.sqrt(pixels)}²`, 585, 935),
        y: logScale(values(byPixels), PLOT.bottom, PLOT.top),
        note: 'pixels, log scale; time in log scale',
      },
      byPixels,
    ),
  ]);
}
