/** Every rule on a log that it must speak of, and on healthy ones that it must not. */
import { describe, expect, test } from 'vitest';
import { diagnose, type Finding, type LayerRecord, type StepRecord, type TrainingLog } from '../../src/analysis/diagnosis.ts';

const HEALTHY: LayerRecord = { gradient: 0.5, weight: 4, change: 1e-3, nonFinite: 0, zeros: 0.5, dead: 1, units: 24 };

interface Story {
  readonly lines?: number;
  readonly every?: number;
  readonly classes?: number;
  readonly loss?: (line: number, lines: number) => number;
  readonly accuracy?: (line: number, lines: number) => number;
  readonly rate?: (line: number, lines: number) => number;
  readonly layers?: Readonly<Record<string, (line: number, lines: number) => Partial<LayerRecord>>>;
  readonly rest?: Partial<TrainingLog>;
}

/** A log of conv1, conv2 and fc3; what a story does not tell is healthy. */
function log({ lines = 20, every = 10, classes = 4, loss, accuracy, rate, layers = {}, rest = {} }: Story = {}): TrainingLog {
  const records = Array.from({ length: lines }, (_, line): StepRecord => {
    const at = line / Math.max(1, lines - 1);
    return {
      step: every * (line + 1),
      loss: loss?.(line, lines) ?? 1.4 * Math.exp(-3 * at),
      accuracy: accuracy?.(line, lines) ?? 0.25 + 0.6 * at,
      rate: rate?.(line, lines) ?? 0.01,
      layers: new Map(['conv1', 'conv2', 'fc3'].map((name) => [name, { ...HEALTHY, ...layers[name]?.(line, lines) }])),
    };
  });
  return { classes, records, ...rest };
}

const kinds = (findings: readonly Finding[]): string[] => findings.map(({ kind, layer }) => (layer ? `${kind} ${layer}` : kind));
const sentences = (story: Story): string[] => diagnose(log(story)).map(({ sentence }) => sentence);

describe('healthy logs are left alone', () => {
  const healthy: Record<string, Story> = {
    'a plain one': {},
    'one line': { lines: 1 },
    'no line': { lines: 0 },
    'a cosine that ends at 0, and updates with it': { rate: (line, lines) => 0.01 * (1 - line / (lines - 1)), layers: { conv1: (line, lines) => ({ change: 1e-3 * (1 - line / (lines - 1)) }) } },
    'a warm-up with small updates': { rate: (line) => Math.min(0.01, 1e-9 * 100 ** line), layers: { conv1: (line) => ({ change: Math.min(1e-3, 1e-10 * 100 ** line) }) } },
    'all is known, and nothing moves': { loss: (line) => (line > 5 ? 1e-4 : 1), layers: { conv1: (line) => ({ change: line > 5 ? 1e-9 : 1e-3 }) } },
    'units that were dead and came back': { layers: { conv2: (line) => ({ dead: line < 12 ? 20 : 2 }) } },
    'a large first update': { layers: { fc3: (line) => ({ change: line === 0 ? 0.4 : 1e-3 }) } },
    'held-out pictures are known as well': { accuracy: () => 0.98, rest: { heldOut: { accuracy: 0.95, confusion: [[5, 0, 0], [0, 5, 1], [0, 0, 5]] } } },
    'a bumpy loss': { loss: (line, lines) => 1.4 * Math.exp((-3 * line) / lines) * (line % 2 ? 1.2 : 0.8) },
    'two classes, of which one is common': { classes: 3, rest: { heldOut: { accuracy: 0.9, confusion: [[70, 1, 1], [0, 8, 0], [0, 0, 8]] } } },
    'a layer without a ReLU': { layers: { fc3: () => ({ zeros: undefined, dead: undefined, units: undefined }) } },
  };
  test.each(Object.entries(healthy))('%s', (_, story) => {
    expect(sentences(story)).toEqual([]);
  });
});

describe('dead units', () => {
  test('are named with their share and the step', () => {
    const [finding, ...rest] = diagnose(log({ layers: { conv2: (line) => ({ dead: line < 3 ? 2 : 17 }) } }));
    expect(rest).toEqual([]);
    expect(finding).toMatchObject({ kind: 'dead-units', layer: 'conv2', step: 40, sentence: 'conv2: 71 % of units dead since step 40' });
    expect(finding!.advice).toMatch(/lower the rate/);
  });

  test('that are all of them let nothing through', () => {
    expect(sentences({ layers: { conv2: () => ({ dead: 24 }) } })).toEqual(['conv2: 100 % of units dead since step 10, so no picture gets through']);
  });

  test('get no gradient, which is not said of them once more', () => {
    expect(kinds(diagnose(log({ layers: { conv1: () => ({ gradient: 0 }), conv2: () => ({ dead: 24, gradient: 0 }) } })))).toEqual(['dead-units conv2', 'vanishing-updates conv1']);
  });

  test('of two lines are no finding yet', () => {
    expect(sentences({ layers: { conv2: (line) => ({ dead: line >= 18 ? 24 : 0 }) } })).toEqual([]);
    expect(sentences({ layers: { conv2: (line) => ({ dead: line >= 17 ? 24 : 0 }) } })).toHaveLength(1);
  });
});

describe('updates', () => {
  const stuck = () => 1.39;

  test('vanish', () => {
    const story: Story = { loss: stuck, layers: { conv1: (line) => ({ change: line < 1 ? 1e-4 : 2e-7 }) } };
    expect(sentences(story)[0]).toBe('conv1: updates vanish (||dW||/||W|| below 1e-6 since step 20)');
    expect(kinds(diagnose(log(story)))).toEqual(['vanishing-updates conv1', 'no-learning']);
  });

  test('of 0 vanish as well', () => {
    expect(kinds(diagnose(log({ loss: stuck, layers: { conv1: () => ({ change: 0 }), conv2: () => ({ change: 0 }), fc3: () => ({ change: 0 }) } })))).toEqual([
      'vanishing-updates conv1', 'vanishing-updates conv2', 'vanishing-updates fc3', 'no-learning',
    ]);
  });

  test('that decay alone makes are none', () => {
    expect(sentences({ layers: { conv1: () => ({ gradient: 1e-8, weight: 0.03, change: 1e-4 }) } })).toEqual(['conv1: the gradient vanishes (below 1e-6 of ||W|| since step 10)']);
    expect(kinds(diagnose(log({ layers: { conv1: () => ({ gradient: 0 }) } })))).toEqual(['vanishing-updates conv1']);
  });

  test('fade from layer to layer', () => {
    expect(sentences({ loss: stuck, layers: { conv1: () => ({ change: 4e-6 }), fc3: () => ({ change: 2e-2 }) } })[0]).toBe('conv1: learns 5,000 times slower than the fastest layer since step 10');
  });

  test('explode over several lines, or at one leap', () => {
    expect(sentences({ layers: { conv2: (line) => ({ change: line >= 4 && line < 8 ? 0.5 : 1e-3 }) } })).toEqual(['conv2: updates explode (||dW||/||W|| above 0.1 from step 50 on, 0.5 at worst)']);
    expect(kinds(diagnose(log({ layers: { fc3: (line) => ({ change: line === 1 ? 30 : 1e-3 }) } })))).toEqual(['exploding-updates fc3']);
  });
});

describe('the loss', () => {
  test('that does not fall is held against guessing', () => {
    expect(sentences({ loss: () => 1.386 })).toEqual(['loss did not fall: 1.39 at first, 1.39 at the end; guessing among 4 classes gives 1.39']);
  });

  test('that falls from high above to where guessing is', () => {
    expect(sentences({ loss: (line) => (line === 0 ? 150 : 1.386) })).toEqual(['loss ends where guessing does: 1.39, for 4 classes 1.39']);
  });

  test('that rises again', () => {
    const [finding] = diagnose(log({ loss: (line) => (line < 10 ? 1.4 - 0.1 * line : 0.5 + 0.2 * (line - 10)) }));
    expect(finding).toMatchObject({ kind: 'loss-rises' });
    expect(finding!.step).toBeGreaterThanOrEqual(90);
    expect(finding!.step).toBeLessThanOrEqual(130);
  });

  test('that is higher because pictures are moved further against the network is no rise', () => {
    const moved = log({ loss: (line) => (line < 10 ? 1.4 - 0.1 * line : 1.2 - 0.02 * (line - 10)) });
    expect(diagnose(moved).map(({ kind }) => kind)).toContain('loss-rises');
    expect(diagnose({ ...moved, records: moved.records.map((record, line) => ({ ...record, ...(line >= 10 && { distance: 7 }) })) })).toEqual([]);
  });

  test('that is NaN, with the step and the layer, before all else', () => {
    const halted = diagnose(log({ lines: 1, rest: { halt: { step: 12, layer: 'conv3', what: 'output' } } }));
    expect(halted[0]).toMatchObject({ kind: 'not-finite', layer: 'conv3', step: 12, sentence: 'loss or gradients became NaN or infinite at step 12, first in the output of conv3' });
    expect(sentences({ lines: 0, rest: { halt: { step: 3 } } })).toEqual(['loss or gradients became NaN or infinite at step 3']);
    expect(kinds(diagnose(log({ loss: (line) => (line > 9 ? NaN : 1) })))).toContain('no-learning');
  });
});

describe('held-out pictures', () => {
  test('that are not known while those of the training are', () => {
    expect(sentences({ accuracy: () => 0.99, rest: { heldOut: { accuracy: 0.6 } } })).toEqual(['fits the training pictures only (train 99 %, held-out 60 %)']);
  });

  test('that all get one answer', () => {
    const confusion = [[9, 1, 0], [10, 0, 0], [10, 0, 0]];
    expect(sentences({ rest: { heldOut: { accuracy: 0.3, confusion, labels: ['ring', 'star', 'wave'] } } })).toEqual(['answers ring to 97 % of the held-out pictures']);
    expect(sentences({ rest: { heldOut: { accuracy: 0.3, confusion } } })[0]).toMatch(/^answers class 0/);
  });
});
