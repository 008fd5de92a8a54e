/** The single layers that are timed, at shapes of real networks. Each shape stands once, under the first network that has it. */
import type { Network } from '../../src/index.ts';
import { singleConv, singleLayer, type ConvOptions } from './networks/chain.ts';
import type { Group } from './row.ts';

export interface LayerRow {
  readonly title: string;
  readonly make: (name: string) => Network;
  readonly group?: Group;
}

/** A convolution C -> M on a square map. */
export interface Conv extends ConvOptions {
  readonly from: number;
  readonly to: number;
  readonly size: number;
  readonly kernel: number;
  readonly group?: Group;
}

export function conv({ from, to, size, kernel, group, ...options }: Conv): LayerRow {
  const { stride = 1, groups = 1 } = options;
  const depthwise = groups === from;
  const step = stride > 1 ? ` s${stride}` : '';
  const parts = groups > 1 && !depthwise ? ` g${groups}` : '';
  const title = `conv ${kernel}x${kernel}${step}${parts} ${depthwise ? `depthwise ${from}` : `${from}->${to}`} @${size}`;
  return { title, make: (name) => singleConv(name, [1, from, size, size], [to, from / groups, kernel, kernel], options), ...(group && { group }) };
}

const depthwise = (channels: number, size: number, stride: number, group?: Group): LayerRow =>
  conv({ from: channels, to: channels, size, kernel: 3, stride, pad: 1, groups: channels, ...(group && { group }) });

export const LAYERS: readonly LayerRow[] = [
  { title: 'smoke conv 3x3 3->8 @12', make: (name) => singleConv(name, [1, 3, 12, 12], [8, 3, 3, 3], { pad: 1 }), group: 'smoke' },
  { title: 'smoke conv 5x5 s2 g2 6->8 @11x9', make: (name) => singleConv(name, [1, 6, 11, 9], [8, 3, 5, 5], { stride: 2, pad: 2, groups: 2 }), group: 'smoke' },
  // AlexNet, CaffeNet
  conv({ from: 3, to: 96, size: 227, kernel: 11, stride: 4 }),
  conv({ from: 96, to: 256, size: 27, kernel: 5, pad: 2, groups: 2 }),
  conv({ from: 256, to: 384, size: 13, kernel: 3, pad: 1, group: 'quick' }),
  conv({ from: 384, to: 384, size: 13, kernel: 3, pad: 1, groups: 2 }),
  // VGG16
  conv({ from: 3, to: 64, size: 224, kernel: 3, pad: 1 }),
  conv({ from: 256, to: 256, size: 56, kernel: 3, pad: 1, group: 'full' }),
  conv({ from: 512, to: 512, size: 14, kernel: 3, pad: 1 }),
  // GoogLeNet
  conv({ from: 64, to: 192, size: 56, kernel: 3, pad: 1 }),
  conv({ from: 16, to: 32, size: 28, kernel: 5, pad: 2, group: 'quick' }),
  conv({ from: 832, to: 384, size: 7, kernel: 1 }),
  // ResNet-18
  conv({ from: 3, to: 64, size: 224, kernel: 7, stride: 2, pad: 3 }),
  conv({ from: 64, to: 64, size: 56, kernel: 3, pad: 1, group: 'quick' }),
  conv({ from: 64, to: 128, size: 56, kernel: 3, stride: 2, pad: 1, group: 'quick' }),
  conv({ from: 512, to: 512, size: 7, kernel: 3, pad: 1 }),
  // ResNet-50
  conv({ from: 64, to: 256, size: 56, kernel: 1 }),
  conv({ from: 512, to: 1024, size: 28, kernel: 1, stride: 2 }),
  conv({ from: 2048, to: 512, size: 7, kernel: 1 }),
  // SqueezeNet 1.1
  conv({ from: 3, to: 64, size: 224, kernel: 3, stride: 2 }),
  conv({ from: 16, to: 64, size: 55, kernel: 3, pad: 1, group: 'quick' }),
  conv({ from: 512, to: 1000, size: 13, kernel: 1 }),
  // MobileNet 1.0
  depthwise(64, 112, 2),
  depthwise(512, 14, 1, 'quick'),
  conv({ from: 512, to: 512, size: 14, kernel: 1 }),
  // Between the kinds: a square product that divides by everything
  conv({ from: 256, to: 256, size: 28, kernel: 1, group: 'quick' }),
  // AlexNet and CaffeNet, the other layers
  { title: 'dense 9216->4096', make: (name) => singleLayer(name, 'dense', [1, 9216], {}, [4096, 9216]) },
  { title: 'max pool 3/2 96 @55', make: (name) => singleLayer(name, 'max_pool', [1, 96, 55, 55], { kernel: [3, 3], stride: [2, 2] }), group: 'quick' },
  { title: 'lrn 5 96 @27', make: (name) => singleLayer(name, 'lrn', [1, 96, 27, 27], { size: 5, alpha: 0.5, beta: 0.75, k: 1 }), group: 'quick' },
];
