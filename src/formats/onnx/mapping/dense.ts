/** Gemm and MatMul with a constant matrix on the right: both become `dense` with weight [M, K]. */
import type { Shape, Tensor } from '../../../network/network.ts';
import { elementCount } from '../../../network/validate.ts';
import { broadcastShapes } from '../axes.ts';
import type { Mapping, NodeTranslation } from '../translation.ts';
import type { RuntimeOperand } from '../value.ts';
import { stackProduct } from './matrix_stack.ts';
import { reshapeTo } from './reshaping.ts';

/** Gemm: y = alpha A B + beta C; alpha and beta go into the weights. A C that differs from row to row is added behind. */
export const gemm: Mapping = (t) => {
  const alpha = t.attributes.float('alpha', 1);
  const beta = t.attributes.float('beta', 1);
  const isTurned = t.attributes.integer('transB', 0) !== 0;
  const isTurnedA = t.attributes.integer('transA', 0) !== 0;
  if (t.opset < 7) t.attributes.ignore('broadcast'); // from version 7 on, C is always broadcast
  const b = t.weight(1, 'the matrix B');
  if (b.shape.length !== 2) throw t.invalid(`the matrix B has the shape [${b.shape}]`);
  const weight = scaled(isTurned ? b : transpose(b), alpha);
  const maps = weight.shape[0]!;
  const c = t.operand(2) && scaled(t.weight(2, 'the bias C'), beta);
  const bias = c && rowOf(c, maps);
  const a = t.runtime(0);
  if (a.shape.length !== 2) throw t.refuseShape(`the input [${a.shape}] is no matrix`);
  const x = isTurnedA ? turned(t, a) : a;
  if (!c || bias) {
    dense(t, x, weight, bias);
    return;
  }
  const y = dense(t, x, weight, undefined, 'product');
  const shape = broadcastShapes(t, [y.shape, c.shape]);
  if (shape.join() !== y.shape.join()) throw t.invalid(`the bias C of shape [${c.shape}] does not fit the product [${y.shape}]`);
  if (c.shape.length > 1 && c.shape.at(-2) !== 1 && y.grown[0] !== y.shape[0]) t.noteBatch('the bias C, which differs from row to row,');
  t.emit({ op: 'add', inputs: [y], weights: { addend: c }, shape });
};

/** C as one number per column; undefined where it differs from row to row. */
function rowOf({ shape, data }: Tensor, maps: number): Tensor | undefined {
  if (shape.at(-1) === maps && data.length === maps) return { shape: [maps], data };
  return data.length === 1 ? { shape: [maps], data: new Float32Array(maps).fill(data[0]!) } : undefined;
}

/** MatMul of the rows of a tensor with a constant matrix [K, M], vector [K] or stack of matrices [.., K, M]. */
export const matMul: Mapping = (t) => {
  const b = t.weight(1, 'the right operand');
  const isVector = b.shape.length === 1;
  const [terms, maps] = isVector ? [b.shape[0]!, 1] : (b.shape.slice(-2) as [number, number]);
  if (b.shape.length === 0) throw t.invalid('the right operand is a scalar');
  const x = t.runtime(0);
  if (x.shape.at(-1) !== terms) throw t.invalid(`[${x.shape}] and [${b.shape}] cannot be multiplied`);
  if (b.data.length !== terms * maps) {
    stackProduct(t, x, b);
    return;
  }
  const weight = isVector ? { shape: [1, terms], data: b.data } : transpose({ shape: [terms, maps], data: b.data });
  const leading = Math.max(0, b.shape.length - 2 - Math.max(0, x.shape.length - 2));
  /** The shape of the result for rows of a shape: vectors lose their axis, further axes of size 1 of b stay. */
  const result = (shape: Shape): Shape => [...new Array<number>(leading).fill(1), ...shape.slice(0, -1), ...(isVector ? [] : [maps])];
  if (x.shape.length === 2 && !isVector && leading === 0) {
    dense(t, x, weight, undefined);
    return;
  }
  const rows = (shape: Shape): Shape => [elementCount(shape.slice(0, -1)), terms];
  const flat = reshapeTo(t, x, { shape: rows(x.shape), grown: rows(x.grown), part: 'rows' });
  const y = dense(t, flat, weight, undefined, 'dense');
  reshapeTo(t, y, { shape: result(x.shape), grown: result(x.grown) });
};

/** A dense layer over rows [N, K]. */
function dense(t: NodeTranslation, x: RuntimeOperand, weight: Tensor, bias: Tensor | undefined, part?: string): RuntimeOperand {
  const [maps, terms] = weight.shape as [number, number];
  if (x.shape[1] !== terms) throw t.invalid(`the input [${x.shape}] does not fit the weight of ${terms} rows`);
  return t.emit({ op: 'dense', inputs: [x], weights: { weight, bias }, shape: [x.shape[0]!, maps], grown: [x.grown[0]!, maps], part });
}

/** The matrix with rows and columns exchanged. */
function turned(t: NodeTranslation, { shape, grown, ...x }: RuntimeOperand): RuntimeOperand {
  const turn = (from: Shape): Shape => [from[1]!, from[0]!];
  return t.emit({ op: 'transpose', inputs: [{ ...x, shape, grown }], attributes: { order: [1, 0] }, shape: turn(shape), grown: turn(grown), part: 'turned' });
}

function transpose({ shape, data }: Tensor): Tensor {
  const [rows, columns] = shape as [number, number];
  const result = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) result[column * rows + row] = data[row * columns + column]!;
  }
  return { shape: [columns, rows], data: result };
}

function scaled(tensor: Tensor, factor: number): Tensor {
  return factor === 1 ? tensor : { shape: tensor.shape, data: tensor.data.map((value) => value * factor) };
}
