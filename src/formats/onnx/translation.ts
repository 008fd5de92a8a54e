/** One ONNX node on its way to our vocabulary: its operands with their shapes, and where the result goes. */
import { UnitscopeError } from '../../errors.ts';
import type { Attributes, Node, Shape, Tensor } from '../../network/network.ts';
import { quote } from '../../network/spelling.ts';
import { elementCount } from '../../network/validate.ts';
import { OnnxAttributes } from './attributes.ts';
import type { OnnxNode } from './model.ts';
import type { OnnxTensor } from './tensor.ts';

/** Most axes that a tensor may have. */
const RANK_LIMIT = 4;

/** What is known of a tensor while the graph is walked. */
export interface Value {
  readonly shape: Shape;
  /** Its content, when it does not depend on the network's input. */
  readonly constant?: OnnxTensor;
  /** True while axis 0 is the batch of the network's input. */
  readonly batched: boolean;
  /** True behind an unsupported layer: the shape is only a guess, so contradictions mean nothing. */
  readonly guessed: boolean;
}

/** What all nodes of a graph share. */
export interface Scope {
  readonly file: string;
  readonly opset: number;
  readonly values: Map<string, Value>;
  /** Tensors that a node or the graph's outputs read. */
  readonly used: ReadonlySet<string>;
  readonly nodes: Node[];
  readonly notes: string[];
  /** Reads the bytes of a tensor in an attribute. */
  readonly readTensor: (bytes: Uint8Array) => OnnxTensor;
}

export interface RuntimeOperand {
  readonly name: string;
  readonly shape: Shape;
  readonly batched: boolean;
}

export interface Emission {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly attributes?: Attributes;
  readonly weights?: Readonly<Record<string, Tensor | undefined>>;
  /** Output shape. */
  readonly shape: Shape;
  /** Whether axis 0 of the output is the batch; as for the first input when left out. */
  readonly batched?: boolean;
  /** Set for all but the last of several layers that one ONNX node becomes. */
  readonly part?: string;
}

export class NodeTranslation {
  readonly node: OnnxNode;
  /** Name of the layer that the node becomes. */
  readonly name: string;
  readonly attributes: OnnxAttributes;
  readonly opset: number;
  /** True when the shape of an operand is only a guess. */
  readonly guessed: boolean;
  private readonly scope: Scope;

  constructor(node: OnnxNode, name: string, scope: Scope) {
    this.node = node;
    this.name = name;
    this.scope = scope;
    this.opset = scope.opset;
    this.guessed = node.inputs.some((input) => scope.values.get(input)?.guessed);
    this.attributes = new OnnxAttributes(node.attributes, (attribute, reason) =>
      this.error('model-invalid', `attribute ${quote(attribute)} ${reason}`, attribute),
    );
  }

  get output(): string {
    return this.node.outputs[0] ?? '';
  }

  private error(code: 'model-invalid' | 'model-unsupported', message: string, attribute?: string): UnitscopeError {
    const address = { file: this.scope.file, layer: this.name, op: this.node.op };
    const title = `layer ${quote(this.name)} (${quote(this.node.op)}): ${message}`;
    return new UnitscopeError(code, title, attribute === undefined ? address : { ...address, attribute });
  }

  /** An error: well-formed, but not supported. */
  refuse(reason: string, attribute?: string): UnitscopeError {
    return this.error('model-unsupported', reason, attribute);
  }

  /** As `refuse`, for reasons that follow from an operand's shape. */
  refuseShape(reason: string): UnitscopeError {
    return this.guessed ? this.invalid(reason) : this.refuse(reason);
  }

  /** An error: the model contradicts itself. */
  invalid(message: string): UnitscopeError {
    return this.error('model-invalid', message);
  }

  note(text: string): void {
    this.scope.notes.push(text);
  }

  /** Number of operands, optional ones that are left out at the end not counted. */
  get operandCount(): number {
    return this.node.inputs.reduce((count, name, index) => (name === '' ? count : index + 1), 0);
  }

  operand(index: number): Value | undefined {
    const name = this.node.inputs[index];
    return name === undefined || name === '' ? undefined : this.scope.values.get(name);
  }

  /** An operand that depends on the network's input. */
  runtime(index: number): RuntimeOperand {
    const value = this.operand(index);
    const name = this.node.inputs[index] ?? '';
    if (!value) throw this.invalid(`operand ${index + 1} is missing`);
    if (value.constant) throw this.refuse(`operand ${index + 1} (${quote(name)}) is a constant`);
    return { name, shape: value.shape, batched: value.batched };
  }

  /** A constant operand; undefined when it is left out. `what` names it in errors. */
  optionalConstant(index: number, what: string): OnnxTensor | undefined {
    const value = this.operand(index);
    if (!value) return undefined;
    if (!value.constant) {
      const name = quote(this.node.inputs[index]!);
      if (value.guessed) throw this.invalid(`${what} (${name}) is not known`);
      throw this.refuse(`${what} (${name}) must be a constant, but the network computes it`);
    }
    return value.constant;
  }

  constant(index: number, what: string): OnnxTensor {
    const constant = this.optionalConstant(index, what);
    if (!constant) throw this.invalid(`${what} is missing`);
    return constant;
  }

  /** A constant operand as whole numbers; undefined when it is left out. */
  integers(index: number, what: string): number[] | undefined {
    const constant = this.optionalConstant(index, what);
    if (!constant) return undefined;
    if (constant.data instanceof Float32Array) throw this.invalid(`${what} holds ${constant.type} instead of whole numbers`);
    return Array.from(constant.data);
  }

  /** A constant operand as float32 weight of a given shape. */
  weight(index: number, what: string, shape?: Shape): Tensor {
    const { data, type, shape: found } = this.constant(index, what);
    if (!(data instanceof Float32Array)) throw this.invalid(`${what} holds ${type} instead of real numbers`);
    if (shape && (found.length !== shape.length || found.some((size, axis) => size !== shape[axis]))) {
      throw this.invalid(`${what} has the shape [${found}], [${shape}] is needed`);
    }
    return { shape: found, data };
  }

  /** True when a node or the graph reads output `index`. */
  isUsed(index: number): boolean {
    const name = this.node.outputs[index];
    return name !== undefined && name !== '' && this.scope.used.has(name);
  }

  /** The result must have a rank and a size that can be worked with. */
  private checkShape(shape: Shape): void {
    if (shape.length > RANK_LIMIT) {
      throw this.refuseShape(`the result has ${shape.length} axes; at most ${RANK_LIMIT} are supported`);
    }
    if (shape.some((size) => size <= 0)) throw this.invalid(`the result [${shape}] is empty: the input is too small`);
    if (elementCount(shape) > 2 ** 32) throw this.invalid(`the result [${shape}] is too large`);
  }

  /** Adds a layer; returns the name of the tensor that it makes. */
  emit(emission: Emission): string {
    const { op, inputs, attributes = {}, weights = {}, shape, part } = emission;
    this.checkShape(shape);
    const suffix = part === undefined ? '' : `/${part}`;
    const output = this.output + suffix;
    const kept = Object.entries(weights).filter((entry): entry is [string, Tensor] => entry[1] !== undefined);
    this.scope.nodes.push({ name: this.name + suffix, output, op, inputs, attributes, weights: Object.fromEntries(kept) });
    const batched = emission.batched ?? this.scope.values.get(inputs[0] ?? '')?.batched ?? false;
    this.scope.values.set(output, { shape, batched, guessed: this.guessed });
    return output;
  }

  /** The node's result is known now; no layer is made. */
  fold(constant: OnnxTensor): void {
    const { shape } = constant;
    this.scope.values.set(this.output, { shape, constant, batched: false, guessed: this.guessed });
  }

  readTensor(bytes: Uint8Array): OnnxTensor {
    return this.scope.readTensor(bytes);
  }
}

/** How one ONNX op becomes layers (`emit`) or a constant (`fold`). */
export type Mapping = (t: NodeTranslation) => void;
