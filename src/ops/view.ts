/** Ops that only rename the elements: reshape, flatten, identity (dropout at inference). They record no dispatch. */
import type { Op } from './op.ts';
import { elements } from './shape.ts';

const unreachable = (): never => {
  throw new Error('a view has no kernel');
};

export interface ReshapeAttributes {
  /** 0 copies the axis of the input, -1 is inferred. */
  readonly shape: readonly number[];
}

export const reshape: Op<ReshapeAttributes> = {
  name: 'reshape',
  attributes: { shape: [0, -1] },
  weights: {},
  arity: [1, 1],
  view: true,
  shape([x], { shape }, _weights, refuse) {
    const sizes = shape.map((size, axis) => (size === 0 ? (x![axis] ?? 0) : size));
    const inferred = sizes.filter((size) => size === -1).length;
    const known = sizes.reduce((product, size) => (size === -1 ? product : product * size), 1);
    const total = elements(x!);
    const missing = total / known;
    if (inferred > 1 || sizes.some((size) => size < -1 || !Number.isInteger(size)) || (inferred ? !Number.isInteger(missing) : known !== total)) {
      throw refuse(`[${x}] cannot be reshaped to [${shape}]`);
    }
    return sizes.map((size) => (size === -1 ? missing : size));
  },
  forward: unreachable,
  backward: unreachable,
};

export const flatten: Op<{ readonly axis: number }> = {
  name: 'flatten',
  attributes: { axis: 1 },
  weights: {},
  arity: [1, 1],
  view: true,
  shape([x], { axis }, _weights, refuse) {
    if (!Number.isInteger(axis) || axis < 0 || axis > x!.length) throw refuse(`axis ${axis} of a tensor of ${x!.length} axes`);
    return [elements(x!.slice(0, axis)), elements(x!.slice(axis))];
  },
  forward: unreachable,
  backward: unreachable,
};

export const identity: Op<Record<string, never>> = {
  name: 'identity',
  attributes: {},
  weights: {},
  arity: [1, 1],
  view: true,
  shape: ([x]) => x!,
  forward: unreachable,
  backward: unreachable,
};
