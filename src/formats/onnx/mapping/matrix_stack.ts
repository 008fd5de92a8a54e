/** MatMul with a stack of constant matrices: each is a group of a 1 x 1 convolution over the rows. */
import type { Shape, Tensor } from '../../../network/network.ts';
import { elementCount } from '../../../network/validate.ts';
import { broadcastShapes } from '../axes.ts';
import type { NodeTranslation } from '../translation.ts';
import type { RuntimeOperand } from '../value.ts';
import { reshapeTo } from './reshaping.ts';

/** y[..., g, t, m] = sum over k of x[..., g, t, k] b[g, k, m]; x may be the same for all g, or a vector. */
export function stackProduct(t: NodeTranslation, x: RuntimeOperand, b: Tensor): void {
  const [terms, maps] = b.shape.slice(-2) as [number, number];
  const stack = b.shape.slice(0, -2);
  const count = stack.at(-1)!;
  if (elementCount(stack) !== count) throw t.refuse(`the right operand has the shape [${b.shape}]; only one axis of matrices is supported`);
  const rows = x.shape.length === 1 ? 1 : x.shape.at(-2)!;
  const lead = (shape: Shape): Shape => shape.slice(0, -2);
  const own = lead(x.shape).at(-1) ?? 1;
  const result = broadcastShapes(t, [lead(x.shape), stack]);

  const outer = (shape: Shape): number => elementCount(lead(shape).slice(0, -1));
  /** A view of all images, at both batches. */
  const view = (from: RuntimeOperand, sizes: Shape, part: string): RuntimeOperand =>
    reshapeTo(t, from, { shape: [outer(x.shape), ...sizes], grown: [outer(x.grown), ...sizes], part });
  const swapped = (from: RuntimeOperand, part: string): RuntimeOperand => {
    const swap = ([n, g, i, j]: Shape): Shape => [n!, g!, j!, i!];
    return t.emit({ op: 'transpose', inputs: [from], attributes: { order: [0, 1, 3, 2] }, shape: swap(from.shape), grown: swap(from.grown), part });
  };

  const columns = view(swapped(view(x, [own, rows, terms], 'rows'), 'columns'), [own * terms, rows, 1], 'image');
  const product = t.emit({
    op: 'conv2d',
    inputs: [columns],
    attributes: { stride: [1, 1], padding: [0, 0, 0, 0], dilation: [1, 1], groups: own },
    weights: { weight: weightOf(b, count, terms, maps) },
    shape: [columns.shape[0]!, count * maps, rows, 1],
    part: 'conv2d',
  });
  const y = swapped(view(product, [count, maps, rows], 'maps'), 'product');
  const last = x.shape.length === 1 ? [maps] : [rows, maps];
  const grownLead = x.grown === x.shape ? result : [...result.slice(0, result.length - lead(x.grown).length), ...lead(x.grown).slice(0, -1), ...result.slice(-1)];
  reshapeTo(t, y, { shape: [...result, ...last], grown: [...grownLead, ...last] });
}

/** [count, K, M] as [count M, K, 1, 1]. */
function weightOf({ data }: Tensor, count: number, terms: number, maps: number): Tensor {
  const result = new Float32Array(data.length);
  for (let g = 0; g < count; g++) {
    for (let k = 0; k < terms; k++) {
      for (let m = 0; m < maps; m++) result[(g * maps + m) * terms + k] = data[(g * terms + k) * maps + m]!;
    }
  }
  return { shape: [count * maps, terms, 1, 1], data: result };
}
