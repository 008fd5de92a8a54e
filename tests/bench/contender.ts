/** What ours and every peer offer to the measurement: the same work, prepared, run, finished, read. */
import { ancestors, classLayers, findNode, shapesOf, type Network, type Shape, type Tensor } from '../../src/index.ts';
import { formulaTensor } from './formula.ts';
import type { ContenderName } from './record.ts';
import type { Kind, Row } from './row.ts';

/** One row with its data. */
export interface Work {
  readonly kind: Kind;
  /** Only the layers that `layer` needs; one input. */
  readonly network: Network;
  /** The result: the class scores before softmax, or the only layer. */
  readonly layer: string;
  readonly shapes: ReadonlyMap<string, Shape>;
  readonly x: Tensor;
  /** Gradient of the score with respect to `layer`. */
  readonly dy: Tensor;
}

/** What was compiled for the work. */
export interface Compilation {
  /** Distinct kernels. */
  readonly kernels: number;
  /** Until all were there, ms; absent where it was not taken apart from the rest. */
  readonly time?: number;
}

/** Work that has run once and can be run again. */
export interface Running {
  /** Queues one run. */
  run(): void | Promise<void>;
  /** Waits until the GPU has done everything that was queued. */
  done(): Promise<void>;
  /**
   * The forward result, or the gradient where the work has one; N, C, H, W. Of a training step the gradient of all parameters,
   * by what the first run has changed.
   */
  result(): Promise<Float32Array>;
  /** After the last run. @throws Error where the runs did not do the work: numbers that are not finite, a training that has stopped */
  check?(): Promise<void>;
  dispose(): void | Promise<void>;
  /** By our plan. */
  readonly flops?: number;
  readonly compiled?: Compilation;
  /** Equal steps in one run, where it is not one: times and FLOPs are then of a step. */
  readonly steps?: number;
  readonly note?: string;
}

export interface Contender {
  readonly name: ContenderName;
  /**
   * Converts what the contender needs in its own layout; this is not timed. The function that it returns compiles,
   * uploads the weights and runs once: the first-run time.
   * @throws Error with the reason where the contender cannot do the work
   */
  prepare(work: Work): Promise<() => Promise<Running>>;
}

/** The input of a row: its batch, and its size where it has one. */
function inputOf(network: Network, { batch, size }: Pick<Row, 'batch' | 'size'>): Network['inputs'][number] {
  const { name, shape } = network.inputs[0]!;
  return { name, shape: [batch, shape[1]!, ...(size === undefined ? shape.slice(2) : [size, size])] };
}

export function workOf(network: Network, row: Pick<Row, 'kind' | 'amplitude' | 'batch' | 'size' | 'layer'>): Work {
  const { kind, amplitude } = row;
  const layer = row.layer ?? (network.nodes.length === 1 ? network.outputs[0]! : classLayers(network).logits);
  const nodes = ancestors(network, [layer]);
  const input = inputOf(network, row);
  const needed: Network = { ...network, inputs: [input], nodes, outputs: [findNode(network, layer).output] };
  const shapes = shapesOf(needed);
  const target = shapes.get(needed.outputs[0]!)!;
  const x = formulaTensor(`${network.name}/x`, input.shape, amplitude);
  const dy = kind === 'input gradient' ? formulaTensor(`${network.name}/dy`, target, 1) : oneHot(target, 7);
  return { kind, network: needed, layer: needed.outputs[0]!, shapes, x, dy };
}

/** One element of every image. */
function oneHot(shape: Shape, index: number): Tensor {
  const image = shape.slice(1).reduce((a, b) => a * b, 1);
  const data = new Float32Array(shape[0]! * image);
  for (let n = 0; n < shape[0]!; n++) data[n * image + Math.min(index, image - 1)] = 1;
  return { shape, data };
}
