/** The ways in which people turn pictures into the input of a network: what is worth trying where nobody says which. */
import { UnitscopeError } from '../errors.ts';
import type { Preprocess } from '../network/network.ts';
import { pixelBounds } from './preprocess.ts';
import { PREPROCESS_PRESETS, type PresetName } from './preprocess_text.ts';

export interface Candidate {
  readonly preprocess: Preprocess;
  /** The scale in words, e.g. `0..255, mean 104 117 123`. */
  readonly scale: string;
  /** The preset that it is, apart from its fit: what whole families of networks were trained with. */
  readonly preset?: PresetName;
  /** Whether it is the one that the model states. */
  readonly stated: boolean;
}

interface Scale {
  readonly name: string;
  readonly range: number;
  /** Mean and std in the order red, green, blue, or one number for all. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** The mean colour of ImageNet and its spread, as the trainers of Torch and of Caffe write them. */
const MEAN = [0.485, 0.456, 0.406];
const STD = [0.229, 0.224, 0.225];
const CAFFE_MEAN = [123, 117, 104];

const SCALES: readonly Scale[] = [
  { name: '0..1', range: 1, mean: [0], std: [1] },
  { name: '0..1, ImageNet mean, std', range: 1, mean: MEAN, std: STD },
  { name: '0..1, ImageNet mean', range: 1, mean: MEAN, std: [1] },
  { name: '-0.5..0.5', range: 1, mean: [0.5], std: [1] },
  { name: '-1..1', range: 2, mean: [1], std: [1] },
  { name: '0..255', range: 255, mean: [0], std: [1] },
  { name: '0..255, Caffe mean', range: 255, mean: CAFFE_MEAN, std: [1] },
  { name: '0..255, mean 127.5', range: 255, mean: [127.5], std: [1] },
];

const EVERY_FIT = ['crop', 'stretch'] as const;

/**
 * What is worth trying for a network of 1 or 3 channels: both orders of the channels, the usual scales, both fits.
 * What the model states is among them, and so is the same with its channels turned round.
 * @param fits the fits that make a difference for the picture
 */
export function preprocessCandidates(channels: number, stated?: Preprocess, fits: readonly Preprocess['fit'][] = EVERY_FIT): Candidate[] {
  const orders = ({ 1: ['gray'], 3: ['RGB', 'BGR'] } as const)[channels];
  if (!orders) throw new UnitscopeError('usage', `a picture has 1 or 3 channels, the network takes ${channels}`);
  const scales = channels === 1 ? SCALES.filter(({ mean }) => mean.length === 1) : SCALES;
  const usual = scales.flatMap((scale) => orders.flatMap((order) => fits.map((fit) => candidate(preprocessOf(scale, order, channels, fit)))));
  if (!stated) return usual;
  const fit = fits.includes(stated.fit) ? stated.fit : fits[0]!;
  const own = [stated, ...(channels === 3 ? [turned(stated)] : [])].flatMap((way) => fits.map((each) => ({ ...way, fit: each })));
  const others = usual.filter(({ preprocess }) => !own.some((way) => isAlike(way, preprocess)));
  return [...own.map((way) => candidate(way, way.channels === stated.channels && way.fit === fit)), ...others];
}

function candidate(preprocess: Preprocess, stated = false): Candidate {
  const presets = Object.entries(PREPROCESS_PRESETS) as [PresetName, Preprocess][];
  const preset = presets.find(([, way]) => isAlike({ ...way, fit: preprocess.fit }, preprocess))?.[0];
  return { preprocess, scale: scaleOf(preprocess), stated, ...(preset && { preset }) };
}

function preprocessOf({ range, mean, std }: Scale, channels: Preprocess['channels'], count: number, fit: Preprocess['fit']): Preprocess {
  const spread = (values: readonly number[]) => {
    const all = values.length === 1 ? new Array<number>(count).fill(values[0]!) : [...values];
    return channels === 'BGR' ? all.reverse() : all;
  };
  return { channels, range, mean: spread(mean), std: spread(std), fit };
}

/** The same colours with the same means, the channels in the other order. */
function turned(way: Preprocess): Preprocess {
  return { ...way, channels: way.channels === 'BGR' ? 'RGB' : 'BGR', mean: way.mean.toReversed(), std: way.std.toReversed() };
}

/** True where no pixel comes out more than a hundredth of the whole span apart. */
function isAlike(a: Preprocess, b: Preprocess): boolean {
  if (a.channels !== b.channels || a.fit !== b.fit) return false;
  const [first, second] = [a, b].map((way) => pixelBounds(way, way.mean.length));
  return first!.low.every((low, c) => {
    const span = first!.high[c]! - low;
    return Math.abs(second!.low[c]! - low) < span / 100 && Math.abs(second!.high[c]! - first!.high[c]!) < span / 100;
  });
}

/** The usual name of a scale, or its numbers. */
function scaleOf(way: Preprocess): string {
  const usual = SCALES.find((scale) => (scale.mean.length === 1 || way.mean.length === 3) && isAlike(way, preprocessOf(scale, way.channels, way.mean.length, way.fit)));
  const list = (values: readonly number[]) => (values.every((value) => value === values[0]) ? String(values[0]) : values.join(' '));
  return usual?.name ?? `0..${way.range}, mean ${list(way.mean)}, std ${list(way.std)}`;
}
