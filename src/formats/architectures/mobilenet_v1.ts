/** MobileNet v1 (Howard et al. 2017) in four widths, as Keras has it. */
import type { Architecture, Training } from './architecture.ts';
import type { Blueprint } from './blueprint.ts';
import { KERAS } from './keras.ts';

const TRAINING: Training = {
  of: "Keras' ImageNet weights",
  classes: 1000,
  preprocess: { channels: 'RGB', range: 2, mean: [1, 1, 1], std: [1, 1, 1], fit: 'crop' },
};

/** Table 1 of the paper: outputs and stride of each pair of a depthwise and a pointwise convolution, at full width. */
const PAIRS: readonly (readonly [outputs: number, stride: 1 | 2])[] = [
  [64, 1], [128, 2], [128, 1], [256, 2], [256, 1], [512, 2], [512, 1], [512, 1], [512, 1], [512, 1], [512, 1], [1024, 2], [1024, 1],
];

const WIDTHS: Readonly<Record<string, number>> = { 'mobilenet_v1_0.25': 0.25, 'mobilenet_v1_0.5': 0.5, 'mobilenet_v1_0.75': 0.75, 'mobilenet_v1_1.0': 1 };

/** A convolution with its normalization and ReLU6. Before a stride of 2 Keras pads below and on the right only. */
function drawConv(b: Blueprint, name: string, outputs: number, kernel: 1 | 3, stride: 1 | 2, groups = 1): void {
  b.conv(name, outputs, kernel, { stride, pad: stride === 2 ? [0, 1] : (kernel - 1) / 2, groups });
  b.batchNorm(`${name}_bn`, 1e-3);
  b.relu6(`${name}_relu`);
}

function draw(b: Blueprint, width: number, classes: number): void {
  let channels = 32 * width;
  drawConv(b, 'conv1', channels, 3, 2);
  PAIRS.forEach(([outputs, stride], i) => {
    drawConv(b, `conv_dw_${i + 1}`, channels, 3, stride, channels);
    channels = outputs * width;
    drawConv(b, `conv_pw_${i + 1}`, channels, 1, 1);
  });
  b.globalAveragePool('global_average_pooling2d');
  b.dropout('dropout');
  b.conv('conv_preds', classes, 1, { bias: true });
  b.flatten('reshape_2');
  b.softmax('act_softmax');
}

export const mobilenetV1: readonly Architecture[] = Object.entries(WIDTHS).map(([name, width]) => ({
  name, head: 'conv_preds', size: 224, training: TRAINING, draw: (b, classes) => draw(b, width, classes), namings: [KERAS],
}));
