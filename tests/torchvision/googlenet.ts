/** GoogLeNet (Szegedy et al. 2014) with batch norms, without the auxiliary classifiers; its "5x5" is 3x3 in torchvision. */
import { relu } from './activation.ts';
import type { Exporter } from './exporter.ts';
import type { Value } from './graph.ts';
import { flatten, normalizedChannel } from './view.ts';

/** 1x1; 3x3 reduce, 3x3; "5x5" reduce, "5x5"; pool projection. */
const INCEPTION: readonly (readonly [string, readonly [number, number, number, number, number, number]])[] = [
  ['3a', [64, 96, 128, 16, 32, 32]],
  ['3b', [128, 128, 192, 32, 96, 64]],
  ['4a', [192, 96, 208, 16, 48, 64]],
  ['4b', [160, 112, 224, 24, 64, 64]],
  ['4c', [128, 128, 256, 24, 64, 64]],
  ['4d', [112, 144, 288, 32, 64, 64]],
  ['4e', [256, 160, 320, 32, 128, 128]],
  ['5a', [256, 160, 320, 32, 128, 128]],
  ['5b', [384, 192, 384, 48, 128, 128]],
];

/** Pretrained weights want (x / 2 + 0.5 - 0.5) / 0.5 where the others get (x - mean) / std: per channel a factor and a shift. */
const TRANSFORM = [[0.485, 0.229], [0.456, 0.224], [0.406, 0.225]].map(([mean, std]) => [std! / 0.5, (mean! - 0.5) / 0.5] as const);

export interface InceptionOptions {
  /** As with pretrained weights: the input is normalized anew, channel by channel. */
  readonly transformInput?: boolean;
}

export function transformed(t: Exporter): Value {
  return t.concat('', TRANSFORM.map((change, channel) => normalizedChannel(t, '', t.input, channel, change)));
}

/** Convolution, batch norm with epsilon 0.001, ReLU: BasicConv2d of both Inception files. */
export function basicConv(t: Exporter, at: string, x: Value, maps: number, kernel: number | readonly [number, number], options: { stride?: number; padding?: number | readonly [number, number] } = {}): Value {
  return relu(t, at, t.convNorm([`${at}.conv`, `${at}.bn`], x, maps, kernel, { ...options, epsilon: 0.001 }));
}

export function googlenet(t: Exporter, { transformInput = false }: InceptionOptions = {}): Exporter {
  let x = basicConv(t, 'conv1', transformInput ? transformed(t) : t.input, 64, 7, { stride: 2, padding: 3 });
  x = t.probe(t.maxPool('maxpool1', x, 3, 2, { ceil: true }));
  x = basicConv(t, 'conv3', basicConv(t, 'conv2', x, 64, 1), 192, 3, { padding: 1 });
  x = t.maxPool('maxpool2', x, 3, 2, { ceil: true });
  for (const [id, [one, reduce3, three, reduce5, five, pool]] of INCEPTION) {
    const at = `inception${id}`;
    x = t.probe(
      t.concat(at, [
        basicConv(t, `${at}.branch1`, x, one, 1),
        basicConv(t, `${at}.branch2.1`, basicConv(t, `${at}.branch2.0`, x, reduce3, 1), three, 3, { padding: 1 }),
        basicConv(t, `${at}.branch3.1`, basicConv(t, `${at}.branch3.0`, x, reduce5, 1), five, 3, { padding: 1 }),
        basicConv(t, `${at}.branch4.1`, t.maxPool(`${at}.branch4.0`, x, 3, 1, { padding: 1, ceil: true }), pool, 1),
      ]),
    );
    if (id === '3b') x = t.maxPool('maxpool3', x, 3, 2, { ceil: true });
    if (id === '4e') x = t.maxPool('maxpool4', x, 2, 2, { ceil: true });
  }
  return t.result(t.linear('fc', flatten(t, '', t.adaptiveAveragePool('avgpool', x, 1)), 1000));
}
