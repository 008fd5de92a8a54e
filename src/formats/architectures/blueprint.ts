/**
 * A graph of layers whose weights are still names: drawn by an architecture, filled from a state dict. The names of its
 * layers are those of the PyTorch modules, and of the functions between them as torch.fx numbers them.
 */
import { UnitscopeError } from '../../errors.ts';
import type { Attributes, Shape } from '../../network/network.ts';

/** A weight that a layer needs: the name of its tensor and the shape that it must have. */
export interface Wanted {
  readonly tensor: string;
  readonly shape: Shape;
}

export interface BlueprintNode {
  /** The name of the layer and of what it makes. */
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly attributes: Attributes;
  readonly weights: Readonly<Record<string, Wanted>>;
}

/** Channels, height, width of one image. */
type Extent = readonly [channels: number, height: number, width: number];

export interface ConvOptions {
  readonly stride?: number;
  /** Zeros around the image, or [above and on the left, below and on the right]. */
  readonly pad?: number | readonly [before: number, after: number];
  readonly groups?: number;
  readonly bias?: boolean;
}

export interface PoolOptions {
  readonly pad?: number;
  /** The last windows may reach over the edge. */
  readonly ceil?: boolean;
}

/** Each method adds a layer that reads the last one, unless it is told otherwise, and returns its name. */
export class Blueprint {
  readonly nodes: BlueprintNode[] = [];
  /** The layer that was added last. */
  last: string;
  private readonly extents = new Map<string, Extent>();
  private readonly outerNames: string[] = [];

  /** @param input name of the images [N, C, H, W]  @param want is called for each weight; may throw to end the drawing */
  constructor(input: string, extent: Extent, private readonly want?: (weight: Wanted) => void) {
    this.last = input;
    this.extents.set(input, extent);
  }

  /** Draws `draw` with `prefix.` before every name. */
  within(prefix: string, draw: () => void): void {
    this.outerNames.push(prefix);
    draw();
    this.outerNames.pop();
  }

  /** Refuses images of another size: for graphs whose weights are as many as there are places. Throws 'usage'. */
  onlyFor(size: number): void {
    const [, height, width] = this.extent(this.last);
    if (height === size && width === size) return;
    throw new UnitscopeError('usage', `the images of this network are ${size} x ${size}, not ${height} x ${width}: its dense layer has a weight for every place`, {}, 'leave the size of the images out');
  }

  /** Square kernels; stride and padding are the same in both directions. */
  conv(name: string, outputs: number, kernel: number, { stride = 1, pad = 0, groups = 1, bias = false }: ConvOptions = {}, from = this.last): string {
    const [channels, height, width] = this.extent(from);
    const [before, after] = typeof pad === 'number' ? [pad, pad] : pad;
    const size = (input: number): number => Math.floor((input + before + after - kernel) / stride) + 1;
    const attributes = { stride: [stride, stride], padding: [before, before, after, after], groups };
    const weights = { weight: [outputs, channels / groups, kernel, kernel], ...(bias && { bias: [outputs] }) };
    return this.add(name, 'conv2d', [from], attributes, [outputs, size(height), size(width)], weights);
  }

  batchNorm(name: string, epsilon = 1e-5): string {
    const extent = this.extent(this.last);
    const [channels] = extent;
    const weights = { scale: [channels], shift: [channels], mean: [channels], variance: [channels] };
    return this.add(name, 'batch_norm', [this.last], { epsilon }, extent, weights);
  }

  relu(name: string): string {
    return this.add(name, 'relu', [this.last], {}, this.extent(this.last));
  }

  relu6(name: string): string {
    return this.add(name, 'clip', [this.last], { min: 0, max: 6 }, this.extent(this.last));
  }

  /** A layer that changes nothing when a network is used. */
  dropout(name: string): string {
    return this.add(name, 'identity', [this.last], {}, this.extent(this.last));
  }

  maxPool(name: string, kernel: number, stride: number, options: PoolOptions = {}, from = this.last): string {
    return this.pool(name, 'max_pool', kernel, stride, options, from);
  }

  averagePool(name: string, kernel: number, stride: number): string {
    return this.pool(name, 'average_pool', kernel, stride, {}, this.last);
  }

  private pool(name: string, op: string, kernel: number, stride: number, { pad = 0, ceil = false }: PoolOptions, from: string): string {
    const [channels, height, width] = this.extent(from);
    const size = (input: number): number => {
      const count = Math[ceil ? 'ceil' : 'floor']((input + 2 * pad - kernel) / stride) + 1;
      return ceil && (count - 1) * stride >= input + pad ? count - 1 : count;
    };
    const attributes = { kernel: [kernel, kernel], stride: [stride, stride], padding: [pad, pad, pad, pad], ...(op === 'max_pool' && { ceil }) };
    return this.add(name, op, [from], attributes, [channels, size(height), size(width)]);
  }

  globalAveragePool(name: string): string {
    const [channels] = this.extent(this.last);
    return this.add(name, 'global_average_pool', [this.last], {}, [channels, 1, 1]);
  }

  /**
   * Average pooling to a given size. Only where every window is of one size: sizes that are no multiple of it would
   * need windows that overlap.
   */
  adaptiveAveragePool(name: string, size: number): string {
    const [channels, height, width] = this.extent(this.last);
    if (height === size && width === size) return this.add(name, 'identity', [this.last], {}, [channels, size, size]);
    if (height < size || height % size !== 0 || width < size || width % size !== 0) {
      const message = `layer '${name}' pools to ${size} x ${size}, and gets ${height} x ${width} from images of this size: no multiple of it`;
      throw new UnitscopeError('usage', message, { layer: name }, 'give the size that the network was trained with, for example 224 x 224');
    }
    const kernel = [height / size, width / size];
    return this.add(name, 'average_pool', [this.last], { kernel, stride: kernel }, [channels, size, size]);
  }

  flatten(name = 'flatten'): string {
    const [channels, height, width] = this.extent(this.last);
    return this.add(name, 'flatten', [this.last], { axis: 1 }, [channels * height * width, 1, 1]);
  }

  dense(name: string, outputs: number): string {
    const [inputs] = this.extent(this.last);
    return this.add(name, 'dense', [this.last], {}, [outputs, 1, 1], { weight: [outputs, inputs], bias: [outputs] });
  }

  softmax(name: string): string {
    return this.add(name, 'softmax', [this.last], { axis: 1 }, this.extent(this.last));
  }

  sum(name: string, a: string, b: string): string {
    return this.add(name, 'add', [a, b], {}, this.extent(a));
  }

  /** The channels of all inputs, one after another. */
  concat(name: string, inputs: readonly string[]): string {
    const [, height, width] = this.extent(inputs[0]!);
    const channels = inputs.reduce((total, input) => total + this.extent(input)[0], 0);
    return this.add(name, 'concat', inputs, { axis: 1 }, [channels, height, width]);
  }

  /** Every second pixel, and `before` and `after` channels of zeros around those that are there: `name.slice`, `name`. */
  thinOut(name: string, before: number, after: number, from: string): string {
    const [channels, height, width] = this.extent(from);
    const [h, w] = [Math.ceil(height / 2), Math.ceil(width / 2)];
    const slice = { start: [0, 0, 0, 0], size: [0, 0, h, w], step: [1, 1, 2, 2] };
    const thin = this.add(`${name}.slice`, 'slice', [from], slice, [channels, h, w]);
    const pad = { before: [0, before, 0, 0], after: [0, after, 0, 0], value: 0 };
    return this.add(name, 'pad', [thin], pad, [channels + before + after, h, w]);
  }

  private extent(name: string): Extent {
    return this.extents.get(name)!;
  }

  private add(name: string, op: string, inputs: readonly string[], attributes: Attributes, extent: Extent, weights: Readonly<Record<string, Shape>> = {}): string {
    const full = [...this.outerNames, name].join('.');
    const wanted = Object.entries(weights).map(([role, shape]) => [role, { tensor: `${full}.${TORCH_ROLES[role] ?? role}`, shape }] as const);
    if (this.want) for (const [, weight] of wanted) this.want(weight);
    this.nodes.push({ name: full, op, inputs, attributes, weights: Object.fromEntries(wanted) });
    this.extents.set(full, extent);
    return (this.last = full);
  }
}

/** What PyTorch calls a weight, where it is not called as here. */
const TORCH_ROLES: Readonly<Record<string, string>> = { scale: 'weight', shift: 'bias', mean: 'running_mean', variance: 'running_var' };
