/** What the benchmark for GPU servers times: networks that need no file, and the convolutions that should come closest to the ceiling. */
import { conv, type LayerRow } from '../layer_rows.ts';
import { METHOD_ROWS } from '../method_rows.ts';
import { alexNet, caffeNet } from '../networks/alexnet.ts';
import { Chain, singleConv } from '../networks/chain.ts';
import { resNet50 } from '../networks/resnet.ts';
import { vgg16 } from '../networks/vgg.ts';
import type { Network } from '../../../src/index.ts';
import type { Row } from '../row.ts';

const BATCHES = [1, 16];
const AMPLITUDE = 100;

const NETWORKS = [alexNet, caffeNet, vgg16, resNet50];
const NAMES = ['AlexNet', 'CaffeNet', 'VGG16', 'ResNet-50'];

const LAYERS: readonly LayerRow[] = [
  conv({ from: 64, to: 64, size: 224, kernel: 3, pad: 1 }),
  conv({ from: 256, to: 256, size: 56, kernel: 3, pad: 1 }),
  conv({ from: 512, to: 512, size: 28, kernel: 3, pad: 1 }),
  conv({ from: 96, to: 256, size: 27, kernel: 5, pad: 2, groups: 2 }),
  conv({ from: 256, to: 1024, size: 14, kernel: 1 }),
];

/** Small, with everything that the large ones are made of. */
export function smokeNetwork(): Network {
  const chain = new Chain();
  const x = chain.convRelu('conv1', [8, 3, 3, 3], { stride: 2, pad: 1 });
  chain.maxPool('pool1', 3, 2, { ceil: true });
  chain.layer('norm1', 'lrn', { size: 5, alpha: 0.5, beta: 0.75, k: 1 });
  const left = chain.conv('left', [8, 4, 3, 3], { pad: 1, groups: 2 });
  const right = chain.conv('right', [8, 8, 1, 1], { stride: 2 }, x);
  chain.layer('add', 'add', {}, undefined, [left, right]);
  const both = chain.layer('add.relu', 'relu');
  const pooled = chain.maxPool('pool2', 3, 1, { pad: 1 });
  chain.layer('concat', 'concat', { axis: 1 }, undefined, [both, pooled]);
  chain.layer('global', 'global_average_pool');
  chain.layer('fc', 'dense', {}, [10, 16]);
  return chain.network('Smoke', [1, 3, 19, 19]);
}

const smoke = { source: { make: smokeNetwork }, group: 'smoke', amplitude: 1, batch: 2 } as const;
const smokeConv = { ...smoke, source: { make: () => singleConv('smoke conv', [1, 3, 12, 12], [8, 3, 3, 3], { pad: 1 }) } } as const;

export const ROWS: readonly Row[] = [
  { ...smokeConv, title: 'smoke conv x2 forward', kind: 'forward' },
  { ...smokeConv, title: 'smoke conv x2 input gradient', kind: 'input gradient' },
  { ...smoke, title: 'smoke network x2 forward', kind: 'forward' },
  { ...smoke, title: 'smoke network x2 forward + gradient', kind: 'forward + gradient' },
  ...LAYERS.flatMap(({ title, make }) => {
    const source = { make: () => make(title) };
    return BATCHES.flatMap((batch) =>
      (['forward', 'input gradient'] as const).map((kind): Row => ({ title: `${title} x${batch} ${kind}`, kind, group: 'plain', source, amplitude: 1, batch })),
    );
  }),
  ...NETWORKS.flatMap((make, i) => {
    const source = { make };
    const name = NAMES[i]!;
    const rows = BATCHES.flatMap((batch) =>
      (['forward', 'forward + gradient'] as const).map((kind): Row => ({ title: `${name} x${batch} ${kind}`, kind, group: 'plain', source, amplitude: AMPLITUDE, batch })),
    );
    const steps = BATCHES.map((batch): Row => ({ title: `${name} x${batch} maximize step`, kind: 'maximize step', group: 'plain', source, amplitude: AMPLITUDE, batch }));
    return make === caffeNet ? [...rows, ...steps] : rows;
  }),
  ...METHOD_ROWS,
];

/** Rows whose title matches; all but the smoke test without a pattern. */
export function chooseRows(only?: string): Row[] {
  const pattern = only === undefined ? undefined : new RegExp(only, 'i');
  return ROWS.filter(({ title, group }) => (pattern ? pattern.test(title) : group !== 'smoke'));
}
