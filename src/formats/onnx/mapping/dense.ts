/** Gemm and MatMul with a constant right operand: both become `dense` with weight [M, K]. */
import type { Tensor } from '../../../network/network.ts';
import type { Mapping, NodeTranslation } from '../translation.ts';

/** Gemm: y = alpha x B + beta C; alpha and beta go into the weights. */
export const gemm: Mapping = (t) => {
  const alpha = t.attributes.float('alpha', 1);
  const beta = t.attributes.float('beta', 1);
  const transposed = t.attributes.integer('transB', 0) !== 0;
  if (t.opset < 7) t.attributes.ignore('broadcast'); // from version 7 on, C is always broadcast
  if (t.attributes.integer('transA', 0) !== 0) throw t.refuse('transA is not supported', 'transA');
  const b = t.weight(1, 'the matrix B');
  if (b.shape.length !== 2) throw t.invalid(`the matrix B has the shape [${b.shape}]`);
  const weight = scaled(transposed ? b : transpose(b), alpha);
  const maps = weight.shape[0]!;
  const c = t.operand(2) ? t.weight(2, 'the bias C') : undefined;
  if (c && !(c.data.length === 1 || (c.shape.at(-1) === maps && c.data.length === maps))) {
    throw t.refuse(`the bias C of shape [${c.shape}] differs from row to row`);
  }
  const spread = c && (c.data.length === maps ? c.data : new Float32Array(maps).fill(c.data[0]!));
  dense(t, weight, spread && scaled({ shape: [maps], data: spread }, beta));
};

/** MatMul of a batch of rows with a constant matrix [K, M]. */
export const matMul: Mapping = (t) => {
  const b = t.weight(1, 'the right operand');
  if (b.shape.length !== 2) throw t.refuse(`the right operand has the shape [${b.shape}]; only matrices are supported`);
  dense(t, transpose(b), undefined);
};

function dense(t: NodeTranslation, weight: Tensor, bias: Tensor | undefined): void {
  const x = t.runtime(0);
  if (x.shape.length !== 2) throw t.refuseShape(`the input [${x.shape}] is no matrix`);
  const [maps, terms] = weight.shape as [number, number];
  if (x.shape[1] !== terms) throw t.invalid(`the input [${x.shape}] does not fit the weight of ${terms} rows`);
  t.emit({ op: 'dense', inputs: [x.name], weights: { weight, bias }, shape: [x.shape[0]!, maps] });
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
