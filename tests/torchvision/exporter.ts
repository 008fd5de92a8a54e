/**
 * Modules of PyTorch as torch.onnx writes them at an opset between 7 and 20: torchscript's exporter up to 17, the
 * exporter by functions from 18 on. Weights come from a formula; `at` is the name of the module in the model.
 */
import type { Shape } from '../../src/network/network.ts';
import { formulaTensor } from '../recorded/formula_weights.ts';
import { count, Graph, type GraphOptions, type Value } from './graph.ts';

export interface ExportOptions extends GraphOptions {
  /** Batch norms behind convolutions go into their weights, as they do when a model is exported for inference. */
  readonly fold?: boolean;
}

type Pair = number | readonly [number, number];
const pair = (value: Pair): readonly [number, number] => (typeof value === 'number' ? [value, value] : value);
const fours = (value: Pair): number[] => [...pair(value), ...pair(value)];

export interface ConvOptions {
  readonly stride?: number;
  readonly padding?: Pair;
  readonly groups?: number;
  readonly bias?: boolean;
}

/** scale, shift, mean and variance of a batch norm. */
const STATISTICS = ['weight', 'bias', 'running_mean', 'running_var'] as const;

/** values x 0..1 -> around `middle`. */
const around = (middle: number, name: string, channels: number, amplitude: number): Float32Array =>
  formulaTensor(name, [channels], amplitude).data.map((value) => middle + value);

export class Exporter extends Graph {
  private readonly fold: boolean;

  constructor({ fold = false, ...options }: ExportOptions) {
    super(options);
    this.fold = fold;
  }

  /** A weight that training moves; He's amplitude unless another is given. */
  private learned(name: string, shape: Shape, fill?: () => Float32Array): string {
    this.parameters += count(shape);
    return this.weight(name, shape, fill ?? (() => formulaTensor(name, shape, Math.sqrt((6 * shape[0]!) / count(shape))).data));
  }

  /** A learned factor or addend of the given shape. */
  learnedVector(name: string, shape: Shape, middle: number, amplitude: number): string {
    return this.learned(name, shape, () => around(middle, name, count(shape), amplitude));
  }

  private bias(at: string, channels: number): string {
    return this.learnedVector(`${at}.bias`, [channels], 0, 0.1);
  }

  conv(at: string, x: Value, maps: number, kernel: Pair, options: ConvOptions = {}): Value {
    const shape = [maps, x.shape[1]! / (options.groups ?? 1), ...pair(kernel)];
    const { bias = true } = options;
    return this.convolve(at, x, [this.learned(`${at}.weight`, shape), ...(bias ? [this.bias(at, maps)] : [])], shape, options);
  }

  private convolve(at: string, x: Value, weights: readonly string[], weight: Shape, { stride = 1, padding = 0, groups = 1 }: ConvOptions): Value {
    const [maps, , ...kernel] = weight as [number, number, number, number];
    const pads = pair(padding);
    const sizes = kernel.map((size, i) => Math.floor((x.shape[2 + i]! + 2 * pads[i]! - size) / stride) + 1);
    return this.call({
      at,
      op: 'Conv',
      inputs: [x, ...weights],
      attributes: {
        ...(this.opset >= 18 && { auto_pad: 'NOTSET' }),
        dilations: [1, 1],
        group: groups,
        kernel_shape: kernel,
        pads: fours(padding),
        strides: [stride, stride],
      },
      shape: [x.shape[0]!, maps, ...sizes],
      power: 2 * x.power,
    });
  }

  /** Statistics that fit what arrives: variance about its mean square, a small mean. */
  private statistic(norm: string, part: (typeof STATISTICS)[number], channels: number, power: number): Float32Array {
    const name = `${norm}.${part}`;
    const spread = Math.sqrt(power);
    if (part === 'weight') return around(1, name, channels, 0.25);
    if (part === 'bias') return around(0, name, channels, 0.2);
    return part === 'running_mean' ? around(0, name, channels, 0.1 * spread) : around(power, name, channels, 0.5 * power);
  }

  batchNorm(at: string, x: Value, epsilon = 1e-5): Value {
    const channels = x.shape[1]!;
    const weights = STATISTICS.map((part) => this.weight(`${at}.${part}`, [channels], () => this.statistic(at, part, channels, x.power)));
    this.parameters += 2 * channels;
    const attributes = { epsilon: { float: epsilon }, momentum: { float: 0.9 }, ...(this.opset >= 14 && { training_mode: 0 }) };
    return this.call({ at, op: 'BatchNormalization', inputs: [x, ...weights], attributes, shape: x.shape, power: 1 });
  }

  /** A convolution without bias and the batch norm behind it. */
  convNorm([at, norm]: readonly [conv: string, norm: string], x: Value, maps: number, kernel: Pair, options: ConvOptions & { epsilon?: number } = {}): Value {
    const { epsilon = 1e-5, bias = false } = options;
    if (!this.fold) return this.batchNorm(norm, this.conv(at, x, maps, kernel, { ...options, bias }), epsilon);
    const shape = [maps, x.shape[1]! / (options.groups ?? 1), ...pair(kernel)];
    this.parameters += count(shape) + (bias ? 3 : 2) * maps;
    const part = (name: (typeof STATISTICS)[number]): Float32Array => this.statistic(norm, name, maps, 2 * x.power);
    const factors = (): Float32Array => {
      const variance = part('running_var');
      return part('weight').map((scale, m) => scale / Math.sqrt(variance[m]! + epsilon));
    };
    const weight = this.weight(this.names.folded('Conv'), shape, () => {
      const scale = factors();
      const taps = count(shape) / maps;
      return formulaTensor(`${at}.weight`, shape, Math.sqrt(6 / taps)).data.map((value, i) => value * scale[Math.floor(i / taps)]!);
    });
    const shift = this.weight(this.names.folded('Conv'), [maps], () => {
      const [scale, mean, own] = [factors(), part('running_mean'), bias ? around(0, `${at}.bias`, maps, 0.1) : new Float32Array(maps)];
      return part('bias').map((value, m) => value + (own[m]! - mean[m]!) * scale[m]!);
    });
    return { ...this.convolve(at, x, [weight, shift], shape, options), power: 1 };
  }

  /** Linear: Gemm for a matrix; for more axes MatMul by the transposed weight, then the bias. */
  linear(at: string, x: Value, maps: number): Value {
    const terms = x.shape.at(-1)!;
    const shape = [...x.shape.slice(0, -1), maps];
    const power = 2 * x.power;
    if (x.shape.length === 2) {
      const attributes = { alpha: { float: 1 }, beta: { float: 1 }, transB: 1 };
      return this.call({ at, op: 'Gemm', inputs: [x, this.learned(`${at}.weight`, [maps, terms]), this.bias(at, maps)], attributes, shape, power });
    }
    this.parameters += terms * maps;
    const weight = this.weight(this.names.folded('MatMul'), [terms, maps], () => formulaTensor(`${at}.weight`, [terms, maps], Math.sqrt(6 / terms)).data);
    const product = this.call({ at, op: 'MatMul', inputs: [x, weight], shape, power });
    const bias = this.bias(at, maps);
    return this.call({ at, op: 'Add', inputs: this.opset < 18 ? [bias, product] : [product, bias], shape, power });
  }

  maxPool(at: string, x: Value, kernel: number, stride: number, { padding = 0, ceil = false } = {}): Value {
    const sizes = x.shape.slice(2).map((size) => (ceil ? Math.ceil : Math.floor)((size + 2 * padding - kernel) / stride) + 1);
    // Before opset 10 there is no ceil_mode: the last windows get padding to reach into.
    const reach = sizes.map((size, i) => (this.opset < 10 && ceil ? (size - 1) * stride + kernel - x.shape[2 + i]! - padding : padding));
    const attributes = {
      ...(this.opset >= 10 && { ceil_mode: Number(ceil) }),
      ...(this.opset >= 13 && { dilations: [1, 1] }),
      ...(this.opset >= 18 && { auto_pad: 'NOTSET', storage_order: 0 }),
      kernel_shape: [kernel, kernel],
      pads: [padding, padding, ...reach.map((size) => Math.max(size, padding))],
      strides: [stride, stride],
    };
    return this.call({ at, op: 'MaxPool', inputs: [x], attributes, shape: [...x.shape.slice(0, 2), ...sizes], power: kernel * x.power });
  }

  /** Padding counts as zeros: a Pad in front before opset 12, even where it pads nothing, then an attribute. */
  averagePool(at: string, x: Value, kernel: number, stride: number, padding = 0): Value {
    const sizes = x.shape.slice(2).map((size) => Math.floor((size + 2 * padding - kernel) / stride) + 1);
    const inside = this.opset >= 12;
    let source = x;
    if (!inside) {
      const pads = [0, 0, padding, padding, 0, 0, padding, padding];
      const shape = [...x.shape.slice(0, 2), ...x.shape.slice(2).map((size) => size + 2 * padding)];
      const attributes = { mode: 'constant', ...(this.opset < 11 && { pads, value: { float: 0 } }) };
      source = this.call({ at, op: 'Pad', inputs: [x, ...(this.opset < 11 ? [] : [this.constant(at, pads)])], attributes, shape });
    }
    const attributes = {
      ...(this.opset >= 10 && { ceil_mode: 0 }),
      ...(inside && { count_include_pad: 1 }),
      kernel_shape: [kernel, kernel],
      pads: fours(inside ? padding : 0),
      strides: [stride, stride],
    };
    return this.call({ at, op: 'AveragePool', inputs: [source], attributes, shape: [...x.shape.slice(0, 2), ...sizes], power: 0.5 * x.power });
  }

  /** AdaptiveAvgPool2d: to one pixel a pool over all, or a mean where the exporter decomposes it; else windows that fit. */
  adaptiveAveragePool(at: string, x: Value, size: number): Value {
    const shape = [...x.shape.slice(0, 2), size, size];
    if (size === 1) return this.opset < 18 ? this.call({ at, op: 'GlobalAveragePool', inputs: [x], shape, power: 0.3 * x.power }) : this.mean(at, x, [-1, -2], true);
    const kernel = x.shape.slice(2).map((length) => length / size);
    if (!kernel.every(Number.isInteger)) throw new Error(`${at}: [${x.shape}] does not divide into ${size} windows`);
    return this.call({ at, op: 'AveragePool', inputs: [x], attributes: { kernel_shape: kernel, strides: kernel, ...(this.opset >= 10 && { ceil_mode: 0 }) }, shape });
  }

  /** The mean over axes: an attribute before opset 18, an operand from then on. */
  mean(at: string, x: Value, axes: readonly number[], keep: boolean): Value {
    const dropped = axes.map((axis) => (axis < 0 ? axis + x.shape.length : axis));
    const shape = x.shape.flatMap((size, axis) => (dropped.includes(axis) ? (keep ? [1] : []) : [size]));
    const attributes = { ...(this.opset < 18 ? { axes } : { noop_with_empty_axes: 0 }), keepdims: Number(keep) };
    return this.call({ at, op: 'ReduceMean', inputs: [x, ...(this.opset < 18 ? [] : [this.constant(at, axes)])], attributes, shape, power: 0.3 * x.power });
  }

  add(at: string, a: Value, b: Value): Value {
    return this.call({ at, op: 'Add', inputs: [a, b], shape: a.shape, power: a.power + b.power });
  }

  concat(at: string, parts: readonly Value[]): Value {
    const channels = parts.reduce((sum, { shape }) => sum + shape[1]!, 0);
    const power = parts.reduce((sum, part) => sum + (part.power * part.shape[1]!) / channels, 0);
    return this.call({ at, op: 'Concat', inputs: parts, attributes: { axis: 1 }, shape: parts[0]!.shape.with(1, channels), power });
  }

  permute(at: string, x: Value, order: readonly number[]): Value {
    return this.call({ at, op: 'Transpose', inputs: [x], attributes: { perm: order }, shape: order.map((axis) => x.shape[axis]!) });
  }
}
