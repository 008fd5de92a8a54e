/** What is timed: one row is a network, or a single layer, and one kind of work on it. */
import type { Network } from '../../src/index.ts';
import { caffeNet, resNet18, singleConv, singleLayer } from './networks.ts';

export const KINDS = ['forward', 'input gradient', 'forward + gradient', 'maximize step'] as const;

/** `input gradient`: the backward pass alone. `maximize step`: preset 3, mean of whole iterations. */
export type Kind = (typeof KINDS)[number];

/** A network to be made in the page, or the files to load it from, below the addresses of `FILES`. */
export type Source = { readonly make: () => Network } | { readonly files: readonly string[] };

export interface Row {
  /** Unique; what `--only` matches. */
  readonly title: string;
  readonly kind: Kind;
  readonly source: Source;
  /** Largest magnitude of the input values. */
  readonly amplitude: number;
  /** Cheap enough for `--quick`. */
  readonly quick: boolean;
  /** Only when `--only` asks for it: too small to say anything about speed. */
  readonly hidden: boolean;
}

/** Where the page finds files: the embedded network, and the folder of the reference data. */
export const FILES = { embedded: '/embedded/', data: '/data/' } as const;

type Layer = [title: string, make: (name: string) => Network, marks?: { quick?: boolean; hidden?: boolean }];

const LAYERS: readonly Layer[] = [
  ['smoke conv 3x3 3->8 @12', (name) => singleConv(name, [1, 3, 12, 12], [8, 3, 3, 3], { pad: 1 }), { hidden: true }],
  ['smoke conv 5x5 s2 g2 6->8 @11x9', (name) => singleConv(name, [1, 6, 11, 9], [8, 3, 5, 5], { stride: 2, pad: 2, groups: 2 }), { hidden: true }],
  ['conv 3x3 64->64 @56', (name) => singleConv(name, [1, 64, 56, 56], [64, 64, 3, 3], { pad: 1 }), { quick: true }],
  ['conv 11x11 s4 3->96 @227', (name) => singleConv(name, [1, 3, 227, 227], [96, 3, 11, 11], { stride: 4 })],
  ['conv 5x5 g2 96->256 @27', (name) => singleConv(name, [1, 96, 27, 27], [256, 48, 5, 5], { pad: 2, groups: 2 })],
  ['conv 3x3 256->384 @13', (name) => singleConv(name, [1, 256, 13, 13], [384, 256, 3, 3], { pad: 1 }), { quick: true }],
  ['conv 1x1 256->256 @28', (name) => singleConv(name, [1, 256, 28, 28], [256, 256, 1, 1]), { quick: true }],
  ['conv 3x3 depthwise 512 @14', (name) => singleConv(name, [1, 512, 14, 14], [512, 1, 3, 3], { pad: 1, groups: 512 }), { quick: true }],
  ['conv 7x7 s2 3->64 @224', (name) => singleConv(name, [1, 3, 224, 224], [64, 3, 7, 7], { stride: 2, pad: 3 })],
  ['conv 3x3 s2 64->128 @56', (name) => singleConv(name, [1, 64, 56, 56], [128, 64, 3, 3], { stride: 2, pad: 1 }), { quick: true }],
  ['dense 9216->4096', (name) => singleLayer(name, 'dense', [1, 9216], {}, [4096, 9216])],
  ['max pool 3/2 96 @55', (name) => singleLayer(name, 'max_pool', [1, 96, 55, 55], { kernel: [3, 3], stride: [2, 2] }), { quick: true }],
  ['lrn 5 96 @27', (name) => singleLayer(name, 'lrn', [1, 96, 27, 27], { size: 5, alpha: 0.5, beta: 0.75, k: 1 }), { quick: true }],
];

type Whole = [title: string, source: Source, amplitude: number, quick: boolean];

const NETWORKS: readonly Whole[] = [
  ['embedded network', { files: ['network.json', 'weights.safetensors'].map((file) => FILES.embedded + file) }, 2, true],
  ['MobileNet 0.25', { files: [`${FILES.data}models/mobilenet_v1_0.25_224/mobilenet_v1_0.25_224.onnx`] }, 1, true],
  ['SqueezeNet 1.1', { files: [`${FILES.data}models/squeezenet1.1-gluon/squeezenet1.1.onnx`] }, 2, false],
  ['ResNet-18', { make: resNet18 }, 100, false],
  ['CaffeNet', { make: caffeNet }, 100, false],
];

export const ROWS: readonly Row[] = [
  ...LAYERS.flatMap(([title, make, { quick = false, hidden = false } = {}]) =>
    (['forward', 'input gradient'] as const).map((kind): Row => {
      return { title: `${title} ${kind}`, kind, source: { make: () => make(title) }, amplitude: 1, quick, hidden };
    }),
  ),
  ...NETWORKS.flatMap(([title, source, amplitude, quick]) =>
    (['forward', 'forward + gradient', 'maximize step'] as const).map((kind): Row => {
      return { title: `${title} ${kind}`, kind, source, amplitude, quick, hidden: false };
    }),
  ),
];

/** The rows of a run, in order. */
export function chooseRows({ only, quick }: { readonly only?: string | undefined; readonly quick: boolean }): Row[] {
  const pattern = only === undefined ? undefined : new RegExp(only, 'i');
  return ROWS.filter((row) => (pattern ? pattern.test(row.title) : !row.hidden) && (row.quick || row.hidden || !quick));
}
