/** THE list of graphs that files of weights alone are matched with. A new family is a file and a line here. */
import { alexnet } from './alexnet.ts';
import type { Architecture } from './architecture.ts';
import { densenet } from './densenet.ts';
import { googlenet } from './googlenet.ts';
import { mobilenetV1 } from './mobilenet_v1.ts';
import { mobilenetV2 } from './mobilenet_v2.ts';
import { resnet } from './resnet.ts';
import { resnetCifar } from './resnet_cifar.ts';
import { squeezenet } from './squeezenet.ts';
import { tinyVgg } from './tiny_vgg.ts';
import { vgg } from './vgg.ts';

export const ARCHITECTURES: readonly Architecture[] = [
  ...alexnet,
  ...densenet,
  ...googlenet,
  ...mobilenetV1,
  ...mobilenetV2,
  ...resnet,
  ...resnetCifar,
  ...squeezenet,
  ...tinyVgg,
  ...vgg,
];
