/** THE list of architectures, with the numbers of parameters that torchvision publishes. */
import { alexnet, type ClassifierOptions } from './alexnet.ts';
import { convnextTiny } from './convnext.ts';
import { densenet121 } from './densenet.ts';
import { efficientnetB0 } from './efficientnet.ts';
import type { Exporter } from './exporter.ts';
import { googlenet, type InceptionOptions } from './googlenet.ts';
import { inceptionV3 } from './inception.ts';
import { mnasnet } from './mnasnet.ts';
import { mobilenetV2, mobilenetV3 } from './mobilenet.ts';
import { resnet } from './resnet.ts';
import { shufflenetV2 } from './shufflenet.ts';
import { squeezenet } from './squeezenet.ts';
import { vgg } from './vgg.ts';

export interface Options extends ClassifierOptions, InceptionOptions {}

export interface Architecture {
  readonly build: (t: Exporter, options: Options) => Exporter;
  /** Of the pretrained model as torchvision's documentation counts them, without auxiliary classifiers. */
  readonly parameters: number;
  /** Side of the image in the documentation, 224 when left out. */
  readonly side?: number;
}

export const ARCHITECTURES = {
  alexnet: { build: alexnet, parameters: 61_100_840 },
  vgg11: { build: (t, options) => vgg(t, { ...options, layers: 11 }), parameters: 132_863_336 },
  vgg11_bn: { build: (t, options) => vgg(t, { ...options, layers: 11, batchNorm: true }), parameters: 132_868_840 },
  vgg16: { build: (t, options) => vgg(t, { ...options, layers: 16 }), parameters: 138_357_544 },
  vgg16_bn: { build: (t, options) => vgg(t, { ...options, layers: 16, batchNorm: true }), parameters: 138_365_992 },
  googlenet: { build: googlenet, parameters: 6_624_904 },
  // 27,161,264 with the auxiliary classifier, which is not part of an exported network.
  inception_v3: { build: inceptionV3, parameters: 23_834_568, side: 299 },
  resnet18: { build: (t) => resnet(t, 18), parameters: 11_689_512 },
  resnet50: { build: (t) => resnet(t, 50), parameters: 25_557_032 },
  squeezenet1_0: { build: (t) => squeezenet(t, '1_0'), parameters: 1_248_424 },
  squeezenet1_1: { build: (t) => squeezenet(t, '1_1'), parameters: 1_235_496 },
  densenet121: { build: densenet121, parameters: 7_978_856 },
  mobilenet_v2: { build: mobilenetV2, parameters: 3_504_872 },
  mobilenet_v3_large: { build: (t) => mobilenetV3(t, 'large'), parameters: 5_483_032 },
  mobilenet_v3_small: { build: (t) => mobilenetV3(t, 'small'), parameters: 2_542_856 },
  shufflenet_v2_x1_0: { build: shufflenetV2, parameters: 2_278_604 },
  mnasnet1_0: { build: mnasnet, parameters: 4_383_312 },
  efficientnet_b0: { build: efficientnetB0, parameters: 5_288_548 },
  convnext_tiny: { build: convnextTiny, parameters: 28_589_128 },
} satisfies Record<string, Architecture>;

export type ArchitectureName = keyof typeof ARCHITECTURES;
