/** One ONNX node on its way to our vocabulary: its operands with their shapes, and where the result goes. */
import { UnitscopeError } from '../../errors.ts';
import type { Attributes, Shape, Tensor } from '../../network/network.ts';
import { quote } from '../../network/spelling.ts';
import { elementCount } from '../../network/validate.ts';
import { OnnxAttributes } from './attributes.ts';
import type { OnnxNode } from './model.ts';
import { sameTensor, type OnnxTensor } from './tensor.ts';
import { constantValue, takeName, type RuntimeOperand, type Scope, type Value } from './value.ts';

/** Most axes of a tensor, and of one that only elementwise layers, views and transposes read and make. */
const RANK_LIMIT = 4;
const VIEW_RANK_LIMIT = 6;
const CONSTANT_RANK_LIMIT = 64;
const ANY_RANK = new Set(
  (
    'reshape flatten identity transpose relu clip sigmoid hard_sigmoid hard_swish swish tanh elu selu leaky_relu gelu erf exp log sqrt abs ' +
    'power softplus softsign'
  ).split(' '),
);

/** Ops whose weights or attributes fix the sizes of all axes but the first. */
const FIXED = new Set(['conv2d', 'conv_transpose2d', 'dense', 'batch_norm', 'layer_norm', 'resize']);

export interface Emission {
  readonly op: string;
  readonly inputs: readonly RuntimeOperand[];
  readonly attributes?: Attributes;
  readonly weights?: Readonly<Record<string, Tensor | undefined>>;
  /** Output shape. */
  readonly shape: Shape;
  /** Output shape at the larger batch; when left out, the axes that keep their size grow as those of the first input. */
  readonly grown?: Shape;
  /** Set for all but the last of several layers that one ONNX node becomes. */
  readonly part?: string | undefined;
  /** Which of the node's outputs this is. */
  readonly result?: number;
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
  /** True while constants are read as they are at the larger batch. */
  private isGrown = false;

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

  /** True when the file leaves the batch open, so that a 1 there is ours. */
  get openBatch(): boolean {
    return this.scope.openBatch;
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
    this.scope.notes.push(`'${this.name}': ${text}`);
  }

  /** Says that something of this layer is right for the batch of the file alone. */
  noteBatch(what: string): void {
    this.note(`${what} holds for the batch of the file only`);
  }

  /** Number of operands, optional ones that are left out at the end not counted. */
  get operandCount(): number {
    return this.node.inputs.reduce((count, name, index) => (name === '' ? count : index + 1), 0);
  }

  operand(index: number): Value | undefined {
    const name = this.node.inputs[index];
    return name === undefined || name === '' ? undefined : this.scope.values.get(name);
  }

  /** The operands that are there. */
  get operands(): Value[] {
    return this.node.inputs.flatMap((_, index) => this.operand(index) ?? []);
  }

  /** An operand that depends on what the network is fed. */
  runtime(index: number): RuntimeOperand {
    const value = this.operand(index);
    const name = this.node.inputs[index] ?? '';
    if (!value) throw this.invalid(`operand ${index + 1} is missing`);
    if (value.constant) throw this.refuse(`operand ${index + 1} (${quote(name)}) is a constant`);
    return { name, shape: value.shape, grown: value.grown };
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
    return this.isGrown ? value.grownConstant : value.constant;
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
    const value = this.operand(index)!;
    if (value.grownConstant !== value.constant) this.noteBatch(what);
    return { shape: found, data };
  }

  /** A constant operand with a single real number; undefined when it is left out. */
  scalar(index: number, what: string): number | undefined {
    if (!this.operand(index)) return undefined;
    const { data, shape } = this.weight(index, what);
    if (data.length !== 1) throw this.invalid(`${what} has the shape [${shape}]`);
    return data[0]!;
  }

  /** True when a node or the graph reads output `index`. */
  isUsed(index: number): boolean {
    const name = this.node.outputs[index];
    return name !== undefined && name !== '' && this.scope.used.has(name);
  }

  /** What `work` finds for the batch of the file, and for the larger one; undefined where the file makes no sense there. */
  forBothBatches<T>(work: () => T): [stated: T, grown: T | undefined] {
    const stated = work();
    if (this.operands.every(({ shape, grown, constant, grownConstant }) => grown === shape && grownConstant === constant)) return [stated, stated];
    this.isGrown = true;
    try {
      return [stated, work()];
    } catch (error) {
      if (!(error instanceof UnitscopeError)) throw error;
      return [stated, undefined];
    } finally {
      this.isGrown = false;
    }
  }

  /** The shape of an operand at the batch that is being worked out. */
  shapeOf(index: number): Shape {
    const value = this.operand(index);
    if (!value) throw this.invalid(`operand ${index + 1} is missing`);
    return this.isGrown ? value.grown : value.shape;
  }

  /** The result must have a rank and a size that can be worked with. */
  private checkShapes(op: string, inputs: readonly RuntimeOperand[], shape: Shape): void {
    const limit = ANY_RANK.has(op) ? VIEW_RANK_LIMIT : RANK_LIMIT;
    for (const { length } of [...inputs.map((input) => input.shape), shape]) {
      if (length > limit) throw this.refuseShape(`works on ${length} axes; at most ${limit} are supported`);
    }
    if (shape.some((size) => size <= 0)) throw this.invalid(`the result [${shape}] is empty: the input is too small`);
    if (elementCount(shape) > 2 ** 32) throw this.invalid(`the result [${shape}] is too large`);
  }

  /** Adds a layer; returns the tensor that it makes. */
  emit(emission: Emission): RuntimeOperand {
    const { op, inputs, attributes = {}, weights = {}, shape, part, result = 0 } = emission;
    this.checkShapes(op, inputs, shape);
    const made = this.node.outputs[result] ?? '';
    const output = part === undefined ? made : takeName(`${made}/${part}`, this.scope.tensorNames);
    const label = part ?? (result > 0 ? String(result + 1) : undefined);
    const name = label === undefined ? this.name : takeName(`${this.name}/${label}`, this.scope.layerNames);
    const kept = Object.entries(weights).filter((entry): entry is [string, Tensor] => entry[1] !== undefined);
    this.scope.nodes.push({ name, output, op, inputs: inputs.map((input) => input.name), attributes, weights: Object.fromEntries(kept) });
    const [x] = inputs;
    if (x && FIXED.has(op) && x.grown.some((size, axis) => axis > 0 && size !== x.shape[axis])) this.noteBatch('what it expects of its input');
    const grown = emission.grown ?? grownAs(shape, x);
    this.scope.values.set(output, { shape, grown, guessed: this.guessed });
    return { name: output, shape, grown };
  }

  /** The node's result is known now; no layer is made. */
  fold(constant: OnnxTensor, grown: OnnxTensor = constant): void {
    const same = grown === constant || sameTensor(grown, constant);
    this.scope.values.set(this.output, constantValue(constant, same ? constant : grown, this.guessed));
  }

  /** Outputs that were not made get the shape of the first computed operand, so that the walk can find more reasons. */
  guess(): void {
    const shape = this.operands.find((value) => !value.constant)?.shape ?? [1];
    for (const output of this.node.outputs) {
      if (output !== '' && !this.scope.values.has(output)) this.scope.values.set(output, { shape, grown: shape, guessed: true });
    }
  }

  /** Takes room for a constant that a few bytes of the file ask for; `kind` is what is done for it. */
  claim(shape: Shape, kind: keyof Scope['budget'] = 'computed'): number {
    const count = elementCount(shape);
    const { budget } = this.scope;
    if (shape.length > CONSTANT_RANK_LIMIT) throw this.refuse(`a constant of ${shape.length} axes is not supported`);
    if (shape.some((size) => size < 0)) throw this.invalid(`the shape [${shape}] is wrong`);
    if (!(count <= budget[kind])) throw this.refuse(`a constant of shape [${shape}] is too large`);
    budget[kind] -= count;
    return count;
  }

  readTensor(bytes: Uint8Array): OnnxTensor {
    return this.scope.readTensor(bytes);
  }
}

/** The shape at the larger batch: axes that keep their size grow as those of the input. */
function grownAs(shape: Shape, input: RuntimeOperand | undefined): Shape {
  if (!input || input.grown === input.shape) return shape;
  const grown = shape.map((size, axis) => (input.shape[axis] === size ? input.grown[axis]! : size));
  return grown.some((size, axis) => size !== shape[axis]) ? grown : shape;
}

/** How one ONNX op becomes layers (`emit`) or a constant (`fold`). */
export type Mapping = (t: NodeTranslation) => void;

/** What one ONNX op makes of constants alone. */
export type Evaluator = (t: NodeTranslation) => OnnxTensor;
