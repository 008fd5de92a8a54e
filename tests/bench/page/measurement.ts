/** One row: ours first, then every peer; results are compared before any time is taken. */
import type { Contender, Work } from '../contender.ts';
import { attempt, measure, type Sampling } from '../measure.ts';
import { ort, wasm } from '../peers/ort.ts';
import { unitscope } from '../peers/unitscope.ts';
import type { PeerName, RowRecord } from '../record.ts';
import { OWN_KINDS, type Row } from '../row.ts';

const peers: Readonly<Record<PeerName, () => Promise<Contender>>> = {
  ort: () => Promise.resolve(ort),
  wasm: () => Promise.resolve(wasm),
  // Loaded when they are asked for: they take a device as soon as they start.
  tfjs: async () => (await import('../peers/tfjs.ts')).tfjs,
  jax: async () => (await import('../peers/jax.ts')).jax,
};

export async function measureRow(
  row: Row,
  work: Work,
  options: { readonly peers: readonly PeerName[]; readonly sampling: Sampling; readonly say: (what: string) => void },
): Promise<RowRecord> {
  options.say(`${row.title}: unitscope`);
  const own = await attempt('unitscope', () => measure(unitscope(navigator.gpu), work, options.sampling));
  const timings = [own.timing];
  for (const name of OWN_KINDS.includes(row.kind) ? [] : options.peers) {
    options.say(`${row.title}: ${name}`);
    const other = own.result
      ? await attempt(name, async () => measure(await peers[name](), work, options.sampling, own.result))
      : { timing: { contender: name, samples: [], repeat: 1, fault: 'nothing to compare with' } };
    timings.push(other.timing);
  }
  return { title: row.title, kind: row.kind, batch: row.batch, ...(row.size && { size: row.size }), flops: own.flops ?? 0, timings };
}
