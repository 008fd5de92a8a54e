/**
 * What a network learns with inside a plan: its weights as tensors that change, and their gradients.
 *
 * Ops pack their weights on the processor, once. While a network learns, the same packing runs on the GPU before every
 * use: the op's own packing is applied to numbered weights, and what comes out says where each number goes.
 */
import { gather, gatherGrid } from '../../shaders/gather.wgsl.ts';
import { UnitscopeError } from '../errors.ts';
import type { Network, Node, Shape, Tensor } from '../network/network.ts';
import { opOf } from '../ops/check.ts';
import type { Content, Learning, Recorder, TensorRef } from '../ops/op.ts';
import { elements } from '../ops/shape.ts';
import type { PlanBuilder } from './builder.ts';

/** f32 counts exactly to here: the largest weight that can be numbered. */
const MOST = 2 ** 24 - 1;

/** One weight of a layer: a tensor that changes, and where its gradient goes if it has one. */
export interface Parameter {
  /** `layer/role`: the names of its tensor and, behind `d `, of its gradient. */
  readonly name: string;
  readonly layer: string;
  readonly role: string;
  readonly shape: Shape;
  readonly w: TensorRef;
  /** Absent for moments that the layer keeps by itself. */
  readonly g?: TensorRef | undefined;
}

export class Lessons {
  /** [4] u32: step, seed, 0, 0. */
  readonly clock: TensorRef;
  readonly parameters: readonly Parameter[];
  private readonly used = new Set<string>();
  private readonly probes = new Map<string, Node>();
  private readonly gathered = new Map<string, TensorRef>();

  /** @throws model-unsupported where a layer has weights but no gradient for them */
  constructor(
    private readonly builder: PlanBuilder,
    network: Network,
  ) {
    this.clock = builder.persistent('clock', [4], 'u32');
    this.parameters = network.nodes.flatMap((node) => {
      const op = opOf(node);
      const roles = Object.keys(node.weights);
      if (roles.length > 0 && !op.learn) {
        throw new UnitscopeError('model-unsupported', `the weights of layer '${node.name}' (${node.op}) cannot be trained`, { layer: node.name, op: node.op });
      }
      if (roles.length > 0) this.probes.set(node.name, numbered(node));
      return roles.map((role): Parameter => {
        const { shape } = node.weights[role]!;
        const name = `${node.name}/${role}`;
        const w = builder.persistent(name, shape);
        return { name, layer: node.name, role, shape, w, g: op.state?.includes(role) ? undefined : builder.persistent(`d ${name}`, shape) };
      });
    });
  }

  /** The node with numbers for weights: what its op records is packed from these. */
  node(node: Node): Node {
    return this.probes.get(node.name) ?? node;
  }

  learning(node: Node): Learning {
    const { used } = this;
    const weights: Record<string, TensorRef> = {};
    for (const { name, role, w } of this.of(node)) {
      Object.defineProperty(weights, role, {
        enumerable: true,
        get: () => {
          used.add(name);
          return w;
        },
      });
    }
    return { clock: this.clock, weights };
  }

  /** Whether the layer has weights that learn. */
  teaches(node: Node): boolean {
    return this.of(node).some(({ g }) => g !== undefined);
  }

  /** Where the gradients of the layer's weights go. */
  targets(node: Node): Record<string, TensorRef> {
    return Object.fromEntries(this.of(node).flatMap(({ role, g }) => (g ? [[role, g]] : [])));
  }

  /** The recorder of a layer, whose packed weights are packed at every run. */
  recorder(pass: string, node: Node): Recorder {
    const recorder = this.builder.recorder(pass, node.name, opOf(node).name);
    const probe = this.probes.get(node.name);
    if (!probe) return recorder;
    return { ...recorder, constant: (label, shape, make) => this.packed(recorder, pass, node, label, shape, make) ?? recorder.constant(label, shape, make) };
  }

  /** @throws model-unsupported where a weight is read by nobody: its gradient would mean nothing */
  check(): void {
    const idle = this.parameters.find(({ name, g }) => g && !this.used.has(name));
    if (idle) throw new UnitscopeError('model-unsupported', `the weight '${idle.role}' of layer '${idle.layer}' is packed in a way that cannot be trained`, { layer: idle.layer });
  }

  private of(node: Node): readonly Parameter[] {
    return this.parameters.filter(({ layer }) => layer === node.name);
  }

  /** Records the packing of what `make` makes of the layer's weights; undefined where it makes nothing of them. */
  private packed(recorder: Recorder, pass: string, node: Node, label: string, shape: Shape, make: () => Content): TensorRef | undefined {
    const key = `${pass} ${node.name}/${label}`;
    const known = this.gathered.get(key);
    if (known) return known;
    const probe = this.probes.get(node.name)!;
    const [first, second] = [1, -1].map((sign) => {
      number(probe, sign);
      return whole(make());
    }) as [Float32Array | Uint32Array, Float32Array | Uint32Array];
    number(probe, 1);
    if (first.every((value, i) => value === second[i])) return undefined; // sizes and the like
    const { role, at } = this.source(node, first, second);
    const parameter = this.of(node).find((one) => one.role === role)!;
    this.used.add(parameter.name);
    const count = elements(shape);
    const packed = recorder.scratch(`${node.name}/${label}`, shape);
    recorder.dispatch({
      kernel: 'gather',
      part: `pack ${label}`,
      code: gather({ count }),
      tensors: { w: parameter.w, at: recorder.constant(`${pass} ${label}`, shape, () => at), y: packed },
      grid: gatherGrid(count),
      flops: 0,
    });
    this.gathered.set(key, packed);
    return packed;
  }

  /** Which weight the numbers come from, and from which place each. */
  private source(node: Node, first: ArrayLike<number>, second: ArrayLike<number>): { role: string; at: Uint32Array } {
    const probe = this.probes.get(node.name)!;
    const start = new Map<string, number>();
    let next = 1;
    for (const [role, { data }] of Object.entries(probe.weights)) {
      start.set(role, next);
      next += data.length;
    }
    const code = Array.prototype.find.call(first, (value: number) => value !== 0) as number;
    const role = [...start].findLast(([, from]) => from <= code)?.[0] ?? '';
    const from = start.get(role)!;
    const size = probe.weights[role]?.data.length ?? 0;
    const at = Uint32Array.from(first, (value) => (value === 0 ? 0 : value - from + 1));
    const moved = at.every((place, i) => place <= size && second[i] === -first[i]! && (place === 0 ? first[i] === 0 : first[i] === place + from - 1));
    if (!moved) throw new UnitscopeError('model-unsupported', `the weights of layer '${node.name}' are not only moved when they are packed: they cannot be trained`, { layer: node.name, op: node.op });
    return { role, at };
  }
}

/** A copy of the node whose weights are filled with their numbers. */
function numbered(node: Node): Node {
  const total = Object.values(node.weights).reduce((sum, { shape }) => sum + elements(shape), 0);
  if (total > MOST) throw new UnitscopeError('limit', `layer '${node.name}' has ${total} weights, more than the ${MOST} that can be trained`, { layer: node.name });
  const weights: Record<string, Tensor> = Object.fromEntries(
    Object.entries(node.weights).map(([role, { shape }]) => [role, { shape, data: new Float32Array(elements(shape)) }]),
  );
  const copy = { ...node, weights };
  number(copy, 1);
  return copy;
}

/** Fills the weights in place with 1, 2, 3, ... through all of them, or with the same below zero. */
function number({ weights }: Node, sign: number): void {
  let next = 1;
  for (const { data } of Object.values(weights)) for (let i = 0; i < data.length; i++) data[i] = sign * next++;
}

/** A copy: what is packed may be the weights themselves. */
function whole(content: Content): Float32Array | Uint32Array {
  if (ArrayBuffer.isView(content)) return content.slice();
  const parts = [...content];
  const joined = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
