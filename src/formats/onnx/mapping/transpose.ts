/** Transpose, DepthToSpace, SpaceToDepth: the order of the elements changes. */
import type { Shape } from '../../../network/network.ts';
import { elementCount } from '../../../network/validate.ts';
import { permutation } from '../rearrangement.ts';
import type { Mapping, NodeTranslation } from '../translation.ts';
import type { RuntimeOperand } from '../value.ts';
import { reshapeTo } from './reshaping.ts';

/** Most groups of axes that one transposition moves. */
const GROUP_LIMIT = 4;

export const transpose: Mapping = (t) => {
  const x = t.runtime(0);
  transposeTo(t, x, permutation(t, x.shape));
};

/**
 * Brings axis order[i] of x to place i. Axes that stay together move as one group; where more than GROUP_LIMIT groups
 * are left, they go to the end one after the other.
 */
export function transposeTo(t: NodeTranslation, x: RuntimeOperand, order: readonly number[], part?: string): RuntimeOperand {
  const arranged = (shape: Shape): Shape => order.map((axis) => shape[axis]!);
  const shape = arranged(x.shape);
  const grown = arranged(x.grown);
  if (order.every((axis, place) => axis === place)) return t.emit({ op: 'identity', inputs: [x], shape, grown, part });
  const groups = groupsOf(x, order);
  if (groups.length <= 1) return reshapeTo(t, x, { shape, grown, ...(part !== undefined && { part }) });
  if (groups.length <= GROUP_LIMIT) return t.emit({ op: 'transpose', inputs: [x], attributes: { order: [...order] }, shape, grown, part });

  let now = groups.toSorted((a, b) => a[0]! - b[0]!);
  let moved = x;
  for (const [step, group] of groups.slice(leading(groups, now)).entries()) {
    const at = now.indexOf(group);
    if (at === now.length - 1) continue;
    const pieces = [now.slice(0, at), [group], now.slice(at + 1)];
    const sizes = (from: Shape): Shape => pieces.map((piece) => elementCount(piece.flat().map((axis) => from[axis]!)));
    const flat = reshapeTo(t, moved, { shape: sizes(x.shape), grown: sizes(x.grown), part: joinPart(part, `view${step}`) });
    const swap = (from: Shape): Shape => [from[0]!, from[2]!, from[1]!];
    const move = { op: 'transpose', attributes: { order: [0, 2, 1] }, shape: swap(flat.shape), grown: swap(flat.grown), part: joinPart(part, `move${step}`) };
    moved = t.emit({ ...move, inputs: [flat] });
    now = [...pieces[0]!, ...pieces[2]!, group];
  }
  return reshapeTo(t, moved, { shape, grown, ...(part !== undefined && { part }) });
}

const joinPart = (part: string | undefined, step: string): string => (part === undefined ? step : `${part}.${step}`);

/** How many groups of the wanted order stand in it already and may stay where they are. */
function leading(wanted: readonly number[][], now: readonly number[][]): number {
  let count = 0;
  for (let at = -1; count < wanted.length; count++) {
    const next = now.indexOf(wanted[count]!);
    if (next < at) break;
    at = next;
  }
  return count;
}

/** The axes in their new order, those together that follow each other before and after; axes of size 1 do not count. */
function groupsOf({ shape, grown }: RuntimeOperand, order: readonly number[]): number[][] {
  const isOne = (axis: number): boolean => shape[axis] === 1 && grown[axis] === 1;
  const groups: number[][] = [];
  for (const axis of order) {
    if (isOne(axis)) continue;
    const last = groups.at(-1);
    const follows = last && Array.from({ length: axis - last.at(-1)! - 1 }, (_, i) => last.at(-1)! + 1 + i).every(isOne) && axis > last.at(-1)!;
    if (follows) last.push(axis);
    else groups.push([axis]);
  }
  return groups;
}

/** Blocks of channels become blocks of pixels. DCR: the block is the slow part of the channel; CRD: the fast one. */
export const depthToSpace: Mapping = (t) => {
  const block = blockOf(t);
  const mode = t.attributes.text('mode', 'DCR');
  if (mode !== 'DCR' && mode !== 'CRD') throw t.refuse(`mode '${mode.slice(0, 20)}' is not supported`, 'mode');
  const x = image(t);
  const [, channels, height, width] = x.shape as [number, number, number, number];
  const maps = channels / block ** 2;
  if (!Number.isInteger(maps)) throw t.invalid(`${channels} channels are no blocks of ${block} x ${block}`);
  const inner = mode === 'DCR' ? [block, block, maps] : [maps, block, block];
  const order = mode === 'DCR' ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3];
  through(t, x, [...inner, height, width], order, [maps, height * block, width * block]);
};

export const spaceToDepth: Mapping = (t) => {
  const block = blockOf(t);
  const x = image(t);
  const [, channels, height, width] = x.shape as [number, number, number, number];
  const [rows, columns] = [height / block, width / block];
  if (!Number.isInteger(rows) || !Number.isInteger(columns)) throw t.invalid(`[${x.shape}] cannot be cut into blocks of ${block} x ${block}`);
  through(t, x, [channels, rows, block, columns, block], [0, 3, 5, 1, 2, 4], [channels * block ** 2, rows, columns]);
};

/** A reshape, a transposition and a reshape, all behind the batch. */
function through(t: NodeTranslation, x: RuntimeOperand, inner: Shape, order: readonly number[], result: Shape): void {
  const behind = (shape: Shape, from: Shape): Shape => [from[0]!, ...shape];
  const blocks = reshapeTo(t, x, { shape: behind(inner, x.shape), grown: behind(inner, x.grown), part: 'blocks' });
  const turned = transposeTo(t, blocks, order, 'turned');
  reshapeTo(t, turned, { shape: behind(result, x.shape), grown: behind(result, x.grown) });
}

function blockOf(t: NodeTranslation): number {
  const block = t.attributes.integer('blocksize', 0);
  if (block < 1) throw t.invalid(`blocksize ${block} must be at least 1`);
  return block;
}

function image(t: NodeTranslation): RuntimeOperand {
  const x = t.runtime(0);
  if (x.shape.length !== 4) throw t.invalid(`the input [${x.shape}] has ${x.shape.length} axes instead of 4`);
  return x;
}
