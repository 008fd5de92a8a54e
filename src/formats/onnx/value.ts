/**
 * What is known of a tensor while the graph is walked. Sizes and constants are worked out twice: for the batch of the
 * file and for one that is GROWTH times as large. A number that differs between the two hangs on the batch, and the
 * layer is written so that it holds for every batch, whatever shape arithmetic the file has used to get there.
 */
import type { Node, Shape } from '../../network/network.ts';
import type { OnnxTensor } from './tensor.ts';

/** How much larger the second batch is. */
export const GROWTH = 3;

export interface Value {
  readonly shape: Shape;
  /** Its shape at the larger batch: the same object where the batch does not matter. */
  readonly grown: Shape;
  /** Its content, when it does not depend on what the network is fed. */
  readonly constant?: OnnxTensor;
  /** Its content at the larger batch: the same object where the batch does not matter. */
  readonly grownConstant?: OnnxTensor;
  /** True behind an unsupported layer: the shape is only a guess, so contradictions mean nothing. */
  readonly guessed: boolean;
}

/** A tensor that a layer reads or makes. */
export interface RuntimeOperand {
  readonly name: string;
  readonly shape: Shape;
  /** Its shape at the larger batch. */
  readonly grown: Shape;
}

/** What all nodes of a graph share. */
export interface Scope {
  readonly file: string;
  readonly opset: number;
  readonly values: Map<string, Value>;
  /** Tensors that a node or the graph's outputs read. */
  readonly used: ReadonlySet<string>;
  /** Names of layers that are given away. */
  readonly layerNames: Set<string>;
  /** Names of tensors that are given away, those of layers still to come among them. */
  readonly tensorNames: Set<string>;
  readonly nodes: Node[];
  readonly notes: string[];
  /** True when the file leaves the batch open, so that a 1 there is ours. */
  readonly openBatch: boolean;
  /** Elements that may still be computed, and such that may still be filled with one number. */
  readonly budget: { computed: number; filled: number };
  /** Reads the bytes of a tensor in an attribute. */
  readonly readTensor: (bytes: Uint8Array) => OnnxTensor;
}

export function constantValue(constant: OnnxTensor, grownConstant = constant, guessed = false): Value {
  const { shape } = constant;
  return { shape, grown: grownConstant === constant ? shape : grownConstant.shape, constant, grownConstant, guessed };
}

/** True while axis 0 is the batch. */
export function isBatched({ shape, grown }: RuntimeOperand): boolean {
  return shape.length > 0 && shape[0] !== grown[0];
}

/** The first of `name`, `name#2`, `name#3`, ... that is not taken; takes it. */
export function takeName(name: string, taken: Set<string>): string {
  let free = name;
  for (let count = 2; taken.has(free); count++) free = `${name}#${count}`;
  taken.add(free);
  return free;
}
