/** The description and the log of a training: what they say, and what is wrong with them, all of it at once. */
import { describe, expect, test } from 'vitest';
import { UnitscopeError } from '../../src/errors.ts';
import { parseTraining } from '../../src/formats/training/config.ts';
import { readTrainingLog } from '../../src/formats/training/log.ts';

const CLASSES = ['ring', 'star', 'wave', 'moon'];

const DESCRIPTION = {
  name: 'tiny',
  input: [3, 16, 16],
  layers: [{ conv: 8, kernel: 3, padding: 1 }, 'relu', { max_pool: 2 }, { dense: 4 }, 'softmax'] as unknown[],
  optimizer: { kind: 'adam' },
  schedule: { rate: 0.01 },
  batch: 8,
  steps: 20,
  data: { scenes: {} },
};

const parse = (more: object = {}) => parseTraining(JSON.stringify({ ...DESCRIPTION, ...more }), 'tiny.json', { sceneClasses: CLASSES });

function complaint(more: object | string): string {
  try {
    if (typeof more === 'string') parseTraining(more, 'tiny.json', { sceneClasses: CLASSES });
    else parse(more);
  } catch (error) {
    expect(error).toBeInstanceOf(UnitscopeError);
    expect((error as UnitscopeError).code).toBe('usage');
    return (error as UnitscopeError).describe();
  }
  return 'it was taken';
}

describe('a description', () => {
  test('is read with its defaults', () => {
    expect(parse()).toMatchObject({
      name: 'tiny',
      input: [3, 16, 16],
      optimizer: { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
      schedule: { kind: 'constant', rate: 0.01, warmup: 0 },
      decay: 0,
      seed: 0,
      steps: 20,
      data: { kind: 'scenes', classes: CLASSES },
      heldOut: { images: 0 },
      preprocess: { channels: 'RGB', range: 1 },
    });
    expect(parse().layers[0]).toEqual({ name: 'conv1', kind: 'conv', outputs: 8, kernel: 3, stride: 1, padding: 1, groups: 1, bias: true, begin: { weights: 'he', scale: 1, bias: 0 } });
  });

  test('calls layers as in AlexNet', () => {
    const layers = [
      { conv: 8, kernel: 3 }, 'relu', { lrn: 5 }, { max_pool: 2 }, { conv: 8, kernel: 3, groups: 2 }, 'batch_norm', 'relu', 'relu', { average_pool: 2, ceil: true }, 'global_average_pool',
      { dense: 9 }, 'relu', { dropout: 0.4 }, { dense: 9, name: 'code' }, { dense: 4 }, 'softmax',
    ];
    expect(parse({ layers }).layers.map(({ name }) => name)).toEqual([
      'conv1', 'relu1', 'norm1', 'pool1', 'conv2', 'bn2', 'relu2', 'relu2b', 'pool2', 'pool2b', 'fc3', 'relu3', 'drop3', 'code', 'fc5', 'prob',
    ]);
  });

  test('says how weights begin, for all and for one layer', () => {
    const { layers } = parse({ init: { weights: { normal: 0.01 }, bias: 0.1 }, layers: [{ conv: 8, kernel: 3 }, { dense: 4, init: { weights: 'xavier', scale: 0.5 } }] });
    expect(layers.map((layer) => 'begin' in layer && layer.begin)).toEqual([{ weights: { normal: 0.01 }, scale: 1, bias: 0.1 }, { weights: 'xavier', scale: 0.5, bias: 0.1 }]);
  });

  test('says how pictures are moved against the network', () => {
    expect(parse().adversarial).toBeUndefined();
    expect(parse({ adversarial: { distance: 4.5, from: 0.5, until: 14 } }).adversarial).toEqual({ distance: 4.5, from: 0.5, until: 14 });
    expect(parse({ adversarial: { distance: 2 } }).adversarial).toEqual({ distance: 2, from: 0, until: 0 });
  });

  test('is told all that is wrong with it at once', () => {
    const text = complaint({
      batch: 0,
      optimzer: {},
      optimizer: { kind: 'adm', momentum: 0.5 },
      schedule: { rate: -1, kind: 'cosine', flor: 2 },
      layers: [{ conv: 8, kernal: 3 }, 'rely', { dense: 4, conv: 4 }, 7, {}, { dropout: 1.5 }, { dense: 4, name: 'conv1' }],
      data: { scenes: { classes: ['rong', 'star', 'star'] } },
      preprocess: { std: [1, 0, 1] },
    });
    for (const line of [
      /^the training cannot be read: \d+ faults:\n/,
      /^ {2}batch must be a whole number from 1 to 4096, 0 is there$/m,
      /optimzer is unknown \(did you mean 'optimizer'\?\)/,
      /optimizer\.kind must be one of sgd, adam, the text 'adm' is there \(did you mean 'adam'/,
      /schedule\.rate must be a number above 0, -1 is there/,
      /schedule\.flor is unknown \(did you mean 'floor'/,
      /layers\[0\]\.kernel must be a whole number from 1 to 255, nothing is there/,
      /layers\[0\]\.kernal is unknown \(did you mean 'kernel'/,
      /layers\[1\] is of no known kind: 'rely' \(did you mean 'relu'/,
      /layers\[2\] is conv and dense at once/,
      /layers\[3\] must be the name of a kind of layer or an object, 7 is there/,
      /layers\[4\] says no kind of layer \(kinds: conv, dense/,
      /layers\[5\]\.dropout must be a number from 0 to 0\.999, 1\.5 is there/,
      /layers\[6\]\.name 'conv1' is the name of another layer too/,
      /data\.scenes\.classes\[0\] is no class of scenes: the text 'rong' \(did you mean 'ring'/,
      /data\.scenes\.classes\[2\] 'star' is there twice/,
      /preprocess\.std must be a list of 3 numbers above 0/,
    ]) {
      expect(text).toMatch(line);
    }
  });

  test.each<[object | string, RegExp]>([
    ['{"name": "a", "name": "b"}', /the key 'name' stands twice/],
    ['{"name": ', /ends too early/],
    ['[]', /the description must be an object, a list is there/],
    ['{"__proto__": {"batch": 8}}', /batch must be/],
    [{ steps: undefined }, /must have "steps" or "epochs", one of them/],
    [{ epochs: 3 }, /must have "steps" or "epochs", one of them/],
    [{ steps: undefined, epochs: 3 }, /epochs need data\.scenes\.images/],
    [{ batch: 6 }, /batch must be a multiple of the number of classes, 4/],
    [{ held_out: { images: 12 } }, /held_out\.images must be a multiple of the batch, 8: 12 is none/],
    [{ data: { scenes: { images: 12 } } }, /data\.scenes\.images must be a multiple of the batch/],
    [{ data: {} }, /data must have "scenes": \{\} or "folder": "PATH"/],
    [{ data: { scenes: {}, folder: 'x' } }, /one of them is learnt from/],
    [{ layers: [{ dense: 5 }] }, /layers end in 5 outputs, but there are 4 classes/],
    [{ layers: [{ dense: 4 }, 'relu'] }, /layers must end in a dense layer/],
    [{ layers: ['softmax', { dense: 4 }] }, /softmax at their end alone/],
    [{ layers: [] }, /layers must end in a dense layer/],
    [{ layers: new Array(1001).fill('relu') }, /at most 1000 are taken/],
    [{ input: [3, 16, 20] }, /input must be \[3, S, S\] for scenes/],
    [{ input: [2, 16, 16] }, /1 or 3 channels/],
    [{ input: [3, 16] }, /input must be a list of 3 numbers/],
    [{ schedule: { kind: 'cosine', rate: 0.1, floor: 2 } }, /schedule\.floor must be a number from 0 to 1, 2 is there/],
    [{ adversarial: { distance: 0, form: 2 } }, /adversarial\.distance must be a number above 0, 0 is there\n.*adversarial\.form is unknown \(did you mean 'from'/],
    [{ schedule: { kind: 'cosine', rate: 0.1, restarts: [{ at: 5, rate: 0 }, { at: 4, rate: 1 }, { at: 0.5, rate: 1 }] } }, /schedule\.restarts\[0\]\.rate must be a number above 0/],
    [{ schedule: { kind: 'cosine', rate: 0.1, restarts: [{ at: 5, rate: 1 }, { at: 4, rate: 1 }] } }, /schedule\.restarts\[1\]\.at must be later than the one before/],
    [{ schedule: { kind: 'cosine', rate: 0.1, restarts: [{ at: 20, rate: 1 }] } }, /schedule\.restarts\[0\]\.at must be below 20, the number of steps/],
    [{ schedule: { kind: 'step', rate: 0.1 } }, /schedule\.at must be a list, nothing is there/],
    [{ schedule: { kind: 'step', rate: 0.1, at: [-1] } }, /schedule\.at must be a list of steps/],
    [{ seed: -1 }, /seed must be a whole number from 0 to 4294967295, -1 is there/],
  ])('is refused: %j', (more, message) => {
    expect(complaint(more)).toMatch(message);
  });
});

describe('a log', () => {
  const head = '{"training": "tiny", "labels": ["ring", "star"], "batch": 8, "steps": 20}\n';
  const line = '{"step": 10, "loss": null, "accuracy": 0.5, "rate": 0.1, "images_per_second": 3, "layers": {"conv1": {"gradient": 1, "weight": 2, "change": null, "non_finite": 1, "zeros": 0.5, "dead": 1, "units": 8}}}\n';

  test('is read', () => {
    const log = readTrainingLog(`${head}${line}{"halt": {"step": 12, "layer": "conv1", "what": "output"}}\n{"held_out": {"accuracy": 0.5, "confusion": [[1, 2], [3, 4]]}}\n`, 'log.jsonl');
    expect(log).toMatchObject({ name: 'tiny', labels: ['ring', 'star'], halt: { step: 12, layer: 'conv1' }, heldOut: { accuracy: 0.5, confusion: [[1, 2], [3, 4]] } });
    expect(log.steps).toEqual([{ step: 10, loss: NaN, accuracy: 0.5, rate: 0.1, imagesPerSecond: 3, layers: new Map([['conv1', { gradient: 1, weight: 2, change: NaN, nonFinite: 1, zeros: 0.5, dead: 1, units: 8 }]]) }]);
  });

  test('may end in the middle of a line', () => {
    expect(readTrainingLog(`${head}${line}${line.slice(0, 40)}`, 'log.jsonl').steps).toHaveLength(1);
    expect(readTrainingLog(`${head}${line.trimEnd()}`, 'log.jsonl').steps).toHaveLength(1);
  });

  test.each<[string, RegExp]>([
    ['', /first line does not say what was learnt/],
    [line, /first line does not say/],
    [`${head}{"step": "x"}\n`, /line 2/],
    [`${head}nonsense\n${line}`, /line 2: the JSON text/],
    [`${head}{"held_out": {"accuracy": 1, "confusion": [[1]]}}\n{"held_out": {"accuracy": 1, "confusion": [[1, 2]]}}\n`, /line 3\.held_out\.confusion must be/],
    ['{"training": 7, "labels": {}}\n', /labels must be a list/],
  ])('is refused: %j', (text, message) => {
    expect(() => readTrainingLog(text, 'log.jsonl')).toThrow(message);
  });
});
