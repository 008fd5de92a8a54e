/** DenseNet (Huang et al. 2016), as torchvision has it. */
import { torchvision, type Architecture } from './architecture.ts';
import type { Blueprint } from './blueprint.ts';
import type { Translated } from './state_dict.ts';

interface Form {
  /** Channels that each layer adds. */
  readonly growth: number;
  /** Channels before the first block. */
  readonly first: number;
  /** Layers of each block. */
  readonly blocks: readonly number[];
}

const FORMS: Readonly<Record<string, Form>> = {
  densenet121: { growth: 32, first: 64, blocks: [6, 12, 24, 16] },
  densenet161: { growth: 48, first: 96, blocks: [6, 12, 36, 24] },
  densenet169: { growth: 32, first: 64, blocks: [6, 12, 32, 32] },
  densenet201: { growth: 32, first: 64, blocks: [6, 12, 48, 32] },
};

/** Normalization and ReLU come before a convolution. */
function drawConv(b: Blueprint, index: 1 | 2, outputs: number, kernel: number): void {
  b.batchNorm(`norm${index}`);
  b.relu(`relu${index}`);
  b.conv(`conv${index}`, outputs, kernel, { pad: (kernel - 1) / 2 });
}

/** Every layer sees the block's input and what all layers before it have made, joined as `cat`. */
function drawBlock(b: Blueprint, layers: number, growth: number): void {
  let seen = b.last;
  for (let layer = 1; layer <= layers; layer++) {
    b.within(`denselayer${layer}`, () => {
      if (layer > 1) seen = b.concat('cat', [seen, b.last]);
      drawConv(b, 1, 4 * growth, 1);
      drawConv(b, 2, growth, 3);
    });
  }
  b.concat('cat', [seen, b.last]);
}

function draw(b: Blueprint, { growth, first, blocks }: Form, classes: number): void {
  b.within('features', () => {
    b.conv('conv0', first, 7, { stride: 2, pad: 3 });
    b.batchNorm('norm0');
    b.relu('relu0');
    b.maxPool('pool0', 3, 2, { pad: 1 });
    let channels = first;
    blocks.forEach((layers, i) => {
      b.within(`denseblock${i + 1}`, () => drawBlock(b, layers, growth));
      channels += layers * growth;
      if (i === blocks.length - 1) return;
      b.within(`transition${i + 1}`, () => {
        b.batchNorm('norm');
        b.relu('relu');
        b.conv('conv', (channels /= 2), 1);
        b.averagePool('pool', 2, 2);
      });
    });
    b.batchNorm('norm5');
  });
  b.relu('relu');
  b.globalAveragePool('adaptive_avg_pool2d');
  b.flatten();
  b.dense('classifier', classes);
}

/** Files of PyTorch before 0.4 say norm.1 and conv.2 where later ones say norm1 and conv2. */
function translate(tensor: string): Translated | undefined {
  const name = tensor.replace(/(denselayer\d+\.(?:norm|conv))\.([12]\.)/, '$1$2');
  return name === tensor ? undefined : { name };
}

export const densenet: readonly Architecture[] = Object.entries(FORMS).map(([name, form]) =>
  torchvision(name, 'classifier', (b, classes) => draw(b, form, classes), { namings: [{ of: `an older ${name}`, translate }] }),
);
