/**
 * ResNet (He et al. 2015), Wide ResNet (Zagoruyko and Komodakis 2016) and ResNeXt (Xie et al. 2016), as torchvision has
 * them: the stride of a bottleneck is in its 3 x 3 convolution.
 */
import { torchvision, type Architecture } from './architecture.ts';
import type { Blueprint } from './blueprint.ts';

/** `depths`: blocks of each stage. Of bottlenecks: groups, and channels of one group in the first stage. */
type Form =
  | { readonly block: 'basic'; readonly depths: readonly number[] }
  | { readonly block: 'bottleneck'; readonly depths: readonly number[]; readonly groups: number; readonly groupWidth: number };

const basic = (...depths: number[]): Form => ({ block: 'basic', depths });
const bottleneck = (depths: readonly number[], groups = 1, groupWidth = 64): Form => ({ block: 'bottleneck', depths, groups, groupWidth });

const FORMS: Readonly<Record<string, Form>> = {
  resnet18: basic(2, 2, 2, 2),
  resnet34: basic(3, 4, 6, 3),
  resnet50: bottleneck([3, 4, 6, 3]),
  resnet101: bottleneck([3, 4, 23, 3]),
  resnet152: bottleneck([3, 8, 36, 3]),
  wide_resnet50_2: bottleneck([3, 4, 6, 3], 1, 128),
  wide_resnet101_2: bottleneck([3, 4, 23, 3], 1, 128),
  resnext50_32x4d: bottleneck([3, 4, 6, 3], 32, 4),
  resnext101_32x8d: bottleneck([3, 4, 23, 3], 32, 8),
  resnext101_64x4d: bottleneck([3, 4, 23, 3], 64, 4),
};

/** Two 3 x 3 convolutions. Returns what is added to the shortcut. */
function drawBasic(b: Blueprint, width: number, stride: number): string {
  b.conv('conv1', width, 3, { stride, pad: 1 });
  b.batchNorm('bn1');
  b.relu('relu');
  b.conv('conv2', width, 3, { pad: 1 });
  return b.batchNorm('bn2');
}

/** 1 x 1, 3 x 3 and 1 x 1 to `outputs` channels. Returns what is added to the shortcut. */
function drawBottleneck(b: Blueprint, inner: number, outputs: number, stride: number, groups: number): string {
  b.conv('conv1', inner, 1);
  b.batchNorm('bn1');
  b.relu('relu');
  b.conv('conv2', inner, 3, { stride, pad: 1, groups });
  b.batchNorm('bn2');
  b.relu('relu_1');
  b.conv('conv3', outputs, 1);
  return b.batchNorm('bn3');
}

function draw(b: Blueprint, form: Form, classes: number): void {
  b.conv('conv1', 64, 7, { stride: 2, pad: 3 });
  b.batchNorm('bn1');
  b.relu('relu');
  b.maxPool('maxpool', 3, 2, { pad: 1 });
  let channels = 64;
  form.depths.forEach((depth, stage) => {
    const width = 64 * 2 ** stage;
    const outputs = form.block === 'basic' ? width : 4 * width;
    for (let block = 0; block < depth; block++) {
      b.within(`layer${stage + 1}.${block}`, () => {
        const x = b.last;
        const stride = stage > 0 && block === 0 ? 2 : 1;
        const main =
          form.block === 'basic' ? drawBasic(b, width, stride) : drawBottleneck(b, form.groupWidth * form.groups * 2 ** stage, outputs, stride, form.groups);
        let shortcut = x;
        if (stride !== 1 || channels !== outputs) {
          b.conv('downsample.0', outputs, 1, { stride }, x);
          shortcut = b.batchNorm('downsample.1');
        }
        b.sum('add', main, shortcut);
        b.relu(form.block === 'basic' ? 'relu_1' : 'relu_2');
      });
      channels = outputs;
    }
  });
  b.globalAveragePool('avgpool');
  b.flatten();
  b.dense('fc', classes);
}

export const resnet: readonly Architecture[] = Object.entries(FORMS).map(([name, form]) =>
  torchvision(name, 'fc', (b, classes) => draw(b, form, classes)),
);
