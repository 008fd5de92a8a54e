/** The whole networks that are timed, and the one that is timed over batches and sizes. */
import { alexNet, caffeNet } from './networks/alexnet.ts';
import { googLeNet } from './networks/googlenet.ts';
import { mobileNet } from './networks/mobilenet.ts';
import { resNet18, resNet50 } from './networks/resnet.ts';
import { smallNetwork } from './networks/small.ts';
import { vgg16 } from './networks/vgg.ts';
import type { Group, Source } from './row.ts';

/** Where the page finds files: the embedded network, and the folder of the reference data. */
export const FILES = { embedded: '/embedded/', data: '/data/' } as const;

export interface NetworkRow {
  readonly title: string;
  readonly source: Source;
  /** Largest magnitude of the input values. */
  readonly amplitude: number;
  readonly group: Group;
}

const SQUEEZENET: Source = { files: [`${FILES.data}models/squeezenet1.1-gluon/squeezenet1.1.onnx`] };

const EMBEDDED: Source = { files: ['network.json', 'weights.safetensors'].map((file) => FILES.embedded + file) };

export const NETWORKS: readonly NetworkRow[] = [
  { title: 'embedded network', source: EMBEDDED, amplitude: 2, group: 'quick' },
  { title: 'MobileNet 0.25', source: { files: [`${FILES.data}models/mobilenet_v1_0.25_224/mobilenet_v1_0.25_224.onnx`] }, amplitude: 1, group: 'quick' },
  { title: 'SqueezeNet 1.1', source: SQUEEZENET, amplitude: 2, group: 'plain' },
  { title: 'ResNet-18', source: { make: resNet18 }, amplitude: 100, group: 'plain' },
  { title: 'CaffeNet', source: { make: caffeNet }, amplitude: 100, group: 'plain' },
  { title: 'AlexNet', source: { make: alexNet }, amplitude: 100, group: 'full' },
  { title: 'GoogLeNet', source: { make: googLeNet }, amplitude: 100, group: 'full' },
  { title: 'MobileNet 1.0', source: { make: mobileNet }, amplitude: 1, group: 'full' },
  { title: 'VGG16', source: { make: vgg16 }, amplitude: 100, group: 'full' },
  { title: 'ResNet-50', source: { make: resNet50 }, amplitude: 100, group: 'full' },
];

/** Networks that are trained, by batches. */
export const TRAINED: readonly (NetworkRow & { readonly batch: number })[] = [
  { title: 'small network', source: { make: smallNetwork }, amplitude: 1, group: 'quick', batch: 16 },
  { title: 'embedded network', source: EMBEDDED, amplitude: 2, group: 'full', batch: 16 }, // minutes for tfjs on a processor
];

/** Up to its last map, for the pooling behind it fits one size only. */
export const SCALING = {
  title: 'SqueezeNet 1.1',
  source: SQUEEZENET,
  amplitude: 2,
  layer: 'squeezenet0_conv25_fwd',
  points: [[1, 112], [1, 168], [1, 224], [1, 320], [1, 448], [4, 224], [16, 224]] as readonly (readonly [batch: number, size: number])[],
} as const;
