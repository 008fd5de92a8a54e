/** Axes: a map from values to pixels, and the values that are marked on it. */

export interface Tick {
  readonly value: number;
  /** Empty where a line is enough. */
  readonly label: string;
}

export interface Scale {
  at(value: number): number;
  readonly ticks: readonly Tick[];
}

/** Without exponents and thousands: 0.05, 20, 5k. */
export const short = (value: number): string => (value >= 1000 ? `${Number((value / 1000).toPrecision(6))}k` : String(Number(value.toPrecision(6))));

/** Equal ratios are equal lengths. The ends are 1, 2 or 5 times a power of ten around the values; powers of ten carry labels, all where there are few. */
export function logScale(values: readonly number[], from: number, to: number): Scale {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value));
  if (positive.length === 0) return logScale([1], from, to);
  const steps = stepsAround(Math.min(...positive), Math.max(...positive));
  const [low, high] = [Math.log(steps[0]!), Math.log(steps.at(-1)!)];
  const few = steps.length <= 8;
  return {
    at: (value) => from + ((Math.log(value) - low) / (high - low)) * (to - from),
    ticks: steps.map((value) => ({ value, label: few || Number.isInteger(Math.log10(value)) ? short(value) : '' })),
  };
}

/** 1, 2, 5 times powers of ten, from the last one at or below `least` to the first one at or above `most`, two at least. */
function stepsAround(least: number, most: number): number[] {
  const all: number[] = [];
  for (let power = -9; power <= 12; power++) for (const digit of [1, 2, 5]) all.push(Number(`${digit}e${power}`));
  const first = all.findLastIndex((value) => value <= least * (1 + 1e-9));
  const last = all.findIndex((value) => value >= most * (1 - 1e-9));
  return all.slice(first, Math.max(last, first + 1) + 1);
}

/** From zero to the least multiple of a round step above the values. */
export function linearScale(values: readonly number[], from: number, to: number): Scale {
  const most = Math.max(...values.filter(Number.isFinite), 1e-9);
  const rough = most / 5;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((digit) => digit * unit).find((candidate) => candidate >= rough * (1 - 1e-9))!;
  const count = Math.ceil(most / step - 1e-9);
  return {
    at: (value) => from + (value / (count * step)) * (to - from),
    ticks: Array.from({ length: count + 1 }, (_, i) => ({ value: i * step, label: short(i * step) })),
  };
}

/** Marks at the values themselves, their ratios kept. */
export function markedScale(values: readonly number[], labelOf: (value: number) => string, from: number, to: number): Scale {
  const marks = [...new Set(values)].sort((a, b) => a - b);
  const [low, high] = [Math.log(marks[0] ?? 1), Math.log(marks.at(-1) ?? 1)];
  return {
    at: (value) => (high === low ? (from + to) / 2 : from + ((Math.log(value) - low) / (high - low)) * (to - from)),
    ticks: marks.map((value) => ({ value, label: labelOf(value) })),
  };
}
