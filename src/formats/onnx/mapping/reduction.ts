/** ReduceMean, ReduceSum, ReduceMax and the norms: axes drawn together. */
import { reduction } from '../rearrangement.ts';
import type { Mapping, NodeTranslation } from '../translation.ts';
import type { RuntimeOperand } from '../value.ts';
import { reshapeTo } from './reshaping.ts';

type Reduction = NonNullable<ReturnType<typeof reduction>>;

/** The reduction of a computed tensor; undefined where nothing is reduced and `identity` has been made. */
function reductionOf(t: NodeTranslation, since: number, x: RuntimeOperand): (Reduction & { grown: readonly number[] }) | undefined {
  const found = reduction(t, x.shape, since);
  if (found) return { ...found, grown: reduction(t, x.grown, since)!.shape };
  t.emit({ op: 'identity', inputs: [x], shape: x.shape });
  return undefined;
}

export const reduceMean: Mapping = (t) => {
  const x = t.runtime(0);
  const found = reductionOf(t, 18, x);
  if (!found) return;
  const { axes, keep, shape, grown } = found;
  // The usual way to write a global pooling.
  if (keep && x.shape.length === 4 && axes.join() === '2,3') t.emit({ op: 'global_average_pool', inputs: [x], shape, grown });
  else t.emit({ op: 'reduce_mean', inputs: [x], attributes: { axes, keep }, shape, grown });
};

export const reduceSum: Mapping = (t) => {
  const x = t.runtime(0);
  const found = reductionOf(t, 13, x);
  if (found) sumOver(t, x, found);
};

function sumOver(t: NodeTranslation, x: RuntimeOperand, { axes, keep, shape, grown }: Reduction & { grown: readonly number[] }, part?: string): RuntimeOperand {
  return t.emit({ op: 'reduce_sum', inputs: [x], attributes: { axes, keep }, shape, grown, part });
}

/** ReduceMax over height and width of images. */
export const reduceMax: Mapping = (t) => {
  const x = t.runtime(0);
  const found = reductionOf(t, 18, x);
  if (!found) return;
  const { axes, keep, shape, grown } = found;
  if (x.shape.length !== 4 || axes.join() !== '2,3') throw t.refuseShape(`the maximum over the axes [${axes}] of [${x.shape}] is not supported, only over height and width`);
  const pooled = t.emit({ op: 'global_max_pool', inputs: [x], shape: [x.shape[0]!, x.shape[1]!, 1, 1], ...(!keep && { part: 'pool' }) });
  if (!keep) reshapeTo(t, pooled, { shape, grown });
};

/** A sum over f(x), and then g of it. */
function norm(before: { op: string; attributes?: Record<string, number> }, after?: string): Mapping {
  return (t) => {
    const x = t.runtime(0);
    const found = reductionOf(t, 18, x);
    if (!found) return;
    const each = t.emit({ ...before, inputs: [x], shape: x.shape, part: 'each' });
    const total = sumOver(t, each, found, after === undefined ? undefined : 'sum');
    if (after !== undefined) t.emit({ op: after, inputs: [total], shape: total.shape });
  };
}

const SQUARE = { op: 'power', attributes: { exponent: 2 } };

export const reduceL1 = norm({ op: 'abs' });
export const reduceL2 = norm(SQUARE, 'sqrt');
export const reduceSumSquare = norm(SQUARE);
