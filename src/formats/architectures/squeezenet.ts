/** SqueezeNet 1.0 and 1.1 (Iandola et al. 2016), as torchvision and Gluon have them; the layers are named as in torchvision. */
import { shorterSide, TORCHVISION, torchvision, type Architecture, type ArchitectureNaming, type Training } from './architecture.ts';
import type { Blueprint } from './blueprint.ts';

/** A fire module: channels of its squeeze layer and of each of its two expand layers. A pooling: `pool`. */
type Part = 'pool' | readonly [squeeze: number, expand: number];

interface Form {
  /** Outputs and kernel of the first convolution. */
  readonly first: readonly [outputs: number, kernel: number];
  /** What follows it and its ReLU. */
  readonly parts: readonly Part[];
}

const FORMS: Readonly<Record<string, Form>> = {
  squeezenet1_0: { first: [96, 7], parts: ['pool', [16, 64], [16, 64], [32, 128], 'pool', [32, 128], [48, 192], [48, 192], [64, 256], 'pool', [64, 256]] },
  squeezenet1_1: { first: [64, 3], parts: ['pool', [16, 64], [16, 64], 'pool', [32, 128], [32, 128], 'pool', [48, 192], [48, 192], [64, 256], [64, 256]] },
};

function drawFire(b: Blueprint, [squeeze, expand]: readonly [number, number]): void {
  b.conv('squeeze', squeeze, 1, { bias: true });
  const x = b.relu('squeeze_activation');
  const branches = ([1, 3] as const).map((kernel) => {
    b.conv(`expand${kernel}x${kernel}`, expand, kernel, { pad: (kernel - 1) / 2, bias: true }, x);
    return b.relu(`expand${kernel}x${kernel}_activation`);
  });
  b.concat('cat', branches);
}

function draw(b: Blueprint, { first, parts }: Form, classes: number): void {
  b.within('features', () => {
    b.conv('0', ...first, { stride: 2, bias: true });
    b.relu('1');
    parts.forEach((part, i) => {
      if (part === 'pool') b.maxPool(`${i + 2}`, 3, 2, { ceil: true });
      else b.within(`${i + 2}`, () => drawFire(b, part));
    });
  });
  b.within('classifier', () => {
    b.dropout('0');
    b.conv('1', classes, 1, { bias: true });
    b.relu('2');
    b.globalAveragePool('3');
  });
  b.flatten();
}

/** Gluon's model zoo scales images as torchvision does. */
const GLUON: Training = { ...TORCHVISION, of: "Gluon's ImageNet weights", remark: shorterSide('Gluon') };

/** Gluon counts the convolutions of a network as it makes them: squeezenet0_conv1_weight is that of the first squeeze layer. */
function gluonNames({ parts }: Form): ArchitectureNaming {
  const inFire = ['squeeze', 'expand1x1', 'expand3x3'];
  const layers = ['features.0', ...parts.flatMap((part, i) => (part === 'pool' ? [] : inFire.map((name) => `features.${i + 2}.${name}`))), 'classifier.1'];
  return {
    of: 'Gluon',
    training: GLUON,
    translate(tensor) {
      const [, index, role] = /^squeezenet\d+_conv(\d+)_(weight|bias)$/.exec(tensor) ?? [];
      const layer = layers[Number(index)];
      return layer === undefined ? undefined : { name: `${layer}.${role}` };
    },
  };
}

export const squeezenet: readonly Architecture[] = Object.entries(FORMS).map(([name, form]) =>
  torchvision(name, 'classifier.1', (b, classes) => draw(b, form, classes), { namings: [gluonNames(form)] }),
);
