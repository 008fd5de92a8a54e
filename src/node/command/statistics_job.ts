/** The run of `unitscope statistics`: sums that are kept while they grow, so that a run which was stopped or killed goes on to the same numbers. */
import { UnitscopeError } from '../../errors.ts';
import { statistics, type Engine, type Network, type PictureSet, type Preprocess, type Statistics, type StatisticsProgress, type StatisticsState } from '../../index.ts';
import { BrokenPictures, type BrokenPicture } from './broken_pictures.ts';
import type { Call } from './command.ts';
import type { JobFolder } from './job_folder.ts';

/** The sums so far. */
const STATE = 'state.json';

/** They are kept this often, ms. */
const KEEP = 5000;

export interface StatisticsJob {
  readonly call: Call;
  readonly engine: Engine;
  readonly network: Network;
  readonly set: PictureSet;
  readonly folder: JobFolder;
  readonly layers: readonly string[];
  readonly preprocess: Preprocess;
  readonly classes: 'max' | 'mean';
}

interface State extends StatisticsState {
  readonly broken: readonly BrokenPicture[];
}

/** Goes through the pictures that no earlier run has seen. @throws io where the state is damaged, aborted, and as `statistics` does */
export async function measure({ call, engine, network, set, folder, layers, preprocess, classes }: StatisticsJob): Promise<{ result: Statistics; broken: BrokenPictures }> {
  const resume = folder.has(STATE) ? readState(folder, await folder.read(STATE), set) : undefined;
  const broken = new BrokenPictures(call, resume?.broken);
  let last: StatisticsProgress | undefined;
  const keep = async (): Promise<void> => {
    if (last) await folder.write(STATE, stateBytes({ ...last.state(), broken: broken.list(last.done) }));
  };
  call.progress.report('pictures', resume?.next ?? 0, set.pictures.length);
  let kept = performance.now();
  try {
    for await (last of statistics(engine, network, set, { layers, preprocess, classes, resume, signal: call.signal, broken: broken.add })) {
      call.progress.report('pictures', last.done, last.total);
      if (last.done < last.total && performance.now() - kept < KEEP) continue;
      await keep();
      kept = performance.now();
    }
  } catch (error) {
    if (call.signal.aborted) await keep();
    throw error;
  }
  return { result: last!.result(), broken };
}

/** Numbers that JSON has no word for are written as text. */
const stateBytes = (state: State): Uint8Array =>
  new TextEncoder().encode(`${JSON.stringify(state, (_, value: unknown) => (typeof value === 'number' && !Number.isFinite(value) ? String(value) : value))}\n`);

/** What `stateBytes` wrote of sums that are not finite. */
const NUMBERS: Readonly<Record<string, number>> = { NaN: NaN, Infinity: Infinity, '-Infinity': -Infinity };

function readState(folder: JobFolder, bytes: Uint8Array, { pictures, labels }: PictureSet): State {
  try {
    const state = JSON.parse(new TextDecoder().decode(bytes), (key, value: unknown) => (SUMS.has(key) && typeof value === 'string' ? (NUMBERS[value] ?? value) : value)) as State;
    const isCount = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 0;
    const unitFits = ({ moments, histogram, ...unit }: State['layers'][number]['units'][number]): boolean =>
      [moments.count, unit.zeros, unit.silent, unit.notFinite, unit.least, unit.most, ...histogram.counts].every(isCount) &&
      [moments.mean, moments.squares, histogram.exponent].every((value) => typeof value === 'number') && typeof histogram.signed === 'boolean';
    const fits =
      isCount(state.next) && state.next <= pictures.length && isCount(state.pictures) && state.classCounts.length === labels.length && state.classCounts.every(isCount) &&
      state.broken.every(({ index, name, message }) => isCount(index) && typeof name === 'string' && typeof message === 'string') &&
      state.layers.every(({ units, classSums }) => units.every(unitFits) && classSums.every((value) => typeof value === 'number'));
    if (fits) return state;
  } catch {
    // told below
  }
  throw new UnitscopeError('io', `'${folder.file(STATE)}' is damaged`, { file: folder.file(STATE) }, 'remove it to start over');
}

/** Keys of sums that may be anything: of moments, and places in a list of class sums. */
const SUMS = { has: (key: string): boolean => key === 'mean' || key === 'squares' || /^\d+$/.test(key) };
