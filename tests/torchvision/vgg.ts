/** VGG (Simonyan and Zisserman 2014) with 11 or 16 layers, with batch norms or without. */
import { relu } from './activation.ts';
import type { ClassifierOptions } from './alexnet.ts';
import type { Exporter } from './exporter.ts';
import { flatten } from './view.ts';

/** Channels of the 3x3 convolutions between the poolings. */
const STAGES = {
  11: [[64], [128], [256, 256], [512, 512], [512, 512]],
  16: [[64, 64], [128, 128], [256, 256, 256], [512, 512, 512], [512, 512, 512]],
} as const;

export interface VggOptions extends ClassifierOptions {
  readonly layers: keyof typeof STAGES;
  readonly batchNorm?: boolean;
}

export function vgg(t: Exporter, { layers, batchNorm = false, hidden = 4096, pooled = 7 }: VggOptions): Exporter {
  let x = t.input;
  let index = 0;
  for (const stage of STAGES[layers]) {
    for (const maps of stage) {
      const conv = `features.${index++}`;
      if (batchNorm) x = t.convNorm([conv, `features.${index++}`], x, maps, 3, { padding: 1, bias: true });
      else x = t.conv(conv, x, maps, 3, { padding: 1 });
      x = relu(t, `features.${index++}`, x);
    }
    x = t.probe(t.maxPool(`features.${index++}`, x, 2, 2));
  }
  x = flatten(t, '', t.adaptiveAveragePool('avgpool', x, pooled));
  x = relu(t, 'classifier.1', t.linear('classifier.0', x, hidden));
  x = relu(t, 'classifier.4', t.linear('classifier.3', x, hidden));
  return t.result(t.linear('classifier.6', x, 1000));
}
