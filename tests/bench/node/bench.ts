/** Runs the rows on Dawn's GPU and makes the report. */
import { calibrateKernels, choicesOf, measureCeilings, measuredShapes, tuneKernels, withMeasured, type Engine, type KernelChoices, type KernelRecord, type Network } from '../../../src/index.ts';
import { version } from '../../../package.json';
import { workOf, type Work } from '../contender.ts';
import { attempt, measure, samplingOf } from '../measure.ts';
import { openEngine, unitscope } from '../peers/unitscope.ts';
import { OWN_KINDS, type Row } from '../row.ts';
import type { Options as ProgramOptions } from './options.ts';
import { checkOf, graphOf, type Graph, type ServerReport, type ServerRow } from './report.ts';

interface Machine extends Pick<ServerReport, 'adapter' | 'software' | 'flopsPerSecond' | 'calibrateMs'> {
  /** What is known of the device's kernels: measured on a GPU, as the program does at first use. */
  readonly record?: KernelRecord;
}

/** The device, and what it can do at most where rows that mean something are asked for. */
async function describe(gpu: GPU, rows: readonly Row[]): Promise<Machine> {
  const engine = await openEngine(gpu);
  try {
    const { vendor, architecture, description, software } = engine.adapter;
    const adapter = [vendor, architecture, description].filter(Boolean).join(' ');
    if (rows.every(({ group }) => group === 'smoke')) return { adapter, software };
    const { flopsPerSecond } = await measureCeilings(engine);
    if (software) return { adapter, software, flopsPerSecond };
    const begin = performance.now();
    const record = await calibrateKernels(engine);
    return { adapter, software, flopsPerSecond, record, calibrateMs: performance.now() - begin };
  } finally {
    engine.dispose();
  }
}

/** Kernels for a row: what the record says, and where asked for the fastest of each layer, measured now. */
const chooser =
  (record: KernelRecord, tune: boolean) =>
  async (engine: Engine, { network, layer, kind, x }: Work): Promise<KernelChoices> => {
    if (!tune || OWN_KINDS.includes(kind)) return choicesOf(record);
    engine.kernels = choicesOf(record);
    const backward = kind !== 'forward' && { backward: { from: layer, rule: 'gradient' as const } };
    const shapes = await tuneKernels(engine, network, { layers: [layer], batch: x.shape[0]!, ...backward });
    return choicesOf(withMeasured(record, measuredShapes(shapes)));
  };

/** The network of a row; the last one is kept, for rows of one network follow each other and the largest has 138 M weights. */
function networks(): (row: Row) => Network {
  let last: { source: Row['source']; network: Network } | undefined;
  return ({ source }) => {
    if (last?.source === source) return last.network;
    last = undefined;
    if (!('make' in source)) throw new Error('the rows of this program carry no files');
    last = { source, network: source.make() };
    return last.network;
  };
}

async function runRow(gpu: GPU, row: Row, network: Network, { software, record }: Machine, { samples, tune }: Options): Promise<ServerRow> {
  const { title, kind, batch, amplitude } = row;
  const work = workOf(network, row);
  const { timing, result, flops = 0 } = await attempt('unitscope', () => measure(unitscope(gpu, record && chooser(record, tune)), work, samplingOf(samples, software)));
  const shape = kind === 'forward' ? work.dy.shape : work.x.shape;
  const checks = result && !OWN_KINDS.includes(kind) && { x: checkOf(work.x.shape, work.x.data), result: checkOf(shape, result) };
  return { title, network: network.name, kind, batch, amplitude, flops, timing, ...(checks || {}) };
}

type Options = Pick<ProgramOptions, 'samples' | 'tune'>;

/** @param said is called before each row, and with each row that is done */
export async function bench(gpu: GPU, rows: readonly Row[], options: Options, said: (line: string, done?: ServerRow) => void): Promise<ServerReport> {
  const machine = await describe(gpu, rows);
  const networkOf = networks();
  const graphs: Record<string, Graph> = {};
  const done: ServerRow[] = [];
  for (const row of rows) {
    said(row.title);
    const network = networkOf(row);
    graphs[network.name] ??= graphOf(network);
    done.push(await runRow(gpu, row, network, machine, options));
    said(row.title, done.at(-1));
  }
  return { date: new Date().toISOString(), version, node: process.version, ...machine, tuned: options.tune, rows: done, networks: graphs };
}
