/** The report as text: one line a row, one block of columns a contender. */
import { NAMES, type ContenderName, type Report, type RowRecord, type Timing } from './record.ts';
import { SLOW, summarize } from './statistics.ts';

/** Three significant digits, no exponent: 0.123, 1.23, 12.3, 1234. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value >= 1 ? value.toFixed(2) : value.toFixed(3);
}

const timingOf = ({ timings }: RowRecord, name: ContenderName): Timing | undefined => timings.find(({ contender }) => contender === name);

/** The median time of one run, where there is one. */
export function timeOf(record: RowRecord, name: ContenderName): number | undefined {
  const samples = timingOf(record, name)?.samples ?? [];
  return samples.length > 0 ? summarize(samples).median : undefined;
}

/** What everything ran on, and in. */
export function adapterOf({ machine: { adapter }, browser }: Pick<Report, 'machine' | 'browser'>): string {
  const name = [adapter.vendor, adapter.architecture, adapter.description].filter(Boolean).join(' ');
  return `${adapter.software ? 'software adapter' : 'adapter'} ${name} · ${browser}`;
}

export const versionsOf = ({ versions }: Pick<Report, 'versions'>): string => Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(', ');

/** Columns of ours and of a peer. */
const OWN = ['median', 'min..max', 'GFLOP/s', 'first', 'compile', 'kernels'];
const PEER = ['median', 'min..max', 'ratio', 'first', 'error'];

/** Columns of a table with batches, of ours, and of one with training, of all. */
const BATCHED = 'an image';
const TRAINED = 'images/s';
const isTraining = ({ kind }: RowRecord): boolean => kind === 'training step';

/** Which columns a contender has, in a table of these rows. */
function columnsOf(name: ContenderName, rows: readonly RowRecord[]): string[] {
  const isOwn = name === 'unitscope';
  const batches = isOwn && rows.some(({ batch }) => batch > 1);
  return [...(isOwn ? OWN : PEER), ...(batches ? [BATCHED] : []), ...(rows.some(isTraining) ? [TRAINED] : [])];
}

/** Cells of one contender, by column; faults and notes become a mark whose text goes below the table. */
function cells(record: RowRecord, name: ContenderName, mark: (text: string) => string): Record<string, string> {
  const timing = timingOf(record, name);
  const isOwn = name === 'unitscope';
  if (!timing) return { median: '-' };
  const own = timeOf(record, 'unitscope');
  const last = {
    first: optional(timing.first, number),
    ...(isOwn
      ? { compile: optional(timing.compile, number), kernels: optional(timing.kernels, String) }
      : { error: optional(timing.error, (error) => error.toExponential(0)) }),
  };
  if (timing.samples.length === 0) {
    const word = timing.fault?.startsWith('WRONG') ? 'WRONG' : isOwn ? 'FAILED' : 'none';
    return { median: `${word} ${mark(`${record.title}, ${NAMES[name]}: ${timing.fault ?? 'no samples'}`)}`, ...last };
  }
  const { median, least, most } = summarize(timing.samples);
  const few = median > SLOW ? ` n=${timing.samples.length}` : '';
  const note = timing.note ? ` ${mark(`${record.title}, ${NAMES[name]}: ${timing.note}`)}` : '';
  return {
    median: number(median) + few + note,
    'min..max': `${number(least)}..${number(most)}`,
    ...(isOwn && record.flops > 0 && { 'GFLOP/s': number(record.flops / median / 1e6) }),
    ...(!isOwn && own !== undefined && { ratio: `${number(median / own)}x` }),
    ...last,
    [BATCHED]: number(median / record.batch),
    ...(isTraining(record) && { [TRAINED]: number((1000 * record.batch) / median) }),
  };
}

const optional = <T>(value: T | undefined, write: (value: T) => string): string => (value === undefined ? '' : write(value));

export function align(lines: readonly (readonly string[])[]): string[] {
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines.map((line) => line.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  ').trimEnd());
}

/** Rows that must not pass unseen: ours has no time, or somebody disagrees. */
export function alarms(rows: readonly RowRecord[]): string[] {
  return rows.flatMap((record) => {
    const lost = timeOf(record, 'unitscope') === undefined;
    return record.timings
      .filter(({ fault }) => fault !== undefined && (lost || fault.startsWith('WRONG')))
      .map(({ contender, fault }) => `${record.title}, ${NAMES[contender]}: ${fault}`);
  });
}

export function formatTable(report: Pick<Report, 'rows' | 'machine' | 'browser' | 'versions'>, peers: readonly ContenderName[]): string {
  const remarks: string[] = [];
  const mark = (text: string): string => `[${remarks.push(text)}]`;
  const contenders: readonly ContenderName[] = ['unitscope', ...peers];
  const columns = contenders.map((name) => columnsOf(name, report.rows));
  const over = ['', ...contenders.flatMap((name, i) => [NAMES[name], ...columns[i]!.slice(1).map(() => '')])];
  const head = ['ms', ...columns.flat()];
  const lines = report.rows.map((record) => [record.title, ...contenders.flatMap((name, i) => {
    const row = cells(record, name, mark);
    return columns[i]!.map((column) => row[column] ?? '');
  })]);
  return [
    `${adapterOf(report)} · ${versionsOf(report)}`,
    'f32, ms, batch 1 unless the title says otherwise. Inputs and weights stay on the GPU; every sample ends when the GPU is done. Median of the',
    'samples; ratio: time over ours; first: compile, upload the weights, run once (a peer keeps kernels of earlier rows, ours starts anew);',
    'compile: until all kernels are there; error: relative L2 distance to ours.',
    ...(report.rows.some(isTraining)
      ? ['training step: forward, softmax cross-entropy, gradients of all weights, SGD with momentum; error: of the gradient of all weights.']
      : []),
    '',
    ...align([over, head, ...lines]),
    ...(remarks.length > 0 ? ['', ...remarks.map((text, i) => `[${i + 1}] ${text}`)] : []),
  ].join('\n');
}
