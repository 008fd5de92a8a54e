/** The page of the benchmark: `bench.start(job)` begins, `bench.poll(n)` answers at once with what is new. */
import { Engine, loadNetwork, type Network } from '../../../src/index.ts';
import { workOf } from '../contender.ts';
import { samplingOf } from '../measure.ts';
import { measureRow } from './measurement.ts';
import type { Job, Machine, Progress, RowRecord } from '../record.ts';
import type { Row } from '../row.ts';
import { ROWS } from '../rows.ts';

const state = { rows: [] as RowRecord[], current: '', done: false, fault: undefined as string | undefined, machine: undefined as Machine | undefined };

/** The network of the last row: rows of one network follow each other, and the largest has 61 M weights. */
let last: { source: Row['source']; network: Network } | undefined;

async function networkOf({ source }: Row): Promise<Network> {
  if (last?.source === source) return last.network;
  last = undefined;
  const network = 'make' in source ? source.make() : await loadNetwork(await Promise.all(source.files.map(download)));
  last = { source, network };
  return network;
}

async function download(address: string): Promise<{ name: string; bytes: Uint8Array }> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status} ${await response.text()}`);
  return { name: address, bytes: new Uint8Array(await response.arrayBuffer()) };
}

async function describe(): Promise<Machine> {
  const engine = await Engine.create({ gpu: navigator.gpu });
  const { adapter } = engine;
  engine.dispose();
  return { adapter, userAgent: navigator.userAgent, isolated: crossOriginIsolated };
}

async function start({ titles, peers, samples }: Job): Promise<void> {
  state.machine = await describe();
  const sampling = samplingOf(samples, state.machine.adapter.software);
  for (const title of titles) {
    const row = ROWS.find((candidate) => candidate.title === title)!;
    const say = (what: string): void => void (state.current = what);
    say('network');
    try {
      const work = workOf(await networkOf(row), row);
      state.rows.push(await measureRow(row, work, { peers, sampling, say }));
    } catch (error) {
      const timing = { contender: 'unitscope' as const, samples: [], repeat: 1, fault: (error as Error).message };
      state.rows.push({ title, kind: row.kind, batch: row.batch, flops: 0, timings: [timing] });
    }
  }
}

const bench = {
  start(job: Job): void {
    start(job)
      .catch((error: unknown) => (state.fault = String((error as Error).stack ?? error)))
      .finally(() => (state.done = true));
  },
  poll(from: number): Progress {
    return { ...state, rows: state.rows.slice(from) };
  },
};

export type Bench = typeof bench;

Object.assign(globalThis, { bench });
