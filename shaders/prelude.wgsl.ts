/** What every kernel shares: workgroup size, the invocation index, float literals, stores. */

/** Invocations per workgroup of the one-dimensional kernels; within WebGPU's default limit of 256. */
export const WORKGROUP = 64;

/** WebGPU's default limit of workgroups along one axis. */
export const MAX_GROUPS = 65535;

/** Workgroups for `count` invocations of a one-dimensional kernel, folded into y past the limit of x. */
export function linearGrid(count: number): [number, number, number] {
  const groups = Math.max(1, Math.ceil(count / WORKGROUP));
  const rows = Math.ceil(groups / MAX_GROUPS);
  return [Math.ceil(groups / rows), rows, 1];
}

/** Signature and bounds check of a one-dimensional kernel: binds `i`, one invocation per element. */
export function linearMain(count: number): string {
  return `@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * ${WORKGROUP}u;
  if (i >= ${count}u) { return; }`;
}

/** A number as an f32 literal. Infinite bounds become the largest finite float. */
export function f32(value: number): string {
  const finite = Math.max(-3.4028234663852886e38, Math.min(3.4028234663852886e38, Math.fround(value)));
  const text = String(finite);
  return `(${/[.e]/.test(text) ? text : `${text}.0`}f)`;
}

/** `target = value;`, or `target = target + value;` where a branch before this one has left its share. */
export function store(target: string, value: string, accumulate: boolean): string {
  return accumulate ? `${target} = ${target} + ${value};` : `${target} = ${value};`;
}

/** The numbers from `first` on. */
export const range = (count: number, first = 0): number[] => Array.from({ length: count }, (_, i) => first + i);

/** Names a constant offset of either sign. */
export const named = (offset: number): string => (offset < 0 ? `m${-offset}` : `${offset}`);

/** `start + offset` (u32) in text, for a constant offset of either sign. */
export const plus = (start: string, offset: number): string => (offset === 0 ? start : offset < 0 ? `${start} - ${-offset}u` : `${start} + ${offset}u`);

export const sum = (terms: readonly string[]): string => terms.join(' + ') || '0.0';

/** The conjunction of the given conditions, in parentheses where they compare; empty where there is none. */
export const every = (...conditions: readonly string[]): string => conditions.filter(Boolean).join(' & ');

/** A value, or zero where the condition fails. */
export const valueIf = (condition: string, value: string): string => (condition ? `select(0.0, ${value}, ${condition})` : value);

/** Blocks of `count` cells that hold `size` elements; the first block begins `before` elements ahead of the first one. */
export interface Edge {
  readonly count: number;
  readonly size: number;
  readonly before: number;
  readonly blocks: number;
}

/**
 * A statement for each cell of the block at `start` (u32, wrapping below zero) that holds an element. Cells that always
 * do are not tested. The conditions of the others lie in each other: what follows a cell past the end is past it too.
 */
export function within(start: string, { count, size, before, blocks }: Edge, statement: (cell: number) => string): string {
  const isBefore = (cell: number): boolean => cell < before;
  const isPast = (cell: number): boolean => (blocks - 1) * count - before + cell >= size;
  const nest = (tested: readonly number[]): string =>
    tested.map((cell) => `if (${plus(start, cell)} < ${size}u) {\n  ${statement(cell)}`).join('\n  ') + '}'.repeat(tested.length);
  const cells = range(count);
  return [
    ...cells.filter((cell) => !isBefore(cell) && !isPast(cell)).map(statement),
    nest(cells.filter((cell) => !isBefore(cell) && isPast(cell))),
    nest(cells.filter((cell) => isBefore(cell) && !isPast(cell)).reverse()),
    ...cells.filter((cell) => isBefore(cell) && isPast(cell)).map((cell) => nest([cell])),
  ].filter(Boolean).join('\n  ');
}

/**
 * `count` elements shared out among `stride` invocations, up to `most` each: those of one lie `stride` apart, so that
 * neighbours read and write side by side.
 */
export interface Spread {
  readonly count: number;
  readonly stride: number;
  readonly each: number;
}

export function spread(count: number, most: number): Spread {
  const stride = Math.ceil(count / most);
  return { count, stride, each: Math.ceil(count / stride) };
}

/** A statement for each element of invocation `start`, of which only the last can be missing. */
export const spreadOver = (start: string, { count, stride, each }: Spread, statement: (step: number) => string): string =>
  range(each)
    .map((step) => ((step + 1) * stride > count ? `if (${plus(start, step * stride)} < ${count}u) { ${statement(step)} }` : statement(step)))
    .join('\n  ');

/** How `count` elements are shared out in an elementwise kernel: by fours where there are no others. */
export interface Elements extends Spread {
  readonly type: 'f32' | 'vec4f';
}

export const elementsOf = (count: number): Elements => (count % 4 === 0 ? { type: 'vec4f', ...spread(count / 4, 2) } : { type: 'f32', ...spread(count, 4) });

export const elementwiseGrid = (count: number): [number, number, number] => linearGrid(elementsOf(count).stride);

/** Entry point: what to load of each element of an invocation, then what to store; both get its index and number. */
export const elementwiseMain = (elements: Elements, load: (at: string, step: number) => string, save: (at: string, step: number) => string): string => `
${linearMain(elements.stride)}
  ${range(elements.each).map((step) => load(plus('i', step * elements.stride), step)).join('\n  ')}
  ${spreadOver('i', elements, (step) => save(plus('i', step * elements.stride), step))}
}`;
