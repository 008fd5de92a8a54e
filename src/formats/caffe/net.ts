/** A prototxt as a list of layers: both generations of the file form, the test phase, without what only training needs. */
import { UnitscopeError } from '../../errors.ts';
import type { Shape } from '../../network/network.ts';
import { quote } from '../../network/spelling.ts';
import { checkLayerCount } from '../budget.ts';
import { Fields } from './fields.ts';
import { parseText } from './text.ts';

export interface CaffeLayer {
  readonly name: string;
  /** As the present file form calls it, e.g. `InnerProduct`. */
  readonly type: string;
  readonly bottoms: readonly string[];
  readonly tops: readonly string[];
  readonly fields: Fields;
}

export interface CaffeInput {
  readonly name: string;
  /** Undefined where the file does not say. */
  readonly shape?: Shape;
}

export interface CaffeNet {
  readonly name: string;
  readonly inputs: readonly CaffeInput[];
  readonly layers: readonly CaffeLayer[];
  /** Of data layers: how a picture becomes the input. */
  readonly transforms: readonly Fields[];
  readonly notes: readonly string[];
}

/** Names of types in version 1, and now. */
const VERSION_1: Readonly<Record<string, string>> = {
  ABSVAL: 'AbsVal', ARGMAX: 'ArgMax', BNLL: 'BNLL', CONCAT: 'Concat', CONTRASTIVE_LOSS: 'ContrastiveLoss', CONVOLUTION: 'Convolution',
  DATA: 'Data', DECONVOLUTION: 'Deconvolution', DROPOUT: 'Dropout', DUMMY_DATA: 'DummyData', EUCLIDEAN_LOSS: 'EuclideanLoss',
  ELTWISE: 'Eltwise', EXP: 'Exp', FLATTEN: 'Flatten', HDF5_DATA: 'HDF5Data', HDF5_OUTPUT: 'HDF5Output', HINGE_LOSS: 'HingeLoss',
  IM2COL: 'Im2col', IMAGE_DATA: 'ImageData', INFOGAIN_LOSS: 'InfogainLoss', INNER_PRODUCT: 'InnerProduct', LRN: 'LRN',
  MEMORY_DATA: 'MemoryData', MULTINOMIAL_LOGISTIC_LOSS: 'MultinomialLogisticLoss', MVN: 'MVN', POOLING: 'Pooling', POWER: 'Power',
  RELU: 'ReLU', SIGMOID: 'Sigmoid', SIGMOID_CROSS_ENTROPY_LOSS: 'SigmoidCrossEntropyLoss', SILENCE: 'Silence', SOFTMAX: 'Softmax',
  SOFTMAX_LOSS: 'SoftmaxWithLoss', SPLIT: 'Split', SLICE: 'Slice', TANH: 'TanH', WINDOW_DATA: 'WindowData', THRESHOLD: 'Threshold',
  ACCURACY: 'Accuracy',
};

const DATA = new Set(['Data', 'ImageData', 'HDF5Data', 'WindowData', 'MemoryData', 'DummyData']);

/** They look at results, or at labels that nobody has here. */
const TRAINING = new Set([
  'Accuracy', 'ContrastiveLoss', 'EuclideanLoss', 'HDF5Output', 'HingeLoss', 'InfogainLoss', 'MultinomialLogisticLoss',
  'SigmoidCrossEntropyLoss', 'Silence', 'SoftmaxWithLoss',
]);

/** Fields of a layer that say how it is trained, or how Caffe runs it. */
const TRAINING_FIELDS = ['phase', 'loss_weight', 'param', 'blobs_lr', 'weight_decay', 'propagate_down', 'include', 'exclude', 'blobs', 'loss_param'];

/** @throws model-format, model-invalid, each with line and column; model-unsupported for the oldest file form */
export function readNet(text: string, file: string): CaffeNet {
  const root = new Fields(parseText(text, file), file);
  root.ignore('force_backward', 'state', 'debug_info');
  const name = root.text('name') ?? '';
  const notes: string[] = [];
  const all = [...root.messages('layer'), ...root.messages('layers')];
  checkLayerCount(all.length, file);
  const kept = all.filter((fields) => isInTestPhase(fields)).map(layerOf);
  const inputs = [...statedInputs(root), ...kept.flatMap(inputsOf)];
  const unknown = root.unread();
  if (unknown.length > 0) throw root.fault(`the field ${quote(unknown[0]!)} is not known`);
  const training = kept.filter(({ type }) => TRAINING.has(type));
  if (training.length > 0) notes.push(`left out, for training and measuring only: ${training.map((layer) => layer.name).join(', ')}`);
  const data = kept.filter(({ type }) => DATA.has(type));
  return {
    name,
    inputs,
    layers: kept.filter(({ type }) => type !== 'Input' && !DATA.has(type) && !TRAINING.has(type)),
    transforms: data.flatMap(({ fields }) => fields.messages('transform_param')),
    notes,
  };
}

function layerOf(fields: Fields): CaffeLayer {
  fields.ignore(...TRAINING_FIELDS);
  const name = fields.text('name') ?? '';
  const stated = fields.text('type');
  if (stated === undefined) {
    if (fields.has('layer')) throw new UnitscopeError('model-unsupported', `line ${fields.message.line}: this is the oldest form of the file (a layer inside of layers)`, { file: fields.file }, "Caffe's upgrade_net_proto_text writes the present one");
    throw fields.fault(`the layer ${quote(name)} has no type`);
  }
  return { name, type: Object.hasOwn(VERSION_1, stated) ? VERSION_1[stated]! : stated, bottoms: fields.texts('bottom'), tops: fields.texts('top'), fields };
}

/** By the rules about phases, at level 0 and without stages: what Caffe takes where nobody names any. */
function isInTestPhase(layer: Fields): boolean {
  const matches = (rule: Fields): boolean => {
    const phase = rule.text('phase');
    const staged = rule.texts('stage').length > 0 || rule.integer('min_level', 0) > 0;
    return !staged && (phase === undefined || phase === 'TEST' || phase === '1');
  };
  const [include, exclude] = [layer.messages('include'), layer.messages('exclude')];
  if (include.length > 0) return include.some(matches);
  return !exclude.some(matches);
}

/** `input` with `input_shape`, or with four `input_dim` each. */
function statedInputs(root: Fields): CaffeInput[] {
  const names = root.texts('input');
  const shapes = root.messages('input_shape').map((shape) => shape.integers('dim'));
  const dims = root.integers('input_dim');
  if (dims.length > 0 && dims.length !== 4 * names.length) throw root.fault(`${dims.length} input_dim for ${names.length} inputs: each has four`);
  return names.map((name, index) => {
    const shape = shapes[index] ?? (dims.length > 0 ? dims.slice(4 * index, 4 * index + 4) : undefined);
    return { name, ...(shape && { shape }) };
  });
}

/** What a layer brings into the network: all tops of an Input layer, the pictures of a data layer. */
function inputsOf({ type, tops, fields }: CaffeLayer): CaffeInput[] {
  if (type === 'Input') {
    const shapes = fields.messages('input_param').flatMap((param) => param.messages('shape')).map((shape) => shape.integers('dim'));
    return tops.map((name, index) => {
      const shape = shapes[index] ?? shapes[0];
      return { name, ...(shape && { shape }) };
    });
  }
  if (!DATA.has(type) || tops.length === 0) return [];
  const memory = fields.messages('memory_data_param')[0];
  const sizes = memory && ['batch_size', 'channels', 'height', 'width'].map((size) => memory.integer(size, 0));
  return [{ name: tops[0]!, ...(sizes && { shape: sizes }) }];
}
