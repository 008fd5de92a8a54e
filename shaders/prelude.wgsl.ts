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
