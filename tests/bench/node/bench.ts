/** Runs the rows on Dawn's GPU and makes the report. */
import { Engine, measureCeilings, type Network } from '../../../src/index.ts';
import { version } from '../../../package.json';
import { workOf } from '../contender.ts';
import { attempt, measure } from '../measure.ts';
import { unitscope } from '../peers/unitscope.ts';
import type { Row } from '../row.ts';
import { checkOf, graphOf, type Graph, type ServerReport, type ServerRow } from './report.ts';

/** The device, and what it can do at most where rows that mean something are asked for. */
async function describe(gpu: GPU, rows: readonly Row[]): Promise<Pick<ServerReport, 'adapter' | 'software' | 'flopsPerSecond'>> {
  const engine = await Engine.create({ gpu });
  try {
    const { vendor, architecture, description, software } = engine.adapter;
    const adapter = [vendor, architecture, description].filter(Boolean).join(' ');
    if (rows.every(({ group }) => group === 'smoke')) return { adapter, software };
    const { flopsPerSecond } = await measureCeilings(engine);
    return { adapter, software, flopsPerSecond };
  } finally {
    engine.dispose();
  }
}

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

async function runRow(gpu: GPU, row: Row, network: Network, samples: number): Promise<ServerRow> {
  const { title, kind, batch, amplitude } = row;
  const work = workOf(network, row);
  const { timing, result, flops = 0 } = await attempt('unitscope', () => measure(unitscope(gpu), work, samples));
  const shape = kind === 'forward' ? work.dy.shape : work.x.shape;
  const checks = result && kind !== 'maximize step' && { x: checkOf(work.x.shape, work.x.data), result: checkOf(shape, result) };
  return { title, network: network.name, kind, batch, amplitude, flops, timing, ...(checks || {}) };
}

/** @param said is called before each row, and with each row that is done */
export async function bench(gpu: GPU, rows: readonly Row[], samples: number, said: (line: string, done?: ServerRow) => void): Promise<ServerReport> {
  const machine = await describe(gpu, rows);
  const networkOf = networks();
  const graphs: Record<string, Graph> = {};
  const done: ServerRow[] = [];
  for (const row of rows) {
    said(row.title);
    const network = networkOf(row);
    graphs[network.name] ??= graphOf(network);
    done.push(await runRow(gpu, row, network, samples));
    said(row.title, done.at(-1));
  }
  return { date: new Date().toISOString(), version, node: process.version, ...machine, rows: done, networks: graphs };
}
