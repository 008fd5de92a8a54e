/** MobileNet v2 (Sandler et al. 2018), width 1, as torchvision has it. */
import { torchvision, type Architecture } from './architecture.ts';
import type { Blueprint } from './blueprint.ts';

/** Table 2 of the paper: how far a block widens, its outputs, how many of them, the stride of the first. */
const STAGES: readonly (readonly [widen: number, outputs: number, count: number, stride: number])[] = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
];

/** A convolution `name.0`, its normalization `name.1` and its ReLU6 `name.2`. */
function drawConv(b: Blueprint, name: string, outputs: number, kernel: number, { stride = 1, groups = 1 } = {}): void {
  b.within(name, () => {
    b.conv('0', outputs, kernel, { stride, pad: (kernel - 1) / 2, groups });
    b.batchNorm('1');
    b.relu6('2');
  });
}

/** An inverted residual block; its last convolution has no activation. */
function drawBlock(b: Blueprint, channels: number, widen: number, outputs: number, stride: number): void {
  const x = b.last;
  const inner = channels * widen;
  b.within('conv', () => {
    let place = 0;
    if (widen !== 1) drawConv(b, `${place++}`, inner, 1);
    drawConv(b, `${place++}`, inner, 3, { stride, groups: inner });
    b.conv(`${place++}`, outputs, 1);
    b.batchNorm(`${place++}`);
  });
  if (stride === 1 && channels === outputs) b.sum('add', x, b.last);
}

function draw(b: Blueprint, classes: number): void {
  b.within('features', () => {
    let place = 0;
    drawConv(b, `${place++}`, 32, 3, { stride: 2 });
    let channels = 32;
    for (const [widen, outputs, count, stride] of STAGES) {
      for (let i = 0; i < count; i++) {
        const before = channels;
        b.within(`${place++}`, () => drawBlock(b, before, widen, outputs, i === 0 ? stride : 1));
        channels = outputs;
      }
    }
    drawConv(b, `${place++}`, 1280, 1);
  });
  b.globalAveragePool('adaptive_avg_pool2d');
  b.flatten();
  b.within('classifier', () => {
    b.dropout('0');
    b.dense('1', classes);
  });
}

export const mobilenetV2: readonly Architecture[] = [torchvision('mobilenet_v2', 'classifier.1', draw)];
