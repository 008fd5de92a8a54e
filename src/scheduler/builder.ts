/** Records steps over symbolic tensors and turns them into a plan. */
import { MAX_GROUPS } from '../../shaders/prelude.wgsl.ts';
import { UnitscopeError } from '../errors.ts';
import { bindingsOf } from '../gpu/bindings.ts';
import type { Shape } from '../network/network.ts';
import type { Capabilities, Dispatch, Recorder, TensorRef } from '../ops/op.ts';
import { assignBuffers, type Life } from './memory.ts';
import type { Plan, PlannedConstant, Step } from './plan.ts';

export const bytesOf = (tensor: Pick<TensorRef, 'shape'>): number =>
  // A binding may not be empty, and vec4 views need whole quads.
  Math.max(16, Math.ceil(tensor.shape.reduce((product, size) => product * size, 1) / 4) * 16);

export class PlanBuilder {
  private readonly tensors: TensorRef[] = [];
  private readonly pinned = new Set<number>();
  /** A view's tensor id -> the tensor whose memory it shares. */
  private readonly aliasOf = new Map<number, number>();
  private readonly constants = new Map<string, PlannedConstant & { ref: TensorRef }>();
  private readonly steps: Step[] = [];
  private readonly passNames: string[] = [];
  private readonly named = new Map<string, number>();

  constructor(
    readonly network: string,
    readonly batch: number,
    readonly capabilities: Capabilities,
  ) {}

  tensor(label: string, shape: Shape, type: 'f32' | 'u32' = 'f32'): TensorRef {
    const ref = { id: this.tensors.length, label, shape, type };
    this.tensors.push(ref);
    return ref;
  }

  /** A tensor that keeps its content between passes and runs and can be read and written by name. */
  persistent(name: string, shape: Shape, type: 'f32' | 'u32' = 'f32'): TensorRef {
    const ref = this.tensor(name, shape, type);
    this.keep(name, ref);
    return ref;
  }

  keep(name: string, ref: TensorRef): void {
    this.pinned.add(this.root(ref.id));
    this.named.set(name, ref.id);
  }

  /** A tensor of another shape over the memory of `of`. */
  view(label: string, of: TensorRef, shape: Shape): TensorRef {
    const ref = this.tensor(label, shape, of.type);
    this.aliasOf.set(ref.id, this.root(of.id));
    return ref;
  }

  /** Recorder for the steps of one layer in one pass; labels read `layer/op.pass`. */
  recorder(pass: string, layer: string, op: string): Recorder {
    if (!this.passNames.includes(pass)) this.passNames.push(pass);
    return {
      capabilities: this.capabilities,
      scratch: (label, shape, type) => this.tensor(label, shape, type),
      constant: (label, shape, make) => this.constant(`${layer}/${label}`, shape, make),
      dispatch: (dispatch) => this.record(pass, `${layer}/${op}.${pass}`, dispatch),
    };
  }

  constant(label: string, shape: Shape, make: () => Float32Array | Uint32Array): TensorRef {
    const known = this.constants.get(label);
    if (known) return known.ref;
    const ref = this.tensor(label, shape);
    this.pinned.add(ref.id);
    this.constants.set(label, { ref, tensor: ref.id, make });
    return ref;
  }

  private root(id: number): number {
    return this.aliasOf.get(id) ?? id;
  }

  private record(pass: string, label: string, dispatch: Dispatch): void {
    const bindings = bindingsOf(dispatch.code);
    const tensors: Record<string, number> = {};
    let bytes = 0;
    for (const { name } of bindings) {
      const ref = dispatch.tensors[name];
      if (!ref) throw new UnitscopeError('shader', `kernel ${dispatch.kernel} binds '${name}', which the step does not give`, { step: label });
      tensors[name] = ref.id;
      bytes += bytesOf(ref);
    }
    const extra = Object.keys(dispatch.tensors).find((name) => !(name in tensors));
    if (extra) throw new UnitscopeError('shader', `kernel ${dispatch.kernel} does not bind '${extra}'`, { step: label });
    const step = dispatch.part ? `${label}:${dispatch.part}` : label;
    if (Math.max(...dispatch.grid) > MAX_GROUPS) {
      const message = `step '${step}' needs ${dispatch.grid.join(' x ')} workgroups, WebGPU starts at most ${MAX_GROUPS} along one axis`;
      throw new UnitscopeError('limit', message, { step }, 'use a smaller batch or input');
    }
    const { kernel, code, grid, flops, choice } = dispatch;
    this.steps.push({ label: step, pass, kernel, code, tensors, grid, flops, bytes, ...(choice && { choice }) });
  }

  build(): Plan {
    const lives = new Map<number, { first: number; last: number; bytes: number }>();
    const touch = (id: number, step: number): void => {
      const root = this.root(id);
      const life = lives.get(root);
      const bytes = Math.max(bytesOf(this.tensors[id]!), bytesOf(this.tensors[root]!));
      if (life) Object.assign(life, { last: step, bytes: Math.max(life.bytes, bytes) });
      else lives.set(root, { first: step, last: step, bytes });
    };
    this.steps.forEach((step, index) => Object.values(step.tensors).forEach((id) => touch(id, index)));
    for (const id of this.pinned) touch(id, this.steps.length);
    const list: Life[] = [...lives].map(([id, life]) => ({ id, ...life, pinned: this.pinned.has(id) }));
    const { bufferOf, buffers } = assignBuffers(list);
    return {
      network: this.network,
      batch: this.batch,
      tensors: this.tensors.map((ref) => ({ ...ref, bytes: bytesOf(ref), buffer: bufferOf.get(this.root(ref.id)) ?? -1 })),
      buffers,
      constants: [...this.constants.values()].map(({ tensor, make }) => ({ tensor, make })),
      passes: new Map(this.passNames.map((pass) => [pass, this.steps.filter((step) => step.pass === pass)])),
      named: this.named,
    };
  }
}
