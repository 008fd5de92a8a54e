/** How often a network is right, and what it takes each class for. */
import { throwIfAborted } from '../errors.ts';
import type { Engine } from '../gpu/engine.ts';
import type { Network } from '../network/network.ts';
import { stage } from '../scheduler/compile.ts';
import { Runner } from '../scheduler/runner.ts';
import { classLayers } from './activations.ts';
import type { Drawing, TrainingInput } from './trainer.ts';

export interface EvaluateOptions {
  readonly batch: number;
  /** Makes the pictures where inputs are seeds. */
  readonly draw?: Drawing | undefined;
  /** Batches, all of the same size; of seeds, or of images with their labels. */
  readonly inputs: Iterable<TrainingInput> | AsyncIterable<TrainingInput>;
  readonly signal?: AbortSignal | undefined;
  /** Told of the images that were scored so far. */
  readonly progress?: ((images: number) => void) | undefined;
}

export interface Evaluation {
  readonly images: number;
  /** Share whose largest score is that of their class; of equal scores the first counts. */
  readonly accuracy: number;
  /** [K][K]: images by their class and by the class that they were taken for. */
  readonly confusion: readonly (readonly number[])[];
}

/** Scores labelled pictures by the plain forward pass: nothing is learnt, nothing is dropped. */
export async function evaluate(engine: Engine, network: Network, { batch, draw, inputs, signal, progress }: EvaluateOptions): Promise<Evaluation> {
  const { logits } = classLayers(network);
  const { builder, inputs: data, layer } = stage(network, { layers: [logits], batch, capabilities: engine.capabilities, training: false });
  const [name, tensor] = [...data][0]!;
  const classes = layer(logits).shape.slice(1).reduce((a, b) => a * b, 1);
  draw?.record(builder, { data: tensor, seeds: builder.persistent('seeds', [batch], 'u32') });
  const runner = await Runner.create(engine, builder.build());
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  let images = 0;
  try {
    for await (const input of inputs) {
      throwIfAborted(signal);
      if ('seeds' in input) runner.write('seeds', input.seeds);
      else runner.write(name, input.images);
      runner.run('seeds' in input ? ['draw', 'forward'] : ['forward']);
      const { data: scores } = await runner.read(logits);
      const labels = 'seeds' in input ? draw!.labels : input.labels;
      labels.forEach((label, n) => confusion[label]![argmax(scores.subarray(n * classes, (n + 1) * classes))]!++);
      images += labels.length;
      progress?.(images);
    }
  } finally {
    runner.dispose();
  }
  const right = confusion.reduce((sum, row, label) => sum + row[label]!, 0);
  return { images, accuracy: right / images, confusion };
}

const argmax = (scores: Float32Array): number => scores.reduce((best, score, i) => (score > scores[best]! ? i : best), 0);
