/** The report as text: one line a row, one block of columns a contender. */
import type { ContenderName, Report, RowRecord, Timing } from './record.ts';
import { SLOW, summarize } from './statistics.ts';

/** Three significant digits, no exponent: 0.123, 1.23, 12.3, 1234. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value >= 1 ? value.toFixed(2) : value.toFixed(3);
}

const NAMES: Readonly<Record<ContenderName, string>> = { unitscope: 'unitscope', ort: 'ort-web WebGPU', tfjs: 'tfjs WebGPU', jax: 'jax-js WebGPU', wasm: 'ort-web wasm' };

const medianOf = (timing: Timing | undefined): number | undefined => (timing && timing.samples.length > 0 ? summarize(timing.samples).median : undefined);

/** Cells of one contender; faults and notes become a mark whose text goes below the table. */
function cells(record: RowRecord, name: ContenderName, mark: (text: string) => string): string[] {
  const timing = record.timings.find((candidate) => candidate.contender === name);
  const own = medianOf(record.timings.find(({ contender }) => contender === 'unitscope'));
  const isOwn = name === 'unitscope';
  const rest = isOwn ? 3 : 4;
  if (!timing) return ['-', ...Array<string>(rest).fill('')];
  const first = timing.first === undefined ? '' : number(timing.first);
  const error = timing.error === undefined ? '' : timing.error.toExponential(0);
  if (timing.samples.length === 0) {
    const word = timing.fault?.startsWith('WRONG') ? 'WRONG' : isOwn ? 'FAILED' : 'none';
    const text = `${word} ${mark(`${record.title}, ${NAMES[name]}: ${timing.fault ?? 'no samples'}`)}`;
    return isOwn ? [text, '', '', first] : [text, '', '', first, error];
  }
  const { median, least, most } = summarize(timing.samples);
  const few = median > SLOW ? ` n=${timing.samples.length}` : '';
  const note = timing.note ? ` ${mark(`${record.title}, ${NAMES[name]}: ${timing.note}`)}` : '';
  const time = number(median) + few + note;
  const spread = `${number(least)}..${number(most)}`;
  if (isOwn) return [time, spread, record.flops > 0 ? number(record.flops / median / 1e6) : '', first];
  return [time, spread, own === undefined ? '' : `${number(median / own)}x`, first, error];
}

function align(lines: readonly (readonly string[])[]): string[] {
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines.map((line) => line.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  ').trimEnd());
}

/** Rows that must not pass unseen: ours has no time, or somebody disagrees. */
export function alarms(rows: readonly RowRecord[]): string[] {
  return rows.flatMap(({ title, timings }) => {
    const lost = medianOf(timings.find(({ contender }) => contender === 'unitscope')) === undefined;
    return timings
      .filter(({ fault }) => fault !== undefined && (lost || fault.startsWith('WRONG')))
      .map(({ contender, fault }) => `${title}, ${NAMES[contender]}: ${fault}`);
  });
}

export function formatTable(report: Pick<Report, 'rows' | 'machine' | 'browser' | 'versions'>, peers: readonly ContenderName[]): string {
  const { adapter } = report.machine;
  const remarks: string[] = [];
  const mark = (text: string): string => `[${remarks.push(text)}]`;
  const contenders: readonly ContenderName[] = ['unitscope', ...peers];
  const over = ['', ...contenders.flatMap((name) => [NAMES[name], '', '', '', ...(name === 'unitscope' ? [] : [''])])];
  const head = ['ms', ...contenders.flatMap((name) => ['median', 'min..max', name === 'unitscope' ? 'GFLOP/s' : 'ratio', 'first', ...(name === 'unitscope' ? [] : ['error'])])];
  const lines = report.rows.map((record) => [record.title, ...contenders.flatMap((name) => cells(record, name, mark))]);
  const kind = adapter.software ? 'software adapter' : 'adapter';
  return [
    `${kind} ${[adapter.vendor, adapter.architecture, adapter.description].filter(Boolean).join(' ')} · ${report.browser} · ${Object.entries(report.versions).map(([name, version]) => `${name} ${version}`).join(', ')}`,
    'Batch 1, f32, ms. Inputs and weights stay on the GPU; every sample ends when the GPU is done. Median of the samples; ratio: time over ours;',
    'first: compile, upload the weights, run once (a peer keeps kernels of earlier rows, ours starts anew); error: relative L2 distance to ours.',
    '',
    ...align([over, head, ...lines]),
    ...(remarks.length > 0 ? ['', ...remarks.map((text, i) => `[${i + 1}] ${text}`)] : []),
  ].join('\n');
}
