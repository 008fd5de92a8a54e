/**
 * What the log of a training says about it, in sentences. Numbers in, findings out: each rule states its threshold here,
 * and names the layer and the step since which it holds.
 */

/** What one watched step measured of a layer with weights. */
export interface LayerRecord {
  /** L2 norms of the gradient and of the weights. */
  readonly gradient: number;
  readonly weight: number;
  /** L2 norm of what the step added, relative to that of the weights. */
  readonly change: number;
  /** Elements of the gradient that are not finite. */
  readonly nonFinite: number;
  /** Of the ReLU behind the layer: share of zeros, and units that are 0 for the whole batch, of how many. */
  readonly zeros?: number | undefined;
  readonly dead?: number | undefined;
  readonly units?: number | undefined;
}

/** One line of the log: means since the line before it, and the layers at this step. */
export interface StepRecord {
  readonly step: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly rate: number;
  /** How far the pictures were moved against the network; absent where they were learnt as they are. */
  readonly distance?: number | undefined;
  /** By name, in the order of the network. */
  readonly layers: ReadonlyMap<string, LayerRecord>;
}

export interface TrainingLog {
  /** Number of classes. */
  readonly classes: number;
  readonly records: readonly StepRecord[];
  /** Where numbers stopped being finite. */
  readonly halt?: { readonly step: number; readonly layer?: string | undefined; readonly what?: string | undefined } | undefined;
  /** Of pictures that were not learnt from; of the confusion, one row for each true class. */
  readonly heldOut?: { readonly accuracy: number; readonly confusion?: readonly (readonly number[])[] | undefined; readonly labels?: readonly string[] | undefined } | undefined;
}

export type FindingKind = 'not-finite' | 'exploding-updates' | 'vanishing-updates' | 'uneven-updates' | 'dead-units' | 'no-learning' | 'loss-rises' | 'overfitting' | 'one-answer';

export interface Finding {
  readonly kind: FindingKind;
  readonly layer?: string;
  /** Since when. */
  readonly step?: number;
  readonly sentence: string;
  /** What usually helps. */
  readonly advice: string;
}

export const THRESHOLDS = {
  /** Share of a layer's units that are 0 for a whole batch. */
  dead: 0.5,
  /** ||dW|| / ||W|| of a step at the largest rate of the training: what learns well is near 1e-3. */
  vanishing: 1e-6,
  /** ||gradient|| / ||W||: below it decay or old momentum moves the weights, not what is learnt. */
  faint: 1e-6,
  exploding: 0.1,
  /** How much less than the fastest layer another one changes. */
  uneven: 1e-3,
  /** Lines of the log in a row that a rule must hold for, up to the last one where it speaks of the end. */
  lines: 3,
  /** The loss at the end, relative to that at the start, above which it did not fall. */
  fall: 0.95,
  /** The loss at the end, relative to its lowest, above which it rose again. */
  rise: 1.5,
  /** Right answers in training from which on its pictures are known, and how far the held-out ones may lie below. */
  known: 0.9,
  gap: 0.15,
  /** Share of all held-out pictures that one class is the answer to, where no class has a third of them. */
  oneAnswer: 0.6,
} as const;

/** All findings, the gravest first; none where nothing is wrong. */
export function diagnose(log: TrainingLog): Finding[] {
  if (log.records.length === 0) return halted(log);
  const layers = [...new Set(log.records.flatMap(({ layers: own }) => [...own.keys()]))];
  const silent = layers.flatMap((layer) => dead(log, layer));
  // That a layer without a living unit gets no gradient is no news.
  const living = layers.filter((name) => !silent.some(({ layer }) => layer === name));
  return [
    ...halted(log),
    ...layers.flatMap((layer) => exploding(log, layer)),
    ...silent,
    ...vanishing(log, living),
    ...loss(log),
    ...oneAnswer(log),
    ...overfitting(log),
  ];
}

const percent = (share: number): string => `${Math.round(100 * share)} %`;
const small = (value: number): string => (value !== 0 && Math.abs(value) < 0.01 ? value.toExponential(0) : String(Number(value.toPrecision(2))));
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

function halted({ halt }: TrainingLog): Finding[] {
  if (!halt) return [];
  const { step, layer, what } = halt;
  const first = layer === undefined ? '' : `, first in the ${what ?? 'output'} of ${layer}`;
  return [
    {
      kind: 'not-finite',
      step,
      ...(layer !== undefined && { layer }),
      sentence: `loss or gradients became NaN or infinite at step ${step}${first}`,
      advice: 'lower the rate, or let it rise over a longer warm-up',
    },
  ];
}

/** The first record of the unbroken stretch that fits and reaches the end, where it is long enough. */
function sinceWhen(records: readonly StepRecord[], fits: (record: StepRecord) => boolean): StepRecord | undefined {
  const broken = records.findLastIndex((record) => !fits(record));
  const stretch = records.slice(broken + 1);
  return stretch.length >= Math.min(THRESHOLDS.lines, records.length) ? stretch[0] : undefined;
}

function exploding({ records }: TrainingLog, layer: string): Finding[] {
  const tooFar = records.map(({ layers }) => (layers.get(layer)?.change ?? 0) > THRESHOLDS.exploding);
  const at = tooFar.findIndex((_, i) => i + THRESHOLDS.lines <= tooFar.length && tooFar.slice(i, i + THRESHOLDS.lines).every(Boolean));
  // A single step that is larger than the weights themselves needs no second one.
  const leap = records.findIndex(({ layers }) => (layers.get(layer)?.change ?? 0) > 1);
  const first = [at, leap].filter((index) => index >= 0).sort((a, b) => a - b)[0];
  if (first === undefined) return [];
  const { step } = records[first]!;
  const worst = Math.max(...records.map(({ layers }) => layers.get(layer)?.change ?? 0));
  return [
    {
      kind: 'exploding-updates',
      layer,
      step,
      sentence: `${layer}: updates explode (||dW||/||W|| above ${THRESHOLDS.exploding} from step ${step} on, ${small(worst)} at worst)`,
      advice: 'lower the rate',
    },
  ];
}

function dead({ records }: TrainingLog, layer: string): Finding[] {
  const known = records.filter(({ layers }) => layers.get(layer)?.units !== undefined);
  if (known.length === 0) return [];
  const share = ({ layers }: StepRecord): number => layers.get(layer)!.dead! / layers.get(layer)!.units!;
  const since = sinceWhen(known, (record) => share(record) >= THRESHOLDS.dead);
  if (!since) return [];
  const all = known.slice(known.indexOf(since)).every((record) => share(record) === 1);
  return [
    {
      kind: 'dead-units',
      layer,
      step: since.step,
      sentence: `${layer}: ${percent(share(known.at(-1)!))} of units dead since step ${since.step}${all ? ', so no picture gets through' : ''}`,
      advice: 'lower the rate, or begin with smaller weights and biases that are not below 0; units whose ReLU is always 0 get no gradient and stay so',
    },
  ];
}

/** A training that is over has small updates too: no rule of them speaks once nearly all is known. */
const mastered = ({ records, classes }: TrainingLog): boolean => records.at(-1)!.loss < 0.05 * Math.log(Math.max(classes, 2));

function vanishing(log: TrainingLog, layers: readonly string[]): Finding[] {
  if (mastered(log)) return [];
  const moving = log.records.filter(({ rate }) => rate > 0);
  const top = Math.max(...moving.map(({ rate }) => rate));
  // As if the rate were at its largest: a schedule that ends near 0 makes every update small.
  const changeOf = (record: StepRecord, layer: string): number | undefined => {
    const change = record.layers.get(layer)?.change;
    return change === undefined ? undefined : (change * top) / record.rate;
  };
  const findings: Finding[] = [];
  for (const layer of layers) {
    const known = moving.filter(({ layers: own }) => own.has(layer));
    if (known.length === 0) continue;
    const still = sinceWhen(known, (record) => changeOf(record, layer)! < THRESHOLDS.vanishing);
    if (still) {
      findings.push({
        kind: 'vanishing-updates',
        layer,
        step: still.step,
        sentence: `${layer}: updates vanish (||dW||/||W|| below ${small(THRESHOLDS.vanishing)} since step ${still.step})`,
        advice: 'begin with larger weights (He for ReLU), put a normalization between the layers, or raise the rate',
      });
      continue;
    }
    const faint = sinceWhen(known, (record) => record.layers.get(layer)!.gradient <= THRESHOLDS.faint * record.layers.get(layer)!.weight);
    if (faint) {
      findings.push({
        kind: 'vanishing-updates',
        layer,
        step: faint.step,
        sentence: `${layer}: the gradient vanishes (below ${small(THRESHOLDS.faint)} of ||W|| since step ${faint.step})`,
        advice: 'nothing comes back to this layer: look at the layers behind it, begin with larger weights, or put a normalization between them',
      });
      continue;
    }
    const fastest = (record: StepRecord): number => Math.max(...[...record.layers.keys()].map((other) => changeOf(record, other)!));
    const behind = sinceWhen(known, (record) => changeOf(record, layer)! < THRESHOLDS.uneven * fastest(record));
    if (!behind) continue;
    const last = known.at(-1)!;
    findings.push({
      kind: 'uneven-updates',
      layer,
      step: behind.step,
      sentence: `${layer}: learns ${Math.round(fastest(last) / Math.max(changeOf(last, layer)!, Number.MIN_VALUE)).toLocaleString('en')} times slower than the fastest layer since step ${behind.step}`,
      advice: 'its gradient fades on the way back: begin with larger weights, or put a normalization between the layers',
    });
  }
  return findings;
}

function loss(log: TrainingLog): Finding[] {
  const { records, classes } = log;
  // Pictures that are moved further are harder: losses compare where they are moved as far as at the end.
  const known = records.filter(({ loss: value, distance = 0 }) => Number.isFinite(value) && distance === (records.at(-1)!.distance ?? 0));
  if (known.length < 2 * THRESHOLDS.lines) return [];
  const part = Math.max(THRESHOLDS.lines, Math.floor(known.length / 5));
  const meanLoss = (some: readonly StepRecord[]): number => mean(some.map(({ loss: value }) => value));
  const [start, end] = [meanLoss(known.slice(0, part)), meanLoss(known.slice(-part))];
  const windows = known.slice(0, known.length - part + 1).map((_, i) => meanLoss(known.slice(i, i + part)));
  const least = Math.min(...windows);
  const chance = Math.log(Math.max(classes, 2));
  if (end > THRESHOLDS.rise * least && end > 0.1 * chance) {
    const at = known[windows.indexOf(least) + part - 1]!.step;
    return [{ kind: 'loss-rises', step: at, sentence: `loss rose again: ${least.toFixed(2)} at step ${at}, ${end.toFixed(2)} at the end`, advice: 'lower the rate' }];
  }
  const guesses = end >= THRESHOLDS.fall * chance;
  if (!guesses && (end <= THRESHOLDS.fall * start || end < 0.5 * chance)) return [];
  if (start > end / THRESHOLDS.fall) {
    return [{ kind: 'no-learning', sentence: `loss ends where guessing does: ${end.toFixed(2)}, for ${classes} classes ${chance.toFixed(2)}`, advice: 'look at what is said of the layers; where nothing is, train longer or at another rate' }];
  }
  return [
    {
      kind: 'no-learning',
      sentence: `loss did not fall: ${start.toFixed(2)} at first, ${end.toFixed(2)} at the end; guessing among ${classes} classes gives ${chance.toFixed(2)}`,
      advice: 'look at what is said of the layers; where nothing is, train longer or at another rate',
    },
  ];
}

function oneAnswer({ heldOut }: TrainingLog): Finding[] {
  const confusion = heldOut?.confusion;
  if (!confusion || confusion.length < 3) return [];
  const total = confusion.flat().reduce((a, b) => a + b, 0);
  const answers = confusion.map((_, answer) => confusion.reduce((sum, row) => sum + (row[answer] ?? 0), 0) / total);
  const largest = Math.max(...confusion.map((row) => row.reduce((a, b) => a + b, 0) / total));
  const most = Math.max(...answers);
  if (!(most > THRESHOLDS.oneAnswer) || largest > 0.4) return [];
  const answer = answers.indexOf(most);
  return [
    {
      kind: 'one-answer',
      sentence: `answers ${heldOut.labels?.[answer] ?? `class ${answer}`} to ${percent(most)} of the held-out pictures`,
      advice: 'it tells pictures apart hardly or not at all: look at what is said of the layers',
    },
  ];
}

function overfitting({ records, heldOut }: TrainingLog): Finding[] {
  if (!heldOut) return [];
  const known = mean(records.slice(-Math.max(THRESHOLDS.lines, Math.floor(records.length / 5))).map(({ accuracy }) => accuracy));
  if (!(known >= THRESHOLDS.known && known - heldOut.accuracy >= THRESHOLDS.gap)) return [];
  return [
    {
      kind: 'overfitting',
      sentence: `fits the training pictures only (train ${percent(known)}, held-out ${percent(heldOut.accuracy)})`,
      advice: 'learn from more pictures, with more decay or dropout, or with fewer weights',
    },
  ];
}
