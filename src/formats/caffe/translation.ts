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
  /** The tensor that a blob's name means at this point of the file: layers may write over what they read. */
  readonly current: Map<string, string>;
  /** Names that are given: of layers and of tensors. */
  readonly names: Set<string>;
  readonly tensors: Set<string>;
  readonly nodes: Node[];
}

interface Emission {
  readonly op: string;
  /** All bottoms where left out. */
  readonly inputs?: readonly string[];
  readonly attributes?: Attributes;
  readonly weights?: Readonly<Record<string, Tensor | undefined>>;
  /** Set for all but the last of several layers that one becomes: what this one does. */
  readonly part?: string;
}

export class LayerTranslation {
  /** Names of the tensors that the layer reads. */
  readonly inputs: readonly string[];
  private readonly params: Fields[] = [];

  constructor(
    readonly layer: CaffeLayer,
    readonly name: string,
    private readonly scope: Scope,
  ) {
    this.inputs = layer.bottoms.map((bottom) => {
      const tensor = scope.current.get(bottom);
      if (tensor === undefined) throw this.invalid(`reads ${quote(bottom)}, which nothing makes before it`);
      return tensor;
    });
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

  /**
   * A blob of the layer in the shape that it is used in; files of old keep [1, 1, M, K] for a matrix.
   * @param shape one size may be -1: whatever is left
   */
  blob(index: number, what: string, shape: Shape): Tensor {
    const blobs = this.scope.blobs.get(this.layer.name);
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

  /** Adds a layer; returns the name of the tensor that it makes. */
  emit({ op, inputs = this.inputs, attributes = {}, weights = {}, part }: Emission): string {
    const kept = Object.entries(weights).filter((entry): entry is [string, Tensor] => entry[1] !== undefined);
    const top = this.layer.tops[0] ?? this.layer.name;
    const name = part === undefined ? this.name : unused(`${this.name}/${part}`, this.scope.names);
    const output = part === undefined && !this.scope.tensors.has(top) ? top : unused(name, this.scope.tensors);
    this.scope.tensors.add(output);
    this.scope.names.add(name);
    this.scope.nodes.push({ name, output, op, inputs, attributes, weights: Object.fromEntries(kept) });
    if (part === undefined) this.scope.current.set(top, output);
    return output;
  }

  /** All tops are the layer's only input: no layer is made. */
  alias(): void {
    for (const top of this.layer.tops) this.scope.current.set(top, this.inputs[0]!);
  }
}

/** Per set of names and wanted name the next number to try, so that very many equal names stay quick. */
const numbers = new WeakMap<ReadonlySet<string>, Map<string, number>>();

/** The name, or the name with a number behind. */
export function unused(wanted: string, taken: ReadonlySet<string>): string {
  const next = numbers.get(taken) ?? new Map<string, number>();
  numbers.set(taken, next);
  let name = wanted;
  for (let count = next.get(wanted) ?? 2; taken.has(name); count++) {
    name = `${wanted}#${count}`;
    next.set(wanted, count + 1);
  }
  return name;
}

/** How a type of layer becomes layers of ours. */
export type Mapping = (t: LayerTranslation) => void;
