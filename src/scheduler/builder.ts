/** Records steps over symbolic tensors and turns them into a plan. */
import { MAX_GROUPS } from '../../shaders/prelude.wgsl.ts';
import { UnitscopeError } from '../errors.ts';
import { bindingsOf, type Binding } from '../gpu/bindings.ts';
import type { Shape } from '../network/network.ts';
import type { Capabilities, Content, Dispatch, Recorder, TensorRef } from '../ops/op.ts';
import { coalesce, type Place, type Touches } from './coalesce.ts';
import { hoist } from './hoist.ts';
import { assignBuffers, liveBytes, type Life } from './memory.ts';
import type { Plan, PlannedConstant, Step } from './plan.ts';

const elements = ({ shape }: Pick<TensorRef, 'shape'>): number => shape.reduce((product, size) => product * size, 1);

export const bytesOf = (tensor: Pick<TensorRef, 'shape'>): number =>
  // A binding may not be empty, and vec4 views need whole quads.
  Math.max(16, Math.ceil(elements(tensor) / 4) * 16);

export class PlanBuilder {
  private readonly tensors: TensorRef[] = [];
  /** Written from outside: inputs, seeds, constants, what methods keep on the GPU. */
  private readonly external = new Set<number>();
  /** Read from outside. */
  private readonly kept = new Set<number>();
  /** Where every tensor lies; a view lies in the memory of another tensor. */
  private readonly places = new Map<number, Place>();
  private readonly constants = new Map<string, PlannedConstant & { ref: TensorRef }>();
  private readonly steps: Step[] = [];
  private readonly touches: Touches[] = [];
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
    this.places.set(ref.id, { root: ref.id, offset: 0, size: elements(ref) });
    return ref;
  }

  /** A tensor that keeps its content between passes and runs and can be read and written by name. */
  persistent(name: string, shape: Shape, type: 'f32' | 'u32' = 'f32'): TensorRef {
    const ref = this.tensor(name, shape, type);
    this.external.add(ref.id);
    this.keep(name, ref);
    return ref;
  }

  /** From now on the tensor can be read by name. */
  keep(name: string, ref: TensorRef): void {
    this.kept.add(ref.id);
    this.named.set(name, ref.id);
  }

  /** A tensor of another shape over the memory of `of`: as many elements. */
  view(label: string, of: TensorRef, shape: Shape): TensorRef {
    const ref = this.tensor(label, shape, of.type);
    this.places.set(ref.id, this.places.get(of.id)!);
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

  constant(label: string, shape: Shape, make: () => Content): TensorRef {
    const known = this.constants.get(label);
    if (known) return known.ref;
    const ref = this.tensor(label, shape);
    this.external.add(ref.id);
    this.constants.set(label, { ref, tensor: ref.id, make });
    return ref;
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
    const { kernel, code, grid, flops, choice, copy } = dispatch;
    this.steps.push({ label: step, pass, kernel, code, tensors, grid, flops, bytes, ...(choice && { choice }) });
    const bound = (access: Binding['access']): number[] => bindings.filter((one) => one.access === access).map(({ name }) => tensors[name]!);
    this.touches.push({
      pass,
      reads: bound('read'),
      writes: bound('read_write'),
      copy: copy && { from: copy.from.id, to: copy.to.id, at: copy.at, pieces: copy.pieces },
    });
  }

  build(): Plan {
    const { places, gone } = coalesce(this.places, this.touches, { external: this.external, kept: this.kept });
    const left = this.steps.flatMap((_, index) => (gone.has(index) ? [] : index));
    const order = hoist(left.map((index) => this.touches[index]!), places, this.kept).map((index) => left[index]!);
    const lives = this.lives(order.map((index) => this.touches[index]!), places);
    const { spots, buffers } = assignBuffers(lives, this.capabilities.maxBinding);
    const steps = order.map((index) => this.steps[index]!);
    return {
      network: this.network,
      batch: this.batch,
      tensors: this.tensors.map((ref) => {
        const { root, offset } = places.get(ref.id)!;
        const spot = spots.get(root) ?? { buffer: -1, offset: 0 };
        return { ...ref, bytes: bytesOf(ref), buffer: spot.buffer, offset: spot.offset + 4 * offset, root };
      }),
      buffers,
      liveBytes: liveBytes(lives),
      constants: [...this.constants.values()].map(({ tensor, make }) => ({ tensor, make })),
      passes: new Map(this.passNames.map((pass) => [pass, steps.filter((step) => step.pass === pass)])),
      named: this.named,
    };
  }

  /** From when to when every tensor with memory of its own is in use, and what it is bound beside. */
  private lives(steps: readonly Touches[], places: ReadonlyMap<number, Place>): Life[] {
    const root = (id: number): number => places.get(id)!.root;
    const kept = new Set([...this.external, ...this.kept].map(root));
    const constants = new Set([...this.constants.values()].map(({ tensor }) => tensor));
    const lives = new Map<number, Life & { apart: Set<number> }>();
    const touch = (id: number, step: number): Set<number> => {
      const known = lives.get(id);
      const kind = constants.has(id) ? 'constant' : kept.has(id) ? 'kept' : 'scratch';
      const apart = known?.apart ?? new Set();
      lives.set(id, { id, kind, bytes: bytesOf(this.tensors[id]!), first: known?.first ?? step, last: step, apart });
      return apart;
    };
    steps.forEach(({ reads, writes }, step) => {
      const [read, written] = [reads.map(root), writes.map(root)];
      for (const id of read) for (const other of written) touch(id, step).add(other);
      for (const id of written) for (const other of read) touch(id, step).add(other);
      for (const id of [...read, ...written]) touch(id, step);
    });
    for (const id of kept) touch(id, steps.length);
    return [...lives.values()];
  }
}
