/** What a network of a known graph is: how it is drawn, and what its published weights were trained with. */
import type { Preprocess } from '../../network/network.ts';
import type { Blueprint } from './blueprint.ts';
import type { Naming } from './state_dict.ts';

/** How images were fed to weights that are published for an architecture. */
export interface Training {
  /** Whose weights, e.g. `torchvision's ImageNet weights`. */
  readonly of: string;
  /** Number of classes that tells them from weights of somebody's own. */
  readonly classes: number;
  readonly preprocess: Preprocess;
  /** Names of the classes, where no list of its own goes with the weights. */
  readonly labels?: readonly string[];
  /** What else a person should know of it. */
  readonly remark?: string;
}

/** Names of tensors, and the weights that are published under them where these are others. */
export interface ArchitectureNaming extends Naming {
  readonly training?: Training;
}

export interface Architecture {
  /** As its library calls it, e.g. `resnet18`. */
  readonly name: string;
  /** The last layer with weights: it has a row for every class. */
  readonly head: string;
  /** Usual height and width of the images. */
  readonly size: number;
  readonly training: Training;
  /** Adds the layers for a number of classes. */
  draw(blueprint: Blueprint, classes: number): void;
  /** Other names that its tensors have: those of other libraries, or of older files. */
  readonly namings?: readonly ArchitectureNaming[];
  /** Tensors of branches that only training uses: what they are, and how their names begin. */
  readonly unused?: { readonly what: string; readonly prefixes: readonly string[] };
}

const IMAGENET: Preprocess = { channels: 'RGB', range: 1, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], fit: 'crop' };

/** How libraries cut their pictures, which is not done here. */
export const shorterSide = (library: string): string =>
  `${library} cuts the centre out of a picture whose shorter side has 256 pixels; here the whole shorter side is seen`;

const TORCHVISION: Training = {
  of: "torchvision's ImageNet weights",
  classes: 1000,
  preprocess: IMAGENET,
  remark: shorterSide('torchvision'),
};

/** An architecture of torchvision: images of 224 x 224, scaled by the mean and deviation of ImageNet. */
export function torchvision(name: string, head: string, draw: Architecture['draw'], more: Partial<Architecture> = {}): Architecture {
  return { name, head, size: 224, training: TORCHVISION, draw, ...more };
}
export { IMAGENET, TORCHVISION };
