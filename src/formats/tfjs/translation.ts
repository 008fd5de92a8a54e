/** One Keras layer on its way to our vocabulary: its operands, its config, its weights, and what it becomes. */
import { UnitscopeError } from '../../errors.ts';
import type { Attributes, Node, Shape, Tensor } from '../../network/network.ts';
import { didYouMean, quote } from '../../network/spelling.ts';
import { elementCount } from '../../network/validate.ts';
import type { Config } from './config.ts';
import type { Call } from './topology.ts';
import { IMAGE, movesNothing, ourShape, permutation, plainOrder, sameOrder, transposed, type Order, type Value } from './value.ts';
import type { Weights } from './weights.ts';

/** What all layers of a network share. */
export interface Scope {
  readonly file: string;
  readonly weights: Weights;
  /** True where TensorFlow.js has made the model, not Keras: some layers of the same name compute other things. */
  readonly madeByTfjs: boolean;
  /** Major version of Keras, 2 where nothing is said. */
  readonly keras: number;
  /** How tensors of four axes are laid out, so that every layer's result is N, C, H, W. */
  readonly imageOrder: Order;
  readonly nodes: Node[];
  readonly names: Set<string>;
  /** Values that were brought into another order, by name and order. */
  readonly arranged: Map<string, Value>;
  /** Constants that were made from weights, so that a layer that is called often keeps one. */
  readonly constants: Map<string, Tensor>;
  /** Weights that are not in the manifest. */
  readonly missing: string[];
}

interface Step {
  readonly op: string;
  /** The layer's input where left out. */
  readonly inputs?: readonly string[];
  readonly attributes?: Attributes;
  readonly weights?: Readonly<Record<string, Tensor | undefined>>;
  /** What this one of several steps is called; its op where left out. */
  readonly part?: string;
}

/** How the numbers of a weight are put in our order. */
interface Use {
  /** As the manifest has it; a size of -1 is whatever the weight has there. */
  readonly shape: Shape;
  /** Shape that the numbers are taken in before they are permuted, and the permutation. */
  readonly split?: Shape;
  readonly order?: Order;
  /** Shape in the end. */
  readonly as?: Shape;
}

export class LayerTranslation {
  readonly config: Config;
  private readonly steps: Node[] = [];
  private weightCount = 0;

  constructor(
    readonly call: Call,
    readonly inputs: readonly Value[],
    readonly scope: Scope,
  ) {
    this.config = call.layer.config;
  }

  get guessed(): boolean {
    return this.inputs.some(({ guessed }) => guessed);
  }

  private error(code: 'model-invalid' | 'model-unsupported', message: string): UnitscopeError {
    const { name, layer } = this.call;
    return new UnitscopeError(code, `layer ${quote(name)} (${quote(layer.type)}): ${message}`, { file: this.scope.file, layer: name, op: layer.type });
  }

  /** An error: well-formed, but not supported. */
  refuse(reason: string): UnitscopeError {
    return this.error('model-unsupported', reason);
  }

  /** An error: the model contradicts itself. */
  invalid(message: string): UnitscopeError {
    return this.error('model-invalid', message);
  }

  /** The only input. */
  input(): Value {
    if (this.inputs.length !== 1) throw this.invalid(`takes one input, got ${this.inputs.length}`);
    return this.inputs[0]!;
  }

  /** The only input, a picture, as N, C, H, W. */
  image(): Value & { readonly channels: number; readonly height: number; readonly width: number; readonly batch: number } {
    const format = this.config.wordOr('data_format', ['channels_last', 'channels_first'], 'channels_last');
    const x = this.input();
    if (x.shape.length !== 4) throw this.invalid(`takes a picture of 4 axes, got [${x.shape}]`);
    const arranged = this.arrange(x, format === 'channels_first' ? plainOrder(4) : IMAGE);
    const [batch, channels, height, width] = ourShape(arranged) as [number, number, number, number];
    return { ...arranged, batch, channels, height, width };
  }

  /** A picture in the layout of `like`, from sizes N, C, H, W of ours. */
  picture(name: string, like: Value, sizes: Shape): Value {
    const shape = like.order.map((_, axis) => sizes[like.order.indexOf(axis)]!);
    if (!shape.every((size) => size > 0)) throw this.invalid(`the result [${shape}] is empty: the input is too small`);
    return { name, shape, order: like.order, guessed: like.guessed };
  }

  /** An axis as Keras counts it, the batch first, from the end where it is negative. */
  axis(stated: number, { shape }: Value): number {
    const axis = stated < 0 ? stated + shape.length : stated;
    if (axis < 1 || axis >= shape.length) throw this.invalid(`axis ${stated} is none of [${shape}] behind the batch`);
    return axis;
  }

  /** The value with its axes in this order; a step is added only where numbers move or the shape changes. */
  arrange(value: Value, order: Order): Value {
    if (value.flattened) return this.arrange(this.settled(value), order);
    if (sameOrder(value.order, order)) return value;
    const key = `${order.join()} ${value.name}`;
    const result = this.scope.arranged.get(key) ?? this.moved(value, order, true);
    this.scope.arranged.set(key, result);
    return result;
  }

  private moved(value: Value, order: Order, kept: boolean): Value {
    const permuted = permutation(value.order, order);
    const arranged = { ...value, order };
    const name = movesNothing(ourShape(value), permuted)
      ? this.emit({ op: 'reshape', inputs: [value.name], attributes: { shape: [0, ...ourShape(arranged).slice(1)] }, part: 'view' }, kept)
      : this.emit({ op: 'transpose', inputs: [value.name], attributes: { order: [...permuted] } }, kept);
    return { ...arranged, name };
  }

  /** The value with the axes that Keras has, in its order. */
  plain(value: Value): Value {
    return this.arrange(value, plainOrder(value.shape.length));
  }

  /** Rows that are a flattened tensor in our order, in the order of Keras. */
  private settled(value: Value): Value {
    const { flattened, ...rows } = value;
    const key = `settled ${value.name}`;
    const known = this.scope.arranged.get(key);
    if (!flattened || known) return known ?? value;
    const name = this.emit({ op: 'reshape', inputs: [value.name], attributes: { shape: [0, ...ourShape(flattened).slice(1)] }, part: 'unflatten' }, true);
    const whole = this.arrange({ name, ...flattened, guessed: value.guessed }, plainOrder(flattened.shape.length));
    const flat = this.emit({ op: 'flatten', inputs: [whole.name], attributes: { axis: 1 }, part: 'flat' }, true);
    const result = { ...rows, name: flat };
    this.scope.arranged.set(key, result);
    return result;
  }

  /**
   * A weight of the layer; ask for them in the order in which Keras makes them. One that is missing is noted, so that
   * all of them can be told at once.
   * @param roles what it may be called, e.g. `kernel`
   */
  weight(roles: readonly string[], { shape, split, order, as }: Use): Tensor {
    const { weights, missing, constants } = this.scope;
    const { path } = this.call.layer;
    const names = weights.find(path, roles, this.weightCount++);
    if (names.length > 1) throw this.invalid(`its ${roles[0]!} may be ${names.map(quote).join(' or ')}`);
    if (names.length === 0) {
      missing.push(`${path.at(-1)!}/${roles[0]!}`);
      throw this.invalid(`has no ${roles[0]!}`);
    }
    const [name] = names as [string];
    const found = weights.get(name);
    if (found.shape.length !== shape.length || shape.some((size, axis) => size !== -1 && size !== found.shape[axis])) throw this.invalid(`its ${roles[0]!} has the shape [${found.shape}], [${shape.map((size) => (size === -1 ? '?' : size))}] is needed`);
    const key = [name, split?.join() ?? '', order?.join() ?? '', as?.join() ?? ''].join(' ');
    const known = constants.get(key);
    if (known) return known;
    const whole = { shape: split ?? found.shape, data: found.data };
    const turned = order ? transposed(whole, order) : whole;
    const made = as ? { shape: as, data: turned.data } : turned;
    constants.set(key, made);
    return made;
  }

  /** A vector of one number, kept once. */
  filled(length: number, value: number): Tensor {
    const key = `filled ${length} ${value}`;
    const made = this.scope.constants.get(key) ?? { shape: [length], data: new Float32Array(length).fill(value) };
    this.scope.constants.set(key, made);
    return made;
  }

  /** Adds a step; returns the name of the tensor that it makes. */
  emit({ op, inputs = [this.inputs[0]!.name], attributes = {}, weights = {}, part = op }: Step, kept = false): string {
    const wanted = `${this.call.name}/${part}`;
    let name = wanted;
    for (let count = 2; this.scope.names.has(name); count++) name = `${wanted}#${count}`;
    this.scope.names.add(name);
    const present = Object.entries(weights).filter((entry): entry is [string, Tensor] => entry[1] !== undefined);
    const node = { name, output: name, op, inputs, attributes, weights: Object.fromEntries(present) };
    this.steps.push(node);
    if (kept) this.fixed = node;
    return name;
  }

  /** The last step that others may read under its own name. */
  private fixed: Node | undefined;

  /** Ends the layer: its last step gets its name. A layer that does nothing stays, as a view, so that it can be asked for. */
  close(made: Value): Value {
    const { name } = this.call;
    const { imageOrder } = this.scope;
    const result = made.shape.length === 4 && !sameOrder(made.order, imageOrder) ? this.moved(made, imageOrder, false) : made;
    const last = this.steps.at(-1);
    if (!last || last === this.fixed || last.output !== result.name) this.emit({ op: 'identity', inputs: [result.name] });
    const named = { ...this.steps.pop()!, name, output: name };
    this.scope.nodes.push(...this.steps, named);
    return { ...result, name };
  }

  /** A result of the network as Keras would return it, pictures as N, C, H, W. */
  finish(value: Value): Value {
    const result = value.shape.length === 4 ? this.arrange(value, this.scope.imageOrder) : this.plain(value);
    this.scope.nodes.push(...this.steps);
    return result;
  }
}

/** How a type of layer becomes steps: it returns what it makes. */
export type Mapping = (t: LayerTranslation) => Value;

export function unknownType(t: LayerTranslation, known: readonly string[]): UnitscopeError {
  const hint = didYouMean(t.call.layer.type, known);
  return t.refuse(`this type of layer is not supported${hint.startsWith('did') ? `; ${hint}` : ''}`);
}

/** The number of elements behind the batch. */
export const rowLength = ({ shape }: Value): number => elementCount(shape.slice(1));
