/** A training as pure data: what is learnt, from which pictures, and how. It knows no GPU and no file. */
import type { Preprocess } from './network.ts';

/** How weights begin; `scale` multiplies them, to spoil a beginning on purpose. */
export interface Beginning {
  /** He (for ReLU), Xavier (both ways), or a normal distribution of a given standard deviation. */
  readonly weights: 'he' | 'xavier' | { readonly normal: number };
  readonly scale: number;
  readonly bias: number;
}

/** One layer of a network that is a chain; sizes are those of squares. */
export type LayerPlan = { readonly name: string } & (
  | { readonly kind: 'conv'; readonly outputs: number; readonly kernel: number; readonly stride: number; readonly padding: number; readonly groups: number; readonly bias: boolean; readonly begin: Beginning }
  | { readonly kind: 'dense'; readonly outputs: number; readonly bias: boolean; readonly begin: Beginning }
  | { readonly kind: 'max_pool' | 'average_pool'; readonly kernel: number; readonly stride: number; readonly padding: number; readonly ceil: boolean }
  | { readonly kind: 'lrn'; readonly size: number; readonly alpha: number; readonly beta: number; readonly k: number }
  | { readonly kind: 'batch_norm'; readonly epsilon: number }
  | { readonly kind: 'dropout'; readonly rate: number }
  | { readonly kind: 'relu' | 'softmax' | 'global_average_pool' }
);

export type OptimizerPlan =
  | { readonly kind: 'sgd'; readonly momentum: number; readonly nesterov: boolean }
  | { readonly kind: 'adam'; readonly beta1: number; readonly beta2: number; readonly epsilon: number };

/** The rate over the steps. Numbers of steps below 1 are shares of all of them. */
export type SchedulePlan = { readonly rate: number; readonly warmup: number } & (
  | { readonly kind: 'constant' }
  /** Times `factor` from each of the steps `at` on. */
  | { readonly kind: 'step'; readonly at: readonly number[]; readonly factor: number }
  /** Half a cosine from `rate` down to `floor` times it; it begins anew `at` each of the restarts, with another rate. */
  | { readonly kind: 'cosine'; readonly floor: number; readonly restarts?: readonly { readonly at: number; readonly rate: number }[] }
);

/** Adversarial training: how far each picture is moved against the network before it is learnt, L2 in units of the network's input. */
export interface AdversarialPlan {
  readonly distance: number;
  /** The distance grows from 0 at the step `from` to its whole at `until`; numbers below 1 are shares of all steps. */
  readonly from: number;
  readonly until: number;
}

/** Where pictures come from. */
export type DataPlan =
  /** Drawn by seeds. `images`: so many different ones, again in every epoch; without it every picture is new. */
  | { readonly kind: 'scenes'; readonly classes: readonly string[]; readonly images?: number }
  /** A folder with one folder of pictures for each class. */
  | { readonly kind: 'folder'; readonly path: string };

export interface TrainingConfig {
  readonly name: string;
  /** C, H, W of one image. */
  readonly input: readonly [channels: number, height: number, width: number];
  readonly preprocess: Preprocess;
  readonly layers: readonly LayerPlan[];
  readonly optimizer: OptimizerPlan;
  readonly decay: number;
  readonly smoothing: number;
  /** Absent where pictures are learnt as they are. */
  readonly adversarial?: AdversarialPlan;
  readonly schedule: SchedulePlan;
  readonly batch: number;
  /** Exactly one of them. */
  readonly steps?: number;
  readonly epochs?: number;
  readonly seed: number;
  readonly data: DataPlan;
  /** Pictures that are never learnt from; `images` 0 for none. */
  readonly heldOut: { readonly images: number; readonly seed: number };
  /** Steps between lines of the log, and between checkpoints. */
  readonly log: number;
  readonly checkpoint: number;
}

/** One step's measurement of a layer with weights. */
export interface LayerMeasure {
  /** L2 norms over the layer's weights and biases: of the gradient, and of themselves. */
  readonly gradient: number;
  readonly weight: number;
  /** L2 norm of what the step added, relative to that of the weights. */
  readonly change: number;
  /** Elements of the gradient that are not finite. */
  readonly nonFinite: number;
  /** Of the ReLU behind the layer: share of zeros, and channels that are 0 everywhere in the batch. */
  readonly zeros?: number;
  readonly dead?: number;
  readonly units?: number;
}
