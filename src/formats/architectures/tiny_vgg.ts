/** Tiny VGG of CNN Explainer (Wang et al. 2020): ten classes of Tiny ImageNet, convolutions without padding. */
import type { Architecture, Training } from './architecture.ts';
import type { Blueprint } from './blueprint.ts';

const SIZE = 64;

const TRAINING: Training = {
  of: "CNN Explainer's weights",
  classes: 10,
  preprocess: { channels: 'RGB', range: 1, mean: [0, 0, 0], std: [1, 1, 1], fit: 'crop' },
  labels: ['lifeboat', 'ladybug', 'pizza', 'bell pepper', 'school bus', 'koala', 'espresso', 'red panda', 'orange', 'sport car'],
};

/** The dense layer reads one channel after another, as PyTorch flattens; in Keras it reads one place after another. */
function draw(b: Blueprint, classes: number): void {
  b.onlyFor(SIZE);
  for (const block of [1, 2]) {
    for (const layer of [1, 2]) {
      b.conv(`conv_${block}_${layer}`, 10, 3, { bias: true });
      b.relu(`relu_${block}_${layer}`);
    }
    b.maxPool(`max_pool_${block}`, 2, 2);
  }
  b.flatten();
  b.dense('output', classes);
  b.softmax('softmax');
}

export const tinyVgg: readonly Architecture[] = [{ name: 'tiny_vgg', head: 'output', size: SIZE, training: TRAINING, draw }];
