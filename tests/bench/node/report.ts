/** What the packed program writes down: times, and what another program needs to do the same work and compare. Times are in ms. */
import type { KernelRecord, Network } from '../../../src/index.ts';
import { attributesOf, opOf } from '../../../src/ops/check.ts';
import type { Timing } from '../record.ts';
import type { Kind } from '../row.ts';

/** A layer without its numbers: formula weights follow from name and shape. */
export interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly output: string;
  /** All of them, defaults included. */
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly weight?: readonly number[];
  readonly bias?: readonly number[];
}

export interface Graph {
  readonly name: string;
  readonly input: string;
  /** Of one image. */
  readonly shape: readonly number[];
  readonly nodes: readonly GraphNode[];
  readonly output: string;
}

/** A tensor in few numbers. */
export interface Check {
  readonly shape: readonly number[];
  /** Sum of the bits of element i times 2 i + 1, modulo 2^32: equal where all bits are equal. */
  readonly checksum: number;
  readonly norm: number;
  /** Of every image, the elements at i * length / 64. */
  readonly values: readonly number[];
}

export interface ServerRow {
  readonly title: string;
  /** Key of `networks`. */
  readonly network: string;
  readonly kind: Kind;
  readonly batch: number;
  /** Largest magnitude of the formula input, `<network>/x`. */
  readonly amplitude: number;
  /** Of one run, by our plan. */
  readonly flops: number;
  readonly timing: Timing;
  readonly x?: Check;
  /** The forward result, or the gradient where the work has one. */
  readonly result?: Check;
}

export interface ServerReport {
  readonly date: string;
  readonly version: string;
  readonly node: string;
  readonly adapter: string;
  readonly software: boolean;
  /** Multiply-adds a second that the device reaches on registers, each counts 2; where it was measured. */
  readonly flopsPerSecond?: number;
  /** How long it took to measure the families of kernels, and by which factors the cost model was off; GPUs only. */
  readonly calibrateMs?: number;
  readonly record?: KernelRecord;
  /** The kernels of every layer were timed for each row, and the fastest taken. */
  readonly tuned?: boolean;
  readonly rows: readonly ServerRow[];
  readonly networks: Readonly<Record<string, Graph>>;
}

export function graphOf(network: Network): Graph {
  const { name, shape } = network.inputs[0]!;
  return {
    name: network.name,
    input: name,
    shape: [1, ...shape.slice(1)],
    nodes: network.nodes.map((node) => {
      const { weight, bias } = node.weights;
      const attributes = attributesOf(node, opOf(node)) as unknown as Record<string, unknown>;
      return {
        name: node.name,
        op: node.op,
        inputs: node.inputs,
        output: node.output,
        attributes,
        ...(weight && { weight: weight.shape }),
        ...(bias && { bias: bias.shape }),
      };
    }),
    output: network.outputs[0]!,
  };
}

const SAMPLES = 64;

export function checkOf(shape: readonly number[], data: Float32Array): Check {
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  let checksum = 0;
  let squares = 0;
  for (let i = 0; i < data.length; i++) {
    checksum = (checksum + Math.imul(bits[i]!, 2 * i + 1)) >>> 0;
    squares += data[i]! ** 2;
  }
  const [images = 1] = shape;
  const length = data.length / images;
  const count = Math.min(SAMPLES, length);
  const values = Array.from({ length: images * count }, (_, i) => data[Math.floor(i / count) * length + Math.floor(((i % count) * length) / count)]!);
  return { shape, checksum, norm: Math.sqrt(squares), values };
}
