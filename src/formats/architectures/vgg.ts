/** VGG (Simonyan and Zisserman 2014) with and without batch normalization, as torchvision has it. */
import { torchvision, type Architecture } from './architecture.ts';
import type { Blueprint } from './blueprint.ts';

/** Outputs of the 3 x 3 convolutions of each stage, by the number of layers with weights; a stage ends in a pooling. */
const STAGES: Readonly<Record<number, readonly (readonly number[])[]>> = {
  11: [[64], [128], [256, 256], [512, 512], [512, 512]],
  13: [[64, 64], [128, 128], [256, 256], [512, 512], [512, 512]],
  16: [[64, 64], [128, 128], [256, 256, 256], [512, 512, 512], [512, 512, 512]],
  19: [[64, 64], [128, 128], [256, 256, 256, 256], [512, 512, 512, 512], [512, 512, 512, 512]],
};

function draw(b: Blueprint, stages: readonly (readonly number[])[], normalized: boolean, classes: number): void {
  b.within('features', () => {
    let place = 0;
    const next = (): string => `${place++}`;
    for (const widths of stages) {
      for (const width of widths) {
        b.conv(next(), width, 3, { pad: 1, bias: true });
        if (normalized) b.batchNorm(next());
        b.relu(next());
      }
      b.maxPool(next(), 2, 2);
    }
  });
  b.adaptiveAveragePool('avgpool', 7);
  b.flatten();
  b.within('classifier', () => {
    b.dense('0', 4096);
    b.relu('1');
    b.dropout('2');
    b.dense('3', 4096);
    b.relu('4');
    b.dropout('5');
    b.dense('6', classes);
  });
}

export const vgg: readonly Architecture[] = Object.entries(STAGES).flatMap(([layers, stages]) =>
  [false, true].map((normalized) =>
    torchvision(`vgg${layers}${normalized ? '_bn' : ''}`, 'classifier.6', (b, classes) => draw(b, stages, normalized, classes)),
  ),
);
