/**
 * ResNet for images of 32 x 32 (He et al. 2015, section 4.2) in the layout of akamaster/pytorch_resnet_cifar10. A shortcut
 * to more channels takes every second pixel and adds channels of zeros (option A of the paper).
 */
import { IMAGENET, type Architecture, type Training } from './architecture.ts';
import type { Blueprint } from './blueprint.ts';

const TRAINING: Training = { of: 'the CIFAR-10 weights of pytorch_resnet_cifar10', classes: 10, preprocess: IMAGENET };

/** Blocks of each of the three stages, by name. */
const DEPTHS: Readonly<Record<string, number>> = { resnet20: 3, resnet32: 5, resnet44: 7, resnet56: 9, resnet110: 18 };

function draw(b: Blueprint, depth: number, classes: number): void {
  b.conv('conv1', 16, 3, { pad: 1 });
  b.batchNorm('bn1');
  b.relu('relu');
  [16, 32, 64].forEach((width, stage) => {
    for (let block = 0; block < depth; block++) {
      b.within(`layer${stage + 1}.${block}`, () => {
        const x = b.last;
        const narrows = stage > 0 && block === 0;
        b.conv('conv1', width, 3, { stride: narrows ? 2 : 1, pad: 1 });
        b.batchNorm('bn1');
        b.relu('relu');
        b.conv('conv2', width, 3, { pad: 1 });
        const main = b.batchNorm('bn2');
        b.sum('add', main, narrows ? b.thinOut('shortcut', width / 4, width / 4, x) : x);
        b.relu('relu_1');
      });
    }
  });
  b.globalAveragePool('avg_pool2d');
  b.flatten();
  b.dense('linear', classes);
}

export const resnetCifar: readonly Architecture[] = Object.entries(DEPTHS).map(([name, depth]) => ({
  name, head: 'linear', size: 32, training: TRAINING, draw: (b, classes) => draw(b, depth, classes),
}));
