/**
 * GoogLeNet (Szegedy et al. 2014) with batch normalization, as torchvision has it: its branches called 5x5 are 3x3 there.
 * The two classifiers that only training uses are left out.
 */
import type { Preprocess } from '../../network/network.ts';
import { TORCHVISION, torchvision, type Architecture } from './architecture.ts';
import type { Blueprint, ConvOptions } from './blueprint.ts';

/**
 * The published weights were trained on (pixel - 0.5) / 0.5. torchvision scales by the mean and deviation of ImageNet as
 * for its other networks, and the network itself turns that round (`transform_input`); both together are this.
 */
const TRAINED: Preprocess = { channels: 'RGB', range: 1, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], fit: 'crop' };
const REMARK = "torchvision's transform_input, which takes images scaled by the mean and deviation of ImageNet to that, is no layer here; weights that were trained without it need mean 0.485 0.456 0.406 and std 0.229 0.224 0.225";

type Widths = readonly [direct: number, reduce2: number, conv2: number, reduce3: number, conv3: number, pool: number];

/** Channels of the inception modules (table 1 of the paper), and the poolings between them. */
const MODULES: readonly (readonly [name: string, widths: Widths])[] = [
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

/** A convolution with its normalization and ReLU. */
function drawConv(b: Blueprint, name: string, outputs: number, kernel: number, options: ConvOptions = {}, from = b.last): string {
  b.within(name, () => {
    b.conv('conv', outputs, kernel, options, from);
    b.batchNorm('bn', 1e-3);
    b.relu('relu');
  });
  return b.last;
}

function drawInception(b: Blueprint, [direct, reduce2, conv2, reduce3, conv3, pool]: Widths): void {
  const x = b.last;
  const branches = [drawConv(b, 'branch1', direct, 1)];
  drawConv(b, 'branch2.0', reduce2, 1, {}, x);
  branches.push(drawConv(b, 'branch2.1', conv2, 3, { pad: 1 }));
  drawConv(b, 'branch3.0', reduce3, 1, {}, x);
  branches.push(drawConv(b, 'branch3.1', conv3, 3, { pad: 1 }));
  b.maxPool('branch4.0', 3, 1, { pad: 1, ceil: true }, x);
  branches.push(drawConv(b, 'branch4.1', pool, 1));
  b.concat('cat', branches);
}

function draw(b: Blueprint, classes: number): void {
  drawConv(b, 'conv1', 64, 7, { stride: 2, pad: 3 });
  b.maxPool('maxpool1', 3, 2, { ceil: true });
  drawConv(b, 'conv2', 64, 1);
  drawConv(b, 'conv3', 192, 3, { pad: 1 });
  b.maxPool('maxpool2', 3, 2, { ceil: true });
  for (const [name, widths] of MODULES) {
    if (name === '4a') b.maxPool('maxpool3', 3, 2, { ceil: true });
    if (name === '5a') b.maxPool('maxpool4', 2, 2, { ceil: true });
    b.within(`inception${name}`, () => drawInception(b, widths));
  }
  b.globalAveragePool('avgpool');
  b.flatten();
  b.dropout('dropout');
  b.dense('fc', classes);
}

export const googlenet: readonly Architecture[] = [
  torchvision('googlenet', 'fc', draw, {
    training: { ...TORCHVISION, preprocess: TRAINED, remark: `${REMARK}. ${TORCHVISION.remark}` },
    unused: { what: 'the classifiers that only training uses', prefixes: ['aux1.', 'aux2.'] },
  }),
];
