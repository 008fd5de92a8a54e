/**
 * The layers of a training's description, a list such as
 *   [{"conv": 24, "kernel": 7, "stride": 2, "padding": 3}, "relu", {"max_pool": 3, "stride": 2}, {"dense": 16}, "softmax"]
 * Each is the name of a kind, or an object with the kind as one key and more of the layer in the others. Layers without a
 * name are called as in AlexNet: conv1, relu1, pool1, norm1, ..., fc6, relu6, drop6, fc8, prob.
 */
import { didYouMean, quote } from '../../network/spelling.ts';
import type { Beginning, LayerPlan } from '../../network/training.ts';
import type { Json } from '../json.ts';
import { described, Fields, type Faults } from './fields.ts';

const MOST_OUTPUTS = 65536;
const MOST_LAYERS = 1000;
const MOST_KERNEL = 255;

/** How a layer of each kind is called: by a number that goes up with each layer that has weights. */
const NAMES = {
  conv: 'conv', dense: 'fc', relu: 'relu', max_pool: 'pool', average_pool: 'pool', global_average_pool: 'pool',
  lrn: 'norm', batch_norm: 'bn', dropout: 'drop', softmax: 'prob',
} as const;

type Kind = LayerPlan['kind'];
const KINDS = Object.keys(NAMES) as Kind[];

/** What each kind reads besides its name; the value of the kind's own key is its main number. */
const READERS: { readonly [K in Kind]: (fields: Fields, begin: Beginning) => object } = {
  conv: (f, begin) => {
    const kernel = f.whole('kernel', undefined, 1, MOST_KERNEL);
    return {
      outputs: f.whole('conv', undefined, 1, MOST_OUTPUTS),
      kernel,
      stride: f.whole('stride', 1, 1, MOST_KERNEL),
      padding: f.whole('padding', 0, 0, MOST_KERNEL),
      groups: f.whole('groups', 1, 1, MOST_OUTPUTS),
      bias: f.flag('bias', true),
      begin: parseBeginning(f, begin),
    };
  },
  dense: (f, begin) => ({ outputs: f.whole('dense', undefined, 1, MOST_OUTPUTS), bias: f.flag('bias', true), begin: parseBeginning(f, begin) }),
  max_pool: (f) => pool(f, 'max_pool'),
  average_pool: (f) => pool(f, 'average_pool'),
  lrn: (f) => ({
    size: f.whole('lrn', 5, 1, MOST_KERNEL),
    alpha: f.number('alpha', 1e-4, { least: 0 }),
    beta: f.number('beta', 0.75, { least: 0 }),
    k: f.number('k', 1, { least: 0, open: true }),
  }),
  batch_norm: (f) => (on(f, 'batch_norm'), { epsilon: f.number('epsilon', 1e-5, { least: 0, open: true }) }),
  dropout: (f) => ({ rate: f.number('dropout', 0.5, { least: 0, most: 0.999 }) }),
  relu: (f) => on(f, 'relu'),
  softmax: (f) => on(f, 'softmax'),
  global_average_pool: (f) => on(f, 'global_average_pool'),
};

function pool(f: Fields, key: string): object {
  const kernel = f.whole(key, undefined, 1, MOST_KERNEL);
  return { kernel, stride: f.whole('stride', kernel, 1, MOST_KERNEL), padding: f.whole('padding', 0, 0, Math.floor(kernel / 2)), ceil: f.flag('ceil', false) };
}

/** A kind without a number of its own says `true`. */
function on(f: Fields, key: string): object {
  if (f.raw(key) !== true) f.fault(key, `must be true, ${described(f.raw(key))} is there`);
  return {};
}

export const USUAL: Beginning = { weights: 'he', scale: 1, bias: 0 };

/** `init` of a layer, or of all of them. @param usual what stands for keys that are missing */
export function parseBeginning(section: Fields, usual: Beginning): Beginning {
  if (!section.has('init')) return usual;
  const fields = section.fields('init');
  const way = fields.raw('weights');
  const begin: Beginning = {
    weights: way instanceof Map ? { normal: normal(fields) } : way === undefined ? usual.weights : fields.oneOf<'he' | 'xavier'>('weights', ['he', 'xavier']),
    scale: fields.number('scale', usual.scale, { least: 0 }),
    bias: fields.number('bias', usual.bias),
  };
  fields.finish();
  return begin;
}

function normal(fields: Fields): number {
  const inner = fields.fields('weights');
  const std = inner.number('normal', undefined, { least: 0 });
  inner.finish();
  return std;
}

/** The list `layers`; faults are noted. */
export function parseLayers(top: Fields, usual: Beginning, faults: Faults): LayerPlan[] {
  const list = top.list('layers');
  if (list.length > MOST_LAYERS) {
    top.fault('layers', `has ${list.length} layers; at most ${MOST_LAYERS} are taken`);
    return [];
  }
  const names = new Map<string, number>();
  let number = 0;
  return list.flatMap((value, index): LayerPlan[] => {
    const path = `layers[${index}]`;
    const kind = kindOf(value, path, faults);
    if (!kind) return [];
    const fields = new Fields(typeof value === 'string' ? shorthand(kind) : value, path, faults);
    if (kind === 'conv' || kind === 'dense') number++;
    const own = fields.text('name', automatic(kind, number, names));
    names.set(own, (names.get(own) ?? 0) + 1);
    if (names.get(own)! > 1) fields.fault('name', `${quote(own)} is the name of another layer too`);
    const layer = { name: own, kind, ...READERS[kind](fields, usual) } as LayerPlan;
    fields.finish();
    return [layer];
  });
}

/** conv1, relu1; a second of the same kind behind one layer is relu1b, a third relu1c. */
function automatic(kind: Kind, number: number, taken: ReadonlyMap<string, number>): string {
  const name = kind === 'softmax' ? NAMES.softmax : `${NAMES[kind]}${number}`;
  let candidate: string = name;
  for (let count = 2; taken.has(candidate); count++) candidate = count <= 26 ? `${name}${String.fromCharCode(96 + count)}` : `${name}_${count}`;
  return candidate;
}

/** A kind that stands alone, as the object that it is short for. */
const shorthand = (kind: Kind): Json => new Map<string, Json>(kind === 'lrn' || kind === 'dropout' ? [] : [[kind, true]]);

function kindOf(value: Json, path: string, faults: Faults): Kind | undefined {
  if (typeof value !== 'string' && !(value instanceof Map)) {
    faults.add(path, `must be the name of a kind of layer or an object, ${described(value)} is there`);
    return undefined;
  }
  const words = typeof value === 'string' ? [value] : [...(value as ReadonlyMap<string, Json>).keys()];
  const kinds = KINDS.filter((kind) => words.includes(kind));
  if (kinds.length === 1) return kinds[0];
  if (kinds.length > 1) faults.add(path, `is ${kinds.join(' and ')} at once`);
  else if (words.length === 0) faults.add(path, 'says no kind of layer', `kinds: ${KINDS.join(', ')}`);
  else faults.add(path, `is of no known kind: ${quote(words[0]!)}`, didYouMean(words[0]!, KINDS));
  return undefined;
}
