/** One Caffe layer on its way to our vocabulary: its operands, its blobs, its parameters, and where the result goes. */
import { UnitscopeError } from '../../errors.ts';
import type { Attributes, Node, Shape, Tensor } from '../../network/network.ts';
import { quote } from '../../network/spelling.ts';
import { elementCount } from '../../network/validate.ts';
import { Fields } from './fields.ts';
import type { CaffeLayer } from './net.ts';

/** What all layers of a network share. */
export interface Scope {
  /** The prototxt, and the file of the weights. */
  readonly file: string;
  readonly weightsFile: string;
  readonly blobs: ReadonlyMap<string, readonly Tensor[]>;
  /** Images at once by the file; here one runs at a time. */
  readonly statedBatch: number;
  /** The tensor that a blob's name means at this point of the file: layers may write over what they read. */
  readonly current: Map<string, string>;
  /** Of layers, and of tensors. */
  readonly names: Names;
  readonly tensors: Names;
  /** Every tensor with its shape; axis 0 is the batch. */
  readonly shapes: Map<string, Shape>;
  /** Tensors behind an unsupported layer: their shape is a guess, so contradictions mean nothing. */
  readonly guessed: Set<string>;
  /** Tensors that a layer reads, be it for their shape alone. */
  readonly read: Set<string>;
  readonly nodes: Node[];
}

interface Emission {
  readonly op: string;
  /** All bottoms where left out. */
  readonly inputs?: readonly string[];
  readonly attributes?: Attributes;
  readonly weights?: Readonly<Record<string, Tensor | undefined>>;
  /** That of the first input where left out. */
  readonly shape?: Shape;
  /** Set for all but the last of several layers that one becomes: what this one does. */
  readonly part?: string;
  /** Which top it makes, where a layer has several. */
  readonly top?: number;
}

/** Largest tensor that is believed, in elements. */
const SIZE_LIMIT = 2 ** 32;

export class LayerTranslation {
  /** Names of the tensors that the layer reads, and their shapes. */
  readonly inputs: readonly string[];
  readonly shapes: readonly Shape[];
  /** True where one of those shapes is a guess. */
  readonly guessed: boolean;
  private readonly params: Fields[] = [];
  private blobsUsed = 0;

  constructor(
    readonly layer: CaffeLayer,
    readonly name: string,
    private readonly scope: Scope,
  ) {
    this.inputs = layer.bottoms.map((bottom) => {
      const tensor = scope.current.get(bottom);
      if (tensor === undefined) throw this.invalid(`reads ${quote(bottom)}, which nothing makes before it`);
      scope.read.add(tensor);
      return tensor;
    });
    this.shapes = this.inputs.map((tensor) => scope.shapes.get(tensor)!);
    this.guessed = this.inputs.some((tensor) => scope.guessed.has(tensor));
  }

  private error(code: 'model-invalid' | 'model-unsupported', message: string): UnitscopeError {
    const { type, fields } = this.layer;
    const title = `layer ${quote(this.name)} (${quote(type)}, line ${fields.message.line}): ${message}`;
    return new UnitscopeError(code, title, { file: this.scope.file, layer: this.name, op: type });
  }

  /** An error: well-formed, but not supported. */
  refuse(reason: string): UnitscopeError {
    return this.error('model-unsupported', reason);
  }

  /** An error: the files contradict themselves, or each other. */
  invalid(message: string): UnitscopeError {
    return this.error('model-invalid', message);
  }

  /** The layer's own message of parameters, e.g. `pooling_param`; empty where the file has none. */
  param(name: string): Fields {
    const { fields } = this.layer;
    const param = fields.messages(name).at(-1) ?? new Fields({ ...fields.message, fields: [] }, this.scope.file, name);
    this.params.push(param);
    return param;
  }

  /** Fields that no mapping has read. */
  unread(): string[] {
    return [...this.params.flatMap((param) => param.unread().map((name) => `${param.what}.${name}`)), ...this.layer.fields.unread()];
  }

  takes(bottoms: number): void {
    const found = this.layer.bottoms.length;
    if (found !== bottoms) throw this.invalid(`has ${found} bottoms instead of ${bottoms}`);
  }

  /** The shape of the only bottom, or of the first. */
  get shape(): Shape {
    return this.shapes[0]!;
  }

  get statedBatch(): number {
    return this.scope.statedBatch;
  }

  /** An axis of the first bottom counted from the front; the file may count from the end. `rank` itself counts where `behind`. */
  axis(value: number, behind = false): number {
    const rank = this.shape.length + Number(behind);
    const axis = value < 0 ? value + rank : value;
    if (axis < 0 || axis >= rank) throw this.invalid(`axis ${value} of a bottom [${this.shape}]`);
    return axis;
  }

  /** As `axis`; the batch is left alone. @param what is done along it, e.g. `joining` */
  axisBehindBatch(value: number, what: string): number {
    const axis = this.axis(value);
    if (axis === 0) throw this.refuse(`${what} along the batch (axis 0) is not supported`);
    return axis;
  }

  /**
   * A blob of the layer in the shape that it is used in; files of old keep [1, 1, M, K] for a matrix.
   * @param shape one size may be -1: whatever is left
   */
  blob(index: number, what: string, shape: Shape): Tensor {
    const blobs = this.scope.blobs.get(this.layer.name);
    this.blobsUsed = Math.max(this.blobsUsed, index + 1);
    if (!blobs) throw this.invalid(`${this.scope.weightsFile} has no weights of it`);
    const blob = blobs[index];
    if (!blob) throw this.invalid(`${what} is missing: ${this.scope.weightsFile} has ${blobs.length} blobs of it`);
    const known = elementCount(shape.filter((size) => size !== -1));
    const sizes = shape.map((size) => (size === -1 ? blob.data.length / known : size));
    if (elementCount(sizes) !== blob.data.length || !sizes.every(Number.isInteger)) {
      throw this.invalid(`${what} is [${blob.shape}] in ${this.scope.weightsFile}; the prototxt makes it [${shape.map((size) => (size === -1 ? '?' : size))}]`);
    }
    return { shape: sizes, data: blob.data };
  }

  /** Blobs that the file has and the layer has no use for: it was made of another prototxt. */
  checkBlobs(): void {
    const count = this.scope.blobs.get(this.layer.name)?.length ?? 0;
    if (count > this.blobsUsed) throw this.invalid(`${this.scope.weightsFile} has ${count} blobs of it; by the prototxt it has ${this.blobsUsed}`);
  }

  /** Adds a layer; returns the name of the tensor that it makes. */
  emit({ op, inputs = this.inputs, attributes = {}, weights = {}, shape, part, top: index }: Emission): string {
    const { scope } = this;
    const sizes = shape ?? scope.shapes.get(inputs[0]!)!;
    if (!sizes.every((size) => size > 0)) throw this.invalid(`makes [${sizes}] of ${this.shapes.map((one) => `[${one}]`).join(' and ')}: nothing is left`);
    if (elementCount(sizes) > SIZE_LIMIT) throw this.invalid(`makes [${sizes}], which is too large`);
    const kept = Object.entries(weights).filter((entry): entry is [string, Tensor] => entry[1] !== undefined);
    const top = this.layer.tops[index ?? 0] ?? this.layer.name;
    const made = part ?? (index === undefined ? undefined : top);
    const name = made === undefined ? this.name : scope.names.give(`${this.name}/${made}`);
    const output = scope.tensors.give(part === undefined && scope.tensors.isFree(top) ? top : name);
    scope.shapes.set(output, sizes);
    if (this.guessed) scope.guessed.add(output);
    scope.nodes.push({ name, output, op, inputs, attributes, weights: Object.fromEntries(kept) });
    if (part === undefined) scope.current.set(top, output);
    return output;
  }

  /** Layers one after the other, each on the result of the one before; none is the identity. */
  chain(steps: readonly Emission[], from = this.inputs[0]!): string {
    if (steps.length === 0) return this.emit({ op: 'identity', inputs: [from] });
    return steps.reduce((x, step, index) => {
      const last = index === steps.length - 1;
      return this.emit({ inputs: [x], ...step, ...(!last && { part: step.part ?? step.op }) });
    }, from);
  }

  /** All tops are the layer's only input: no layer is made. */
  alias(): void {
    for (const top of this.layer.tops) this.scope.current.set(top, this.inputs[0]!);
  }

  /** What was not made counts as made, so that the walk finds more reasons. */
  guess(): void {
    for (const top of this.layer.tops) {
      this.scope.current.set(top, top);
      this.scope.shapes.set(top, this.shapes[0] ?? [1]);
      this.scope.guessed.add(top);
    }
  }
}

/** Gives names: the one that is wanted, or that with a number behind. */
export class Names {
  private readonly given = new Set<string>();
  /** The last number tried, so that many equal names stay quick. */
  private readonly tried = new Map<string, number>();

  constructor(taken: Iterable<string> = []) {
    for (const name of taken) this.given.add(name);
  }

  isFree(name: string): boolean {
    return !this.given.has(name);
  }

  give(wanted: string): string {
    let name = wanted;
    for (let count = this.tried.get(wanted) ?? 2; this.given.has(name); count++) {
      name = `${wanted}#${count}`;
      this.tried.set(wanted, count + 1);
    }
    this.given.add(name);
    return name;
  }
}

/** How a type of layer becomes layers of ours. */
export type Mapping = (t: LayerTranslation) => void;
