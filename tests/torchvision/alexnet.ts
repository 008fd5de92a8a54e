/** AlexNet in one tower (Krizhevsky 2014) as torchvision has it: no LRN, no groups. */
import { relu } from './activation.ts';
import type { Exporter } from './exporter.ts';
import { flatten } from './view.ts';

/** What may be smaller than in the real model: width of the hidden dense layers, side of the features that they see. */
export interface ClassifierOptions {
  readonly hidden?: number;
  readonly pooled?: number;
}

export function alexnet(t: Exporter, { hidden = 4096, pooled = 6 }: ClassifierOptions = {}): Exporter {
  const conv = (index: number, x: typeof t.input, maps: number, kernel: number, padding: number, stride = 1) =>
    relu(t, `features.${index + 1}`, t.conv(`features.${index}`, x, maps, kernel, { stride, padding }));
  let x = t.maxPool('features.2', conv(0, t.input, 64, 11, 2, 4), 3, 2);
  x = t.probe(t.maxPool('features.5', conv(3, x, 192, 5, 2), 3, 2));
  x = conv(10, conv(8, conv(6, x, 384, 3, 1), 256, 3, 1), 256, 3, 1);
  x = t.adaptiveAveragePool('avgpool', t.probe(t.maxPool('features.12', x, 3, 2)), pooled);
  x = relu(t, 'classifier.2', t.linear('classifier.1', t.probe(flatten(t, '', x)), hidden));
  x = relu(t, 'classifier.5', t.linear('classifier.4', x, hidden));
  return t.result(t.linear('classifier.6', x, 1000));
}
