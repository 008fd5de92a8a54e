/** A network that is trained, in plain double-precision loops: what the kernels' training is followed by. */
import type { Network, Node } from '../../src/network/network.ts';

type Shape4 = readonly [number, number, number, number];

interface Value {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

const zeros = (shape: readonly number[]): Value => ({ shape, data: new Float64Array(shape.reduce((a, b) => a * b, 1)) });

/** Every product x w of a convolution, by the indices of its three tensors. */
function products(node: Node, x: Shape4, y: Shape4, visit: (y: number, x: number, w: number) => void): void {
  const [channels, kernelHeight, kernelWidth] = node.weights.weight!.shape.slice(1) as [number, number, number];
  const { stride = [1, 1], padding = [0, 0, 0, 0], groups = 1 } = node.attributes as { stride?: number[]; padding?: number[]; groups?: number };
  const perGroup = y[1] / groups;
  for (let n = 0; n < y[0]; n++) {
    for (let m = 0; m < y[1]; m++) {
      for (let oy = 0; oy < y[2]; oy++) {
        for (let ox = 0; ox < y[3]; ox++) {
          for (let c = 0; c < channels; c++) {
            for (let ky = 0; ky < kernelHeight; ky++) {
              for (let kx = 0; kx < kernelWidth; kx++) {
                const [iy, ix] = [oy * stride[0]! + ky - padding[0]!, ox * stride[1]! + kx - padding[1]!];
                if (iy < 0 || ix < 0 || iy >= x[2] || ix >= x[3]) continue;
                const channel = Math.floor(m / perGroup) * channels + c;
                visit(((n * y[1] + m) * y[2] + oy) * y[3] + ox, ((n * x[1] + channel) * x[2] + iy) * x[3] + ix, ((m * channels + c) * kernelHeight + ky) * kernelWidth + kx);
              }
            }
          }
        }
      }
    }
  }
}

/** One step of one layer and back: the result, and what a gradient from above makes of the input's and the weights'. */
interface Pass {
  readonly y: Value;
  back(dy: Float64Array, dw: Map<string, Float64Array>): Float64Array;
}

type Weights = ReadonlyMap<string, Float64Array>;

function pass(node: Node, x: Value, shape: readonly number[], weights: Weights): Pass {
  const y = zeros(shape);
  const [w, b] = [weights.get(`${node.name}/weight`), weights.get(`${node.name}/bias`)];
  const [outputs, inner] = [shape[1]!, shape.slice(2).reduce((a, c) => a * c, 1)];
  const biased = (dy: Float64Array, dw: Map<string, Float64Array>): void => dy.forEach((g, i) => (dw.get(`${node.name}/bias`)![Math.floor(i / inner) % outputs]! += g));
  switch (node.op) {
    case 'conv2d': {
      y.data.forEach((_, i) => (y.data[i] = b![Math.floor(i / inner) % outputs]!));
      products(node, x.shape as Shape4, shape as Shape4, (i, j, k) => (y.data[i]! += x.data[j]! * w![k]!));
      return {
        y,
        back(dy, dw) {
          const dx = new Float64Array(x.data.length);
          const dWeight = dw.get(`${node.name}/weight`)!;
          products(node, x.shape as Shape4, shape as Shape4, (i, j, k) => {
            dx[j]! += dy[i]! * w![k]!;
            dWeight[k]! += dy[i]! * x.data[j]!;
          });
          biased(dy, dw);
          return dx;
        },
      };
    }
    case 'dense': {
      const inputs = x.data.length / shape[0]!;
      const each = (visit: (i: number, j: number, k: number) => void): void => {
        for (let i = 0; i < y.data.length; i++) {
          const [n, m] = [Math.floor(i / outputs), i % outputs];
          for (let k = 0; k < inputs; k++) visit(i, n * inputs + k, m * inputs + k);
        }
      };
      y.data.forEach((_, i) => (y.data[i] = b![i % outputs]!));
      each((i, j, k) => (y.data[i]! += x.data[j]! * w![k]!));
      return {
        y,
        back(dy, dw) {
          const dx = new Float64Array(x.data.length);
          const dWeight = dw.get(`${node.name}/weight`)!;
          each((i, j, k) => {
            dx[j]! += dy[i]! * w![k]!;
            dWeight[k]! += dy[i]! * x.data[j]!;
          });
          biased(dy, dw);
          return dx;
        },
      };
    }
    case 'relu':
      y.data.set(x.data.map((value) => Math.max(0, value)));
      return { y, back: (dy) => dy.map((g, i) => (x.data[i]! > 0 ? g : 0)) };
    case 'max_pool': {
      const [size, step] = [(node.attributes.kernel as number[])[0]!, (node.attributes.stride as number[])[0]!];
      const [, , height, width] = x.shape as Shape4;
      const [, , outHeight, outWidth] = shape as Shape4;
      const winner = Array.from(y.data, (_, i) => {
        const plane = Math.floor(i / (outHeight * outWidth));
        const [oy, ox] = [Math.floor(i / outWidth) % outHeight, i % outWidth];
        let best = -1;
        for (let iy = oy * step; iy < Math.min(height, oy * step + size); iy++) {
          for (let ix = ox * step; ix < Math.min(width, ox * step + size); ix++) {
            const at = (plane * height + iy) * width + ix;
            if (best < 0 || x.data[at]! > x.data[best]!) best = at;
          }
        }
        return best;
      });
      winner.forEach((at, i) => (y.data[i] = x.data[at]!));
      return {
        y,
        back(dy) {
          const dx = new Float64Array(x.data.length);
          winner.forEach((at, i) => (dx[at]! += dy[i]!));
          return dx;
        },
      };
    }
    default:
      throw new Error(`the twin has no ${node.op}`);
  }
}

export interface TwinOptimizer {
  /** New weights from a gradient, in place. */
  update(name: string, w: Float64Array, g: Float64Array, step: number): void;
}

/** PyTorch's SGD with momentum and L2 decay. */
export function sgdTwin(rate: number, momentum: number, decay: (name: string) => number): TwinOptimizer {
  const moments = new Map<string, Float64Array>();
  return {
    update(name, w, g) {
      const m = moments.get(name) ?? moments.set(name, new Float64Array(w.length)).get(name)!;
      w.forEach((value, i) => {
        m[i] = momentum * m[i]! + g[i]! + decay(name) * value;
        w[i] = value - rate * m[i]!;
      });
    },
  };
}

/** Adam with decoupled decay (Loshchilov and Hutter 2019). */
export function adamTwin(rate: number, beta1: number, beta2: number, epsilon: number, decay: (name: string) => number): TwinOptimizer {
  const moments = new Map<string, readonly [Float64Array, Float64Array]>();
  return {
    update(name, w, g, step) {
      const [m, v] = moments.get(name) ?? moments.set(name, [new Float64Array(w.length), new Float64Array(w.length)]).get(name)!;
      w.forEach((value, i) => {
        m[i] = beta1 * m[i]! + (1 - beta1) * g[i]!;
        v[i] = beta2 * v[i]! + (1 - beta2) * g[i]! ** 2;
        const [first, second] = [m[i]! / (1 - beta1 ** step), v[i]! / (1 - beta2 ** step)];
        w[i] = value - rate * (first / (Math.sqrt(second) + epsilon) + decay(name) * value);
      });
    },
  };
}

export class TrainingTwin {
  readonly weights = new Map<string, Float64Array>();

  constructor(
    private readonly network: Network,
    private readonly shapes: ReadonlyMap<string, readonly number[]>,
    private readonly optimizer: TwinOptimizer,
  ) {
    for (const { name, weights } of network.nodes) for (const [role, { data }] of Object.entries(weights)) this.weights.set(`${name}/${role}`, Float64Array.from(data));
  }

  /** Mean cross-entropy of a batch before the step, with smoothed labels; the images are moved so far along their gradients first. */
  step(number: number, images: ArrayLike<number>, labels: ArrayLike<number>, smoothing: number, distance = 0): number {
    const seen = distance > 0 ? moved(images, this.gradients(images, labels, smoothing).dx, labels.length, distance) : images;
    const { loss, dw } = this.gradients(seen, labels, smoothing);
    for (const [name, w] of this.weights) this.optimizer.update(name, w, dw.get(name)!, number);
    return loss;
  }

  private gradients(images: ArrayLike<number>, labels: ArrayLike<number>, smoothing: number): { loss: number; dx: Float64Array; dw: Map<string, Float64Array> } {
    const passes: Pass[] = [];
    let x: Value = { shape: this.shapes.get(this.network.inputs[0]!.name)!, data: Float64Array.from(images) };
    for (const node of this.network.nodes) {
      const made = pass(node, x, this.shapes.get(node.output)!, this.weights);
      passes.push(made);
      x = made.y;
    }
    const [batch, classes] = x.shape as [number, number];
    let dy = new Float64Array(x.data.length);
    let loss = 0;
    for (let n = 0; n < batch; n++) {
      const row = x.data.subarray(n * classes, (n + 1) * classes);
      const most = Math.max(...row);
      const total = row.reduce((sum, value) => sum + Math.exp(value - most), 0);
      row.forEach((value, k) => {
        const target = smoothing / classes + (labels[n] === k ? 1 - smoothing : 0);
        const log = value - most - Math.log(total);
        loss -= (target * log) / batch;
        dy[n * classes + k] = (Math.exp(log) - target) / batch;
      });
    }
    const dw = new Map([...this.weights].map(([name, w]) => [name, new Float64Array(w.length)]));
    for (const made of passes.reverse()) dy = made.back(dy, dw) as Float64Array<ArrayBuffer>;
    return { loss, dx: dy, dw };
  }
}

/** Every image by one L2 distance along its own gradient; where that is 0, it stays. */
function moved(images: ArrayLike<number>, dx: Float64Array, count: number, distance: number): Float64Array {
  const size = images.length / count;
  const norms = Array.from({ length: count }, (_, n) => Math.sqrt(dx.subarray(n * size, (n + 1) * size).reduce((sum, g) => sum + g * g, 0)));
  return Float64Array.from(images, (value, i) => value + (distance * dx[i]!) / (norms[Math.floor(i / size)]! || 1));
}
