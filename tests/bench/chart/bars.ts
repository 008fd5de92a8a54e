/** The rows of a report as a picture: a group of bars for each row, ours first, on one logarithmic axis of time. */
import { NAMES, type ContenderName, type Report, type RowRecord } from '../record.ts';
import { adapterOf, number, timeOf, versionsOf } from '../table.ts';
import { logScale, type Scale } from './scale.ts';
import { ALARM, element, FAINT, GRID, INK, line, picture, text } from './svg.ts';

export const COLORS: Readonly<Record<ContenderName, string>> = { unitscope: '#0f766e', ort: '#f59e0b', tfjs: '#60a5fa', jax: '#a78bfa', wasm: '#9ca3af' };

const WIDTH = 1100;
const TITLES = 270; // width of the column of titles
const VALUES = 110; // room for the longest label behind a bar
const HEAD = 92;
const BAR = 11;
const GAP = 9; // between groups

/** The label behind a bar, and whether it is bad news. */
function labelOf(record: RowRecord, name: ContenderName, own: number | undefined): { label: string; fill: string } {
  const time = timeOf(record, name);
  if (time === undefined) {
    const fault = record.timings.find(({ contender }) => contender === name)?.fault;
    if (fault?.startsWith('WRONG')) return { label: 'wrong result', fill: ALARM };
    return name === 'unitscope' ? { label: 'failed', fill: ALARM } : { label: 'none', fill: FAINT };
  }
  const ratio = name === 'unitscope' || own === undefined ? '' : ` (${number(time / own)}x)`;
  return { label: number(time) + ratio, fill: INK };
}

/** Those that the row was given to. */
const askedIn = (record: RowRecord, names: readonly ContenderName[]): ContenderName[] =>
  names.filter((name) => record.timings.some(({ contender }) => contender === name));

function group(record: RowRecord, names: readonly ContenderName[], scale: Scale, top: number): string[] {
  const own = timeOf(record, 'unitscope');
  const bars = names.flatMap((name, i) => {
    const y = top + i * BAR;
    const time = timeOf(record, name);
    const end = time === undefined ? TITLES : scale.at(time);
    const { label, fill } = labelOf(record, name, own);
    const bar = element('rect', { x: TITLES, y: y + 1, width: Math.max(end - TITLES, 1), height: BAR - 2, fill: COLORS[name] });
    const style = { size: 9, fill, ...(name === 'unitscope' && { weight: 'bold' as const }) };
    return [...(time === undefined ? [] : [bar]), text(end + 5, y + BAR / 2, label, style)];
  });
  return [text(TITLES - 10, top + (names.length * BAR) / 2, record.title, { anchor: 'end' }), ...bars];
}

function legend(names: readonly ContenderName[], y: number): string[] {
  let x = TITLES;
  return names.flatMap((name) => {
    const parts = [element('rect', { x, y: y - 5, width: 10, height: 10, fill: COLORS[name] }), text(x + 15, y, NAMES[name])];
    x += 40 + NAMES[name].length * 6.5;
    return parts;
  });
}

/** @param names in order; ours first */
export function barChart(report: Report, names: readonly ContenderName[]): string {
  const times = report.rows.flatMap((record) => names.flatMap((name) => timeOf(record, name) ?? []));
  const scale = logScale(times, TITLES, WIDTH - VALUES);
  let bottom = HEAD;
  const groups = report.rows.flatMap((record) => {
    const asked = askedIn(record, names);
    const parts = group(record, asked, scale, bottom + GAP / 2);
    bottom += asked.length * BAR + GAP;
    return parts;
  });
  const axis = scale.ticks.flatMap(({ value, label }) => {
    const x = scale.at(value);
    const marks = label === '' ? [] : [HEAD - 12, bottom + 10].map((y) => text(x, y, label, { anchor: 'middle', size: 10, fill: FAINT }));
    return [line(x, HEAD - 4, x, bottom + 2, GRID, label === '' ? 0.5 : 1), ...marks];
  });
  const title = names.length > 1 ? 'Time of one run, ours beside other engines' : 'Time of one run';
  return picture(WIDTH, bottom + 34, [
    text(12, 18, title, { size: 15, weight: 'bold' }),
    text(12, 37, `${adapterOf(report)} · ${versionsOf(report)}`, { fill: FAINT }),
    text(12, 60, 'f32, batch 1 unless the title says otherwise, medians', { size: 10, fill: FAINT }),
    ...legend(names, 60),
    ...axis,
    text(WIDTH - VALUES + 20, HEAD - 12, 'ms, log scale', { size: 10, fill: FAINT }),
    ...groups,
  ]);
}
