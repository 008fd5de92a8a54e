/** The steps of a training, with its log and its checkpoints. Steps are given ahead of the GPU, about a quarter of a second. */
import { UnitscopeError } from '../../../errors.ts';
import type { LoggedStep } from '../../../formats/training/log.ts';
import { distanceAt, rateAt, type Engine, type LayerWatch, type Trainer, type TrainerState, type TrainingConfig } from '../../../index.ts';
import type { Call } from '../command.ts';
import { measured } from '../quantity.ts';
import { writeNetwork, writeState, type Sums } from './checkpoint.ts';
import { percent, type TrainingLogFile } from './log_file.ts';
import type { Pictures } from './pictures.ts';

const AHEAD = 250; // ms
const MOST_AHEAD = 64; // steps

export interface Course {
  readonly engine: Engine;
  readonly trainer: Trainer;
  readonly config: TrainingConfig;
  readonly pictures: Pictures;
  readonly log: TrainingLogFile;
  readonly out: string;
  /** Steps of the whole training, which the schedule is made for, and the one to stop after now. */
  readonly total: number;
  readonly stop: number;
}

/** Where the steps ended, and the last one that there is a checkpoint of. */
export interface Ended {
  readonly step: number;
  readonly saved: number;
}

const NONE: Sums = { loss: 0, right: 0, images: 0, steps: 0 };

/** Learns from the step after `first` on. A halt is in the log; an abort ends it behind a checkpoint. */
export async function learn(call: Call, course: Course, first: number, carried: Sums = NONE): Promise<Ended> {
  const { engine, trainer, config, pictures, log, out, total, stop } = course;
  const dueAt = (step: number, every: number): boolean => step % every === 0;
  const distanceOf = (step: number): number => (config.adversarial ? distanceAt(config.adversarial, step - 1, total) : 0);
  let sums = carried;
  let [done, saved] = [first, first];
  let ahead = 1;
  let clock = performance.now();
  let logged = clock;
  let fresh = 0;
  /** Takes the tally of the steps so far; returns the step of a halt. */
  const collect = async (): Promise<number | undefined> => {
    const { loss, accuracy, images, steps, halt } = await trainer.tally();
    if (!halt && steps > 0) sums = { loss: sums.loss + loss * steps, right: sums.right + accuracy * images, images: sums.images + images, steps: sums.steps + steps };
    return halt?.step;
  };
  const save = async (): Promise<void> => {
    await checkpoint(out, course, done, sums);
    saved = done;
  };
  while (done < stop && !call.signal.aborted) {
    let last = false;
    for (let given = 0; given < ahead && !last; given++) {
      const step = ++done;
      last = dueAt(step, config.log) || dueAt(step, config.checkpoint) || step === stop;
      trainer.step(step, rateAt(config.schedule, step - 1, total), pictures.input(step), dueAt(step, config.log) || step === stop, distanceOf(step));
      fresh++;
    }
    await engine.idle();
    const now = performance.now();
    ahead = Math.min(MOST_AHEAD, Math.max(1, Math.round((ahead * AHEAD) / Math.max(1, now - clock))));
    clock = now;
    if (last) {
      const halt = await collect();
      if (halt !== undefined) return halted(course, halt, saved);
    }
    const rate = rateAt(config.schedule, done - 1, total);
    if (dueAt(done, config.log) || done === stop) {
      const step: LoggedStep = {
        step: done,
        loss: sums.loss / sums.steps,
        accuracy: sums.right / sums.images,
        rate,
        ...(distanceOf(done) > 0 && { distance: distanceOf(done) }),
        imagesPerSecond: (1000 * fresh * config.batch) / (now - logged),
        layers: layersOf(await trainer.watched()),
      };
      await log.addStep(step);
      [sums, fresh, logged] = [NONE, 0, now];
    }
    if (dueAt(done, config.checkpoint) || done === stop) await save();
    show(call, course, done);
  }
  if (saved === done) return { step: done, saved };
  const halt = await collect();
  if (halt !== undefined) return halted(course, halt, saved);
  await save();
  return { step: done, saved };
}

const layersOf = (watched: readonly LayerWatch[]): LoggedStep['layers'] => new Map(watched.map(({ layer, ...own }) => [layer, own]));

function show(call: Call, { config, pictures, log, total, stop }: Course, done: number): void {
  const last = log.steps.at(-1);
  const epoch = pictures.epoch === undefined ? '' : `epoch ${(done / pictures.epoch).toFixed(1)} of ${(total / pictures.epoch).toFixed(1)}, `;
  const facts = last ? `loss ${last.loss.toFixed(3)}, ${percent(last.accuracy)} right, ${Math.round(last.imagesPerSecond)} pictures/s, ` : '';
  call.progress.report('train', done, stop, String, `${epoch}${facts}rate ${measured(rateAt(config.schedule, done - 1, total))}`);
}

/** @throws not-finite where a weight is none: such a state is never kept */
async function checkpoint(out: string, { trainer }: Course, step: number, sums: Sums): Promise<void> {
  const state = await trainer.state();
  refuseBroken(state, step);
  await writeState(out, { step, sums, state });
  await writeNetwork(out, await trainer.network(), 'f32');
}

function refuseBroken(state: TrainerState, step: number): void {
  for (const [name, { data }] of state) {
    if (!data.every(Number.isFinite)) throw new UnitscopeError('not-finite', `'${name}' is not finite after step ${step}: the checkpoint before it is kept`);
  }
}

async function halted({ trainer, pictures, log }: Course, step: number, saved: number): Promise<Ended> {
  const place = await trainer.where(step, pictures.input(step));
  await log.addHalt({ step, ...place });
  return { step, saved };
}
