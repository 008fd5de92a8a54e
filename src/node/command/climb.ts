/** Images that climb under the eyes of a person: units and seeds side by side, one batch per layer. */
import {
  climb as climbBatches,
  layerBatches,
  nothing,
  type ClimbJob,
  type ClimbOptions,
  type ClimbOutcome,
  type Engine,
  type Network,
} from '../../index.ts';
import type { Progress } from './progress.ts';

/** One image to make. */
export interface Job extends ClimbJob {
  /** The unit as it is written. */
  readonly name: string;
}

export interface Ascent extends ClimbOptions {
  readonly network: Network;
  readonly progress: Progress;
}

/** The outcome of every job, in their order. Throws what concerns all of them (wrong usage, a lost device). */
export async function climb(engine: Engine, jobs: readonly Job[], { network, progress, ...options }: Ascent): Promise<ClimbOutcome[]> {
  const found = new Map<Job, ClimbOutcome>();
  for await (const { jobs: own, done, of, outcomes } of climbBatches(engine, network, layerBatches(jobs), options)) {
    const label = own.length === 1 ? `${own[0].name} seed ${own[0].seed}` : `${own[0].unit.layer}, ${own.length} images`;
    if (outcomes) own.forEach((job, n) => found.set(job, outcomes[n]));
    else progress.report(label, done, of);
  }
  return jobs.map((job) => found.get(job) ?? nothing('interrupted'));
}
