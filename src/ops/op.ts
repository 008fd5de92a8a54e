/**
 * What an op is: its attributes, its output shape, and its forward and backward as dispatches.
 * An op only records dispatches over symbolic tensors; it owns no buffer and knows no device.
 */
import type { AttributeValue, Node, Shape, Tensor } from '../network/network.ts';
import type { UnitscopeError } from '../errors.ts';
import type { Capabilities } from '../gpu/capabilities.ts';

export type { Capabilities };

/** A tensor of a plan: a name and a shape; the planner decides which buffer it lives in. */
export interface TensorRef {
  readonly id: number;
  readonly label: string;
  readonly shape: Shape;
  readonly type: 'f32' | 'u32';
}

/** One kernel launch. */
export interface Dispatch {
  /** File name of the shader without its extension: what a person reads in the plan. */
  readonly kernel: string;
  /** The WGSL text; its `var<storage>` names are the keys of `tensors`. */
  readonly code: string;
  readonly tensors: Readonly<Record<string, TensorRef>>;
  /** Workgroups along x, y, z. */
  readonly grid: readonly [number, number, number];
  /** Floating-point operations (a multiply-add counts 2). */
  readonly flops: number;
  /** What of the layer this dispatch does, e.g. `border`; empty for the main kernel. */
  readonly part?: string;
  /** Where an op has several kernels: which one this is, and why it was taken. */
  readonly choice?: Choice;
  /** Set where the launch does nothing but copy: it is left out where both tensors can share the block's memory. */
  readonly copy?: Copy;
}

/** All of `from` or all of `to`, whichever is smaller; its block in the other one starts at element `at`. */
export interface Copy {
  readonly from: TensorRef;
  readonly to: TensorRef;
  readonly at: number;
  /** More than one where the block lies scattered, the first piece at `at`: such a copy always stays. */
  readonly pieces: number;
}

/** A choice among the kernels of an op, as `plan --explain` prints it. */
export interface Choice {
  /** The kernel and its tile, e.g. `direct 16x4` or `winograd 4x4`. */
  readonly variant: string;
  /** One sentence for a person: the rule or the measurement that decided. */
  readonly why: string;
  /** The shape that a measurement is filed under, where one could decide. */
  readonly key?: string;
  /** What the model predicts, in the unit of the adapter's class and before any measured factor. */
  readonly cost?: number;
  /** No prediction takes it here, and tuning does not time it: somebody has asked for it. */
  readonly onRequest?: boolean;
}

/** All elements of a tensor; a large one may come in parts, in order, so that it is never held whole. */
export type Content = Float32Array | Uint32Array | Iterable<Float32Array | Uint32Array>;

export interface Recorder {
  readonly capabilities: Capabilities;
  dispatch(dispatch: Dispatch): void;
  /** A tensor that lives only between the steps that use it. */
  scratch(label: string, shape: Shape, type?: 'f32' | 'u32'): TensorRef;
  /** A tensor whose content `make` produces once, before the first run (packed weights). */
  constant(label: string, shape: Shape, make: () => Content): TensorRef;
}

/** How ReLU-like layers treat the gradient (g: gradient from above, x: input of the ReLU): all there is of two switches. */
export type ReluRule =
  | 'gradient' // g (x > 0)
  | 'deconvnet' // g (g > 0)
  | 'guided' // g (x > 0) (g > 0)
  | 'linear'; // g

/** Where the backward pass may do other than the true gradient; the first of each is the true one. */
export interface BackwardRules {
  readonly rule: ReluRule;
  /** On: max pooling gives the gradient to the first maximum of each window. Off: to the centre of the window, wherever the maximum was. */
  readonly switches: boolean;
  /** `identity`: local response normalization passes the gradient as it is. */
  readonly lrn: 'true' | 'identity';
}

/** Where a gradient goes: written over, or added to what an earlier branch left there. */
export interface GradientTarget {
  readonly tensor: TensorRef;
  readonly accumulate: boolean;
}

/** What a layer learns with. */
export interface Learning {
  /** [4] u32: number of the step, seed, 0, 0: what a layer's random numbers are made from. */
  readonly clock: TensorRef;
  /** The layer's weights as they are now, by name, in the layout of the file. */
  readonly weights: Readonly<Record<string, TensorRef>>;
}

export interface ForwardContext<A> extends Recorder {
  readonly node: Node;
  readonly attributes: A;
  readonly x: readonly TensorRef[];
  readonly y: TensorRef;
  /** True when a backward pass will follow: keep what it needs with `save`. */
  readonly training: boolean;
  /** True when that pass will ask which tap won each window of max pooling. */
  readonly winners: boolean;
  /** Set while the network is being trained; absent when it is only run. */
  readonly learning?: Learning | undefined;
  save(key: string, tensor: TensorRef): void;
}

export interface BackwardContext<A> extends Recorder, BackwardRules {
  readonly node: Node;
  readonly attributes: A;
  readonly x: readonly TensorRef[];
  readonly y: TensorRef;
  readonly dy: TensorRef;
  /** Gradient targets by input; undefined where nobody needs that gradient. */
  readonly dx: readonly (GradientTarget | undefined)[];
  readonly learning?: Learning | undefined;
  saved(key: string): TensorRef;
}

export interface LearnContext<A> extends Recorder {
  readonly node: Node;
  readonly attributes: A;
  readonly x: readonly TensorRef[];
  readonly y: TensorRef;
  readonly dy: TensorRef;
  readonly learning: Learning;
  /** Where the gradients of the weights go, by name, each of the weight's shape; what was there is written over. */
  readonly dw: Readonly<Record<string, TensorRef>>;
  saved(key: string): TensorRef;
}

/** Throws a typed error that names the layer. */
export type Refuse = (message: string, hint?: string) => UnitscopeError;

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the list of ops holds ops of every attribute type
export interface Op<A = any> {
  readonly name: string;
  /** Every attribute with its default; an attribute that is not listed here is refused. */
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  /** Constant operands: true where the op cannot do without. */
  readonly weights: Readonly<Record<string, boolean>>;
  /** Least and most number of runtime inputs. */
  readonly arity: readonly [number, number];
  /** Output shape; refuses operands that do not fit. */
  shape(inputs: readonly Shape[], attributes: A, weights: Readonly<Record<string, Tensor>>, refuse: Refuse): Shape;
  /** True for ops that only rename the elements: y shares the memory of x, and dx that of dy. */
  readonly view?: boolean;
  forward(context: ForwardContext<A>): void;
  backward(context: BackwardContext<A>): void;
  /** Records the gradients of the weights, after those of the inputs. */
  learn?(context: LearnContext<A>): void;
  /** Weights that training changes without a gradient: running moments. */
  readonly state?: readonly string[];
}
