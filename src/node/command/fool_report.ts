/** What `unitscope fool` tells of its pictures: as data, as lines, and side by side. */
import {
  panels, pictureOfChange, pictureOfLevels,
  type Attack, type AttackedPicture, type ChangeSize, type Classification, type Fooling, type Image, type Preprocess, type Recipe,
} from '../../index.ts';
import { table } from './help.ts';
import { measured } from './quantity.ts';

export interface Told {
  readonly data: object;
  readonly lines: readonly string[];
  readonly notes: readonly string[];
  readonly failed: boolean;
  /** Before, change, after; and the picture after. */
  readonly panels: Image;
  readonly image: Image;
}

export interface Fooled extends Told {
  readonly settings: Recipe['settings'];
  readonly iterations: number;
}

/** How much larger a change is shown, around mid grey. */
const GAIN = 10;

/** Pixels from which on a picture is wide enough for its words. */
const WIDTH = 224;

const percent = (probability: number): string => `${(100 * probability).toFixed(1)} %`;
const named = ({ label, probability }: Classification): string => `${label} ${percent(probability)}`;
const decibels = ({ psnr }: ChangeSize): string => (psnr === null ? 'none' : `${psnr.toFixed(1)} dB`);
const of = (classes: readonly Classification[], index: number): Classification => classes.find((one) => one.index === index)!;

/** The picture with the smallest change that succeeded; where none did, the one with the largest. */
export const chosen = ({ pictures }: Attack): AttackedPicture => pictures.find(({ succeeded }) => succeeded) ?? pictures.at(-1)!;

export function attackReport(result: Attack, preprocess: Preprocess): Told {
  const { before, class: index, targeted, pictures } = result;
  const watched = before.find((one) => one.index === index)!;
  const best = chosen(result);
  const facts = pictures.map(({ epsilon, step, size, classes, stored, succeeded, since }) => ({
    epsilon,
    step,
    succeeded,
    since,
    top: brief(classes[0]),
    probability: of(classes, index).probability,
    stored: { top: brief(stored[0]), probability: of(stored, index).probability },
    change: size,
  }));
  const fooled = pictures.find(({ succeeded }) => succeeded);
  const rows = pictures.map(({ epsilon, size, classes, stored, succeeded, since }) => [
    measured(epsilon), succeeded ? `yes, from step ${since}` : 'no', classes[0].label, percent(classes[0].probability), percent(of(classes, index).probability),
    stored[0].label, measured(size.max), measured(size.l2), measured(size.mean), decibels(size),
  ]);
  const goal = targeted ? `to ${watched.label}` : `away from ${watched.label}`;
  const headings = ['eps', 'fooled', 'seen', 'as', targeted ? 'target' : 'was', 'from a file', 'largest', 'length', 'mean', 'PSNR'];
  return {
    data: { targeted, before: { top: brief(before[0]), probability: watched.probability }, class: brief(watched), smallest: fooled?.epsilon ?? null, pictures: facts },
    lines: [
      `before: ${named(before[0])}${targeted ? `; ${named(watched)}` : ''}`,
      ...table([headings, ...rows], [0, 3, 4, 6, 7, 8, 9]),
      fooled ? `${measured(fooled.epsilon)} of 255 levels are enough to lead ${goal}` : `no change of up to ${measured(best.epsilon)} of 255 levels leads ${goal}`,
    ],
    notes: best.size.max === 0 ? ['note: nothing has changed: the gradient is 0 everywhere; a network that is certain may move with --loss margin'] : [],
    failed: false,
    panels: panels([[
      { image: pictureOfLevels(result.levels, preprocess), lines: ['original', named(before[0])] },
      { image: pictureOfChange(best.change, preprocess, { gain: GAIN }), lines: [`change x ${GAIN}`, `at most ${measured(best.size.max)}`] },
      { image: pictureOfLevels(best.levels, preprocess), lines: ['result', named(best.classes[0])] },
    ]], { width: WIDTH }),
    image: pictureOfLevels(best.levels, preprocess),
  };
}

const brief = ({ index, label, probability }: Classification): Omit<Classification, 'logit'> => ({ index, label, probability });

export function foolingReport(result: Fooling, label: string, preprocess: Preprocess): Told {
  const { start, change, levels, size, before, probability, stored, iterations, status } = result;
  const rows = [
    ['class', label],
    ['probability', `${percent(before)} before, ${percent(probability)} after; ${percent(stored)} from a file of 8 bits`],
    ['iterations', `${iterations}, ${status}`],
    ['change', `at most ${measured(size.max)} levels, ${measured(size.mean)} in the mean, length ${measured(size.l2)}, PSNR ${decibels(size)}`],
  ];
  const advice: Partial<Record<Fooling['status'], string>> = {
    'no gradient': 'note: the gradient is 0: the network is silent here, or certain; start elsewhere',
    'not finite': 'note: numbers are not finite any more: take smaller steps with --early and --late',
    'not confident': 'note: the probability that was asked for is not reached: give more --iterations, or another start',
  };
  const note = advice[status];
  return {
    data: { class: { index: result.class, label }, before, probability, stored, iterations, status, change: size },
    lines: table(rows),
    notes: note === undefined ? [] : [note],
    failed: status === 'no gradient' || status === 'not finite',
    panels: panels([[
      { image: pictureOfLevels(start, preprocess), lines: ['start', `${label} ${percent(before)}`] },
      { image: pictureOfChange(change, preprocess, { gain: GAIN }), lines: [`change x ${GAIN}`, `mean ${measured(size.mean)}`] },
      { image: pictureOfLevels(levels, preprocess), lines: [`after ${iterations} steps`, `${label} ${percent(probability)}`] },
    ]], { width: WIDTH }),
    image: pictureOfLevels(levels, preprocess),
  };
}
