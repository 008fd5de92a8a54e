/**
 * A network as pure data: a layer graph that every loader makes and every method takes.
 * It knows no GPU and no file format. Tensors are row-major; images are N, C, H, W.
 */

export type Shape = readonly number[];

/** Dense row-major float32 data with its shape. */
export interface Tensor {
  readonly shape: Shape;
  readonly data: Float32Array;
}

export type AttributeValue = number | boolean | string | readonly number[];
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** One layer: `output = op(inputs; attributes, weights)`. */
export interface Node {
  /** Unique, human-readable address of the layer. */
  readonly name: string;
  /** Name of the tensor that the layer makes; unique in the network. A layer may be addressed by either name. */
  readonly output: string;
  /** Name of an op in the list of ops, e.g. `conv2d`. */
  readonly op: string;
  /** Names of tensors: network inputs or outputs of other nodes. */
  readonly inputs: readonly string[];
  readonly attributes: Attributes;
  /** Constant operands by role, e.g. `weight`, `bias`. */
  readonly weights: Readonly<Record<string, Tensor>>;
}

/** A tensor that the caller feeds. `shape` includes the batch axis as the model file states it (usually 1). */
export interface NetworkInput {
  readonly name: string;
  readonly shape: Shape;
}

/**
 * How an image becomes the input tensor: x[c] = (pixel[c] * range / 255 - mean[c]) / std[c],
 * with the pixel in 0..255 and c in the network's channel order.
 */
export interface Preprocess {
  readonly channels: 'RGB' | 'BGR' | 'gray';
  /** The value of a white pixel before mean and std: 1 or 255, usually. */
  readonly range: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** `crop`: scale the shorter side, cut the centre; `stretch`: scale both sides. */
  readonly fit: 'crop' | 'stretch';
}

export interface Network {
  readonly name: string;
  readonly inputs: readonly NetworkInput[];
  /** In topological order: a node only reads tensors made before it. */
  readonly nodes: readonly Node[];
  /** Names of the tensors that the model file declares as its results. */
  readonly outputs: readonly string[];
  /** Absent when the file does not say; nothing is guessed in silence. */
  readonly preprocess?: Preprocess;
  readonly labels?: readonly string[];
  /** What the loader wants a person to know (renamed layers, dropped training ops, non-finite weights). */
  readonly notes?: readonly string[];
}
