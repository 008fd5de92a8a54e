/**
 * How the units of layers answer a set of pictures: mean, deviation, extremes, histogram, how often they are silent, and
 * their mean answer to each class. The GPU sums up each map of each picture; maps are put together here in float64, in the
 * order of the pictures, so that equal sets give equal numbers.
 */
import { BINS, HISTOGRAM, LEAST } from '../../shaders/channel_histogram.wgsl.ts';
import { MOMENT } from '../../shaders/channel_moments.wgsl.ts';
import type { Rows } from '../../shaders/channel_rows.wgsl.ts';
import { keyValue, NOTHING, ZERO } from '../../shaders/order_key.wgsl.ts';
import { added, type Histogram } from '../analysis/histogram.ts';
import { deviation, momentsAround, NO_MOMENTS, together, type Moments } from '../analysis/moments.ts';
import { throwIfAborted, UnitscopeError } from '../errors.ts';
import type { Engine } from '../gpu/engine.ts';
import type { Network, Preprocess, Tensor } from '../network/network.ts';
import type { Runner } from '../scheduler/runner.ts';
import { histogramsShape, momentsShape, recordMoments, rowsOf } from '../scheduler/survey.ts';
import type { Method } from './method.ts';
import { pictureBatches, type BatchOptions, type PictureSet } from './pictures.ts';
import { isRectified, openSurvey, PICTURES, pictureWords, surveyedLayers } from './survey.ts';

export const STATISTICS_METHOD: Method = {
  name: 'statistics',
  summary: 'measure how units answer a set of pictures, and find those that are dead',
  source: 'the activation monitor of Stanford CS231n; class means as in CNNVis, Liu et al. 2017',
  takes: 'pictures',
};

/** From which share of pictures on a unit that is silent in them is nearly dead. */
export const NEARLY = 0.99;

/** A unit whose values deviate less than this always says the same. */
export const CONSTANT = 1e-6;

export interface StatisticsOptions {
  /** By name; `surveyedLayers` makes them. */
  readonly layers: readonly string[];
  readonly preprocess: Preprocess;
  /** What a picture counts with in the mean of its class: the largest value of the map, or its mean. */
  readonly classes?: 'max' | 'mean';
  /** Pictures at once; fewer where the device has no room. */
  readonly batch?: number;
  /** Where an earlier run over the same set has come to. */
  readonly resume?: StatisticsState | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly broken?: BatchOptions['broken'];
}

/** How far a run has come: all that it needs to go on, to the same numbers. */
export interface StatisticsState {
  /** The first picture that was not looked at. */
  readonly next: number;
  readonly pictures: number;
  readonly classCounts: readonly number[];
  /** By layer, in their order. */
  readonly layers: readonly LayerState[];
}

export interface LayerState {
  readonly units: readonly UnitTally[];
  /** [channels, classes]. */
  readonly classSums: readonly number[];
}

/** Of one channel, over all places of all pictures; values that are not finite are only counted. */
export interface UnitStatistics {
  readonly mean: number;
  readonly std: number;
  readonly min: number;
  readonly max: number;
  /** Share of values that are 0. */
  readonly zeros: number;
  /** Share of pictures in which it is nowhere above 0. */
  readonly silent: number;
  readonly notFinite: number;
  readonly histogram: Histogram;
}

export interface LayerStatistics {
  readonly layer: string;
  readonly units: readonly UnitStatistics[];
  /**
   * Channels that are silent in every picture, and in NEARLY all of them, where that says that nothing is heard of them:
   * the layer is rectified, or they are never below 0 either.
   */
  readonly dead: readonly number[];
  readonly nearlyDead: readonly number[];
  /** Channels whose deviation is below CONSTANT. */
  readonly constant: readonly number[];
  /** [channels, classes]; NaN where a class has no picture. Absent where the pictures have no classes. */
  readonly classMeans?: Tensor;
}

export interface StatisticsProgress {
  readonly done: number;
  readonly total: number;
  /** Of the pictures so far. */
  result(): Statistics;
  state(): StatisticsState;
}

export interface Statistics {
  /** Pictures that were measured. */
  readonly pictures: number;
  /** How many of them each class has. */
  readonly classCounts: readonly number[];
  readonly layers: readonly LayerStatistics[];
}

/** Goes once through the pictures; the last progress has the result. @throws usage, unknown-layer, limit, aborted, and as pictures do that nobody is told of */
export async function* statistics(engine: Engine, network: Network, set: PictureSet, options: StatisticsOptions): AsyncGenerator<StatisticsProgress, void, undefined> {
  const { preprocess, resume, signal, broken, classes = 'max' } = options;
  const layers = surveyedLayers(network, options.layers);
  const maps: Rows[] = [];
  const names = layers.map((layer) => ({ moments: `moments ${layer}`, histograms: `histograms ${layer}` }));
  const { runner, batch, input, shape } = await openSurvey(engine, network, { layers, batch: options.batch ?? 8 }, (builder, layer, y, pictures) => {
    const n = layers.indexOf(layer);
    const { moments, histograms } = names[n]!;
    maps[n] = rowsOf(y);
    recordMoments(builder.recorder('survey', layer, 'statistics'), y, pictures, {
      moments: builder.persistent(moments, momentsShape(y), 'u32'),
      histograms: builder.persistent(histograms, histogramsShape(y), 'u32'),
    });
  });
  const tallies = maps.map(({ channels, plane }) => new LayerTally(channels, plane, set.labels.length, classes));
  const total = set.pictures.length;
  const classCounts = set.labels.map((_, label) => resume?.classCounts[label] ?? 0);
  let pictures = resume?.pictures ?? 0;
  const at = (done: number): StatisticsProgress => ({
    done,
    total,
    result: () => ({ pictures, classCounts: [...classCounts], layers: layers.map((layer, n) => tallies[n]!.result(layer, { pictures, classCounts, rectified: isRectified(network, layer) })) }),
    state: () => ({ next: done, pictures, classCounts: [...classCounts], layers: tallies.map((tally) => tally.state()) }),
  });
  let done = resume?.next ?? 0;
  try {
    if (resume) tallies.forEach((tally, n) => tally.restore(layers[n]!, resume.layers[n]));
    for await (const { indices, x } of pictureBatches(set, { batch, preprocess, shape, from: done, signal, broken })) {
      runner.write(input, x.data);
      runner.write(PICTURES, pictureWords(indices, batch));
      const results = await runAndRead(runner, names.flatMap(({ moments, histograms }) => [moments, histograms]));
      throwIfAborted(signal);
      const labels = indices.map((index) => set.pictures[index]!.label);
      for (const label of labels) if (label !== undefined) classCounts[label]!++;
      tallies.forEach((tally, n) => tally.add(results[2 * n]!, results[2 * n + 1]!, labels));
      pictures += indices.length;
      yield at((done = indices.at(-1)! + 1));
    }
    if (done < total || total === resume?.next) yield at((done = total)); // the last ones were broken, or nothing was left
  } finally {
    runner.dispose();
  }
}

/** One submission and one way back for all layers. */
async function runAndRead(runner: Runner, names: readonly string[]): Promise<Uint32Array[]> {
  const { engine } = runner;
  const parts = names.map((name) => ({ ...runner.binding(name), bytes: 4 * runner.tensor(name).shape.reduce((product, size) => product * size, 1) }));
  const whole = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  const staging = engine.createBuffer('statistics', whole, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
  try {
    runner.run(['forward', 'survey'], (encoder) => {
      let to = 0;
      for (const { buffer, offset, bytes } of parts) {
        encoder.copyBufferToBuffer(buffer, offset, staging, to, bytes);
        to += bytes;
      }
    });
    const all = await engine.map(staging, whole);
    let from = 0;
    return parts.map(({ bytes }) => new Uint32Array(all, (from += bytes) - bytes, bytes / 4));
  } finally {
    engine.destroyBuffer(staging);
  }
}

/** What is known of one channel so far; `least` and `most` are keys (order_key.wgsl.ts). */
export interface UnitTally {
  readonly moments: Moments;
  readonly zeros: number;
  readonly silent: number;
  readonly notFinite: number;
  readonly least: number;
  readonly most: number;
  readonly histogram: Histogram;
}

const NO_VALUES: Histogram = { exponent: LEAST, signed: false, counts: new Array<number>(BINS).fill(0) };

/** One layer's sums over the pictures so far. */
class LayerTally {
  private units: { -readonly [K in keyof UnitTally]: UnitTally[K] }[];
  /** [channels, classes]. */
  private readonly classSums: Float64Array;

  constructor(
    private readonly channels: number,
    /** Values of one map. */
    private readonly plane: number,
    private readonly classes: number,
    private readonly measure: 'max' | 'mean',
  ) {
    this.units = Array.from({ length: channels }, () => ({ moments: NO_MOMENTS, zeros: 0, silent: 0, notFinite: 0, least: 0xffffffff, most: NOTHING, histogram: NO_VALUES }));
    this.classSums = new Float64Array(channels * classes);
  }

  state(): LayerState {
    return { units: this.units.map((unit) => ({ ...unit })), classSums: [...this.classSums] };
  }

  /** @throws usage where the state is not of this layer */
  restore(layer: string, state: LayerState | undefined): void {
    if (state?.units.length !== this.channels || state.classSums.length !== this.classSums.length) {
      throw new UnitscopeError('usage', `the state to go on from has no sums of the ${this.channels} units of '${layer}'`, { layer });
    }
    this.units = state.units.map((unit) => ({ ...unit }));
    this.classSums.set(state.classSums);
  }

  /** @param labels of the images that count */
  add(moments: Uint32Array, histograms: Uint32Array, labels: readonly (number | undefined)[]): void {
    const floats = new Float32Array(moments.buffer, moments.byteOffset, moments.length);
    labels.forEach((label, n) => {
      for (let c = 0; c < this.channels; c++) {
        const at = (n * this.channels + c) * MOMENT.words;
        const unit = this.units[c]!;
        const [finite, most] = [moments[at + MOMENT.finite]!, moments[at + MOMENT.most]!];
        const map = momentsAround(floats[at + MOMENT.mean]!, finite, floats[at + MOMENT.sum]!, floats[at + MOMENT.squares]!);
        unit.moments = together(unit.moments, map);
        unit.zeros += moments[at + MOMENT.zeros]!;
        unit.most = Math.max(unit.most, most);
        unit.least = Math.min(unit.least, moments[at + MOMENT.least]!);
        unit.notFinite += this.plane - finite;
        if (most !== NOTHING && most <= ZERO) unit.silent++;
        if (label !== undefined) this.classSums[c * this.classes + label]! += this.measure === 'mean' ? map.mean : most === NOTHING ? 0 : keyValue(most);
      }
    });
    for (let c = 0; c < this.channels; c++) {
      const at = c * HISTOGRAM.words;
      const unit = this.units[c]!;
      const counts = Array.from(histograms.subarray(at + HISTOGRAM.counts, at + HISTOGRAM.words));
      unit.histogram = added(unit.histogram, { exponent: histograms[at + HISTOGRAM.exponent]! | 0, signed: histograms[at + HISTOGRAM.signed] === 1, counts });
    }
  }

  result(layer: string, { pictures, classCounts, rectified }: { pictures: number; classCounts: readonly number[]; rectified: boolean }): LayerStatistics {
    const units = this.units.map(({ moments, zeros, silent, notFinite, least, most, histogram }): UnitStatistics => {
      const finite = moments.count;
      return {
        mean: moments.mean,
        std: deviation(moments),
        min: finite === 0 ? 0 : keyValue(least),
        max: finite === 0 ? 0 : keyValue(most),
        zeros: finite === 0 ? 0 : zeros / finite,
        silent: pictures === 0 ? 0 : silent / pictures,
        notFinite,
        histogram,
      };
    });
    const which = (test: (unit: UnitStatistics) => boolean): number[] => units.flatMap((unit, c) => (pictures > 0 && test(unit) ? [c] : []));
    const mute = ({ min }: UnitStatistics): boolean => rectified || min >= 0;
    return {
      layer,
      units,
      dead: which((unit) => unit.silent === 1 && mute(unit)),
      nearlyDead: which((unit) => unit.silent >= NEARLY && unit.silent < 1 && mute(unit)),
      constant: which(({ std }) => std < CONSTANT),
      ...(this.classes > 0 && {
        classMeans: { shape: [this.channels, this.classes], data: Float32Array.from(this.classSums, (sum, i) => sum / classCounts[i % this.classes]!) },
      }),
    };
  }
}
