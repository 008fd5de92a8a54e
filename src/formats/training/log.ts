/**
 * The log of a training, one JSON object a line:
 *   {"training": NAME, "labels": [...], "batch": N, "steps": N}                                       the first line
 *   {"step": N, "loss": x, "accuracy": x, "rate": x, ("distance": x,) "images_per_second": x, "layers": {NAME: {...}}}  of a step
 *   {"halt": {"step": N, "layer": NAME, "what": ...}}     {"held_out": {"accuracy": x, "confusion": [[...]]}}
 * A number that is not finite is null. Keys that are not read here are passed over: later versions may write more.
 */
import { UnitscopeError } from '../../errors.ts';
import type { LayerMeasure } from '../../network/training.ts';
import { parseJson, type Json } from '../json.ts';
import { described, Faults, Fields } from './fields.ts';

export interface LoggedStep {
  readonly step: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly rate: number;
  /** How far the pictures were moved against the network, where they were. */
  readonly distance?: number;
  readonly imagesPerSecond: number;
  readonly layers: ReadonlyMap<string, LayerMeasure>;
}

export interface LoggedTraining {
  readonly name: string;
  readonly labels: readonly string[];
  readonly steps: readonly LoggedStep[];
  readonly halt?: { readonly step: number; readonly layer?: string; readonly what?: string };
  readonly heldOut?: { readonly accuracy: number; readonly confusion?: readonly (readonly number[])[] };
}

const MOST_LINES = 1e6;

/** @throws usage, with the number of the line. A last line that was cut, as a crash leaves it, is passed over. */
export function readTrainingLog(text: string, file: string): LoggedTraining {
  const lines = text.split('\n');
  if (lines.length > MOST_LINES) throw new UnitscopeError('usage', `the log has ${lines.length} lines; at most ${MOST_LINES} are read`, { file });
  const cut = lines.pop()!; // empty where the last line is whole
  const faults = new Faults();
  const all = [...lines, ...(whole(cut, file) ? [cut] : [])];
  let head: Fields | undefined;
  const steps: LoggedStep[] = [];
  let ends: Pick<LoggedTraining, 'halt' | 'heldOut'> = {};
  for (const [index, line] of all.entries()) {
    if (line.trim() === '') continue;
    const fields = new Fields(lineJson(line, file, index), `line ${index + 1}`, faults);
    if (fields.has('training')) head = fields;
    else if (fields.has('halt')) ends = { ...ends, halt: haltOf(fields.fields('halt')) };
    else if (fields.has('held_out')) ends = { ...ends, heldOut: heldOutOf(fields.fields('held_out')) };
    else steps.push(stepOf(fields));
    if (faults.lines.length > 0) break;
  }
  const labels = head?.list('labels').map((label) => (typeof label === 'string' ? label : described(label)));
  const name = head?.text('training');
  if (faults.lines.length > 0) throw new UnitscopeError('usage', `this is no log of a training: ${faults.lines[0]}`, { file });
  if (!labels || name === undefined) throw new UnitscopeError('usage', 'this is no log of a training: its first line does not say what was learnt', { file });
  return { name, labels, steps, ...ends };
}

function lineJson(line: string, file: string, index: number): Json {
  try {
    return parseJson(line, file);
  } catch (cause) {
    throw new UnitscopeError('usage', `this is no log of a training: line ${index + 1}: ${(cause as Error).message}`, { file, line: index + 1 }, '', { cause });
  }
}

function whole(line: string, file: string): boolean {
  try {
    return parseJson(line, file) instanceof Map;
  } catch {
    return false;
  }
}

/** A number, or NaN where the log says null. */
function numberOf(fields: Fields, key: string): number {
  return fields.raw(key) === null ? NaN : fields.number(key, undefined);
}

function optional<K extends string>(fields: Fields, keys: readonly K[]): Partial<Record<K, number>> {
  return Object.fromEntries(keys.filter((key) => fields.has(key)).map((key) => [key, numberOf(fields, key)])) as Partial<Record<K, number>>;
}

function stepOf(fields: Fields): LoggedStep {
  const layers = fields.fields('layers');
  return {
    step: fields.whole('step', undefined, 0, Number.MAX_SAFE_INTEGER),
    loss: numberOf(fields, 'loss'),
    accuracy: numberOf(fields, 'accuracy'),
    rate: fields.number('rate', undefined, { least: 0 }),
    ...(fields.has('distance') && { distance: fields.number('distance', undefined, { least: 0 }) }),
    imagesPerSecond: fields.has('images_per_second') ? numberOf(fields, 'images_per_second') : NaN,
    layers: new Map(layers.keys().map((name) => [name, layerOf(layers.fields(name))])),
  };
}

function layerOf(fields: Fields): LayerMeasure {
  return {
    gradient: numberOf(fields, 'gradient'),
    weight: numberOf(fields, 'weight'),
    change: numberOf(fields, 'change'),
    nonFinite: fields.number('non_finite', 0),
    ...optional(fields, ['zeros', 'dead', 'units']),
  };
}

function haltOf(fields: Fields): NonNullable<LoggedTraining['halt']> {
  const texts = Object.fromEntries(['layer', 'what'].filter((key) => fields.has(key)).map((key) => [key, fields.text(key)]));
  return { step: fields.whole('step', undefined, 0, Number.MAX_SAFE_INTEGER), ...texts };
}

function heldOutOf(fields: Fields): NonNullable<LoggedTraining['heldOut']> {
  const accuracy = numberOf(fields, 'accuracy');
  if (!fields.has('confusion')) return { accuracy };
  const rows = fields.list('confusion');
  const isCount = (value: Json): boolean => typeof value === 'number' && value >= 0;
  if (rows.every((row) => Array.isArray(row) && row.length === rows.length && row.every(isCount))) return { accuracy, confusion: rows as number[][] };
  fields.fault('confusion', 'must be as many lists of as many counts');
  return { accuracy };
}

/** The first line: what is learnt. */
export function headLine(head: { readonly name: string; readonly labels: readonly string[]; readonly batch: number; readonly steps: number }): string {
  const { name, labels, batch, steps } = head;
  return JSON.stringify({ training: name, labels, batch, steps });
}

/** The line of a step, with six digits of each number. */
export function stepLine({ step, loss, accuracy, rate, distance, imagesPerSecond, layers }: LoggedStep): string {
  const short = (value: number): number => Number(value.toPrecision(6));
  const own = [...layers].map(([name, { gradient, weight, change, nonFinite, zeros, dead, units }]) => [
    name,
    { gradient: short(gradient), weight: short(weight), change: short(change), non_finite: nonFinite, ...(units !== undefined && { zeros: short(zeros!), dead, units }) },
  ]);
  // fromEntries defines keys one by one, so that a layer called __proto__ stays a layer.
  return JSON.stringify({ step, loss: short(loss), accuracy: short(accuracy), rate: short(rate), ...(distance !== undefined && { distance: short(distance) }), images_per_second: short(imagesPerSecond), layers: Object.fromEntries(own) });
}

export const haltLine = (halt: NonNullable<LoggedTraining['halt']>): string => JSON.stringify({ halt });

export const heldOutLine = (step: number, heldOut: NonNullable<LoggedTraining['heldOut']>): string => JSON.stringify({ step, held_out: heldOut });
