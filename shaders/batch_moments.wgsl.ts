/**
 * Moments of a batch by channel: what batch normalization learns with. First those of every plane, then those of all
 * planes of a channel, each about its own mean, so that large means cost no digits.
 *   planes[n, c] = (mean of x, sum of (x - mean)^2) over one plane of P elements
 *   center = mean of the planes' means      squares = sum over n of (sum of a plane + P (its mean - center)^2)
 *   inverse = 1 / sqrt(squares / (N P) + epsilon)      a = scale inverse      b = shift - a center
 *   mean += momentum (center - mean)      variance += momentum (squares / (N P - 1) - variance)
 *   x [N, C, ...] f32    planes [N, C, 2] f32    moments [C, 2] f32: center, inverse    all others [C] f32
 * Running moments that would not stay finite stay as they are.
 * `planeMoments`: the invocations of a workgroup share a plane; where a processor plays the GPU, and for small planes, one
 * invocation has it. `batchMoments`: one invocation, one channel.
 * Sources: Ioffe and Szegedy 2015, algorithm 1; Chan, Golub and LeVeque 1983 (moments of parts).
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { BatchNormParameters } from './batch_norm.wgsl.ts';
import { elementsOf, f32, linearGrid, linearMain, MAX_GROUPS, WORKGROUP } from './prelude.wgsl.ts';
import { total } from './reduction.wgsl.ts';

export interface PlanesParameters extends BatchNormParameters {
  readonly software: boolean;
}

/** Invocations of a plane. */
const splitOf = ({ plane, software }: PlanesParameters): number => (software || plane < WORKGROUP / 2 ? 1 : WORKGROUP);

export function planesGrid(p: PlanesParameters): [number, number, number] {
  const planes = p.batch * p.channels;
  if (splitOf(p) === 1) return linearGrid(planes);
  const rows = Math.ceil(planes / MAX_GROUPS);
  return [Math.ceil(planes / rows), rows, 1];
}

/** Entry point: runs `body` for a plane of index `plane`, of channel c. */
export function planesMain(p: PlanesParameters, body: string): string {
  const split = splitOf(p);
  return `
${total(split)}

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let block = group.x + group.y * groups.x;
  ${split === 1 ? `let plane = block * ${WORKGROUP}u + local; let lane = 0u;` : 'let plane = block; let lane = local;'}
  if (plane >= ${p.batch * p.channels}u) { return; }
  let c = plane % ${p.channels}u;
  ${body}
}`;
}

/** Runs a statement for every load `at` of the plane that is this invocation's. */
export function planesEach(p: PlanesParameters, statement: string): string {
  const { count } = elementsOf(p.plane);
  return `for (var k = lane; k < ${count}u; k += ${splitOf(p)}u) { let at = plane * ${count}u + k; ${statement} }`;
}

/** The sum over a plane, from that over the loads of one invocation. */
export const planeTotal = (p: PlanesParameters, value: string): string => `total(${elementsOf(p.plane).type === 'vec4f' ? `dot(${value}, vec4f(1))` : value}, local)`;

export function planeMoments(p: PlanesParameters): string {
  const { type } = elementsOf(p.plane);
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<${type}>;
@group(0) @binding(1) var<storage, read_write> planes: array<vec2f>;
${planesMain(p, `var sum = ${type}(0);
  ${planesEach(p, 'sum += x[at];')}
  let mean = ${planeTotal(p, 'sum')} * ${f32(1 / p.plane)};
  var squares = ${type}(0);
  ${planesEach(p, 'let d = x[at] - mean; squares += d * d;')}
  let all = ${planeTotal(p, 'squares')};
  if (lane == 0u) { planes[plane] = vec2f(mean, all); }`)}`;
}

export function batchMoments(p: BatchNormParameters & { readonly epsilon: number; readonly momentum: number }): string {
  const count = p.batch * p.plane;
  const each = (statement: string): string => `for (var n = 0u; n < ${p.batch}u; n++) { let part = planes[n * ${p.channels}u + i]; ${statement} }`;
  return wgsl`
@group(0) @binding(0) var<storage, read> planes: array<vec2f>;
@group(0) @binding(1) var<storage, read> scale: array<f32>;
@group(0) @binding(2) var<storage, read> shift: array<f32>;
@group(0) @binding(3) var<storage, read_write> mean: array<f32>;
@group(0) @binding(4) var<storage, read_write> variance: array<f32>;
@group(0) @binding(5) var<storage, read_write> a: array<f32>;
@group(0) @binding(6) var<storage, read_write> b: array<f32>;
@group(0) @binding(7) var<storage, read_write> moments: array<vec2f>;

fn finite(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) < 0x7f800000u; }

${linearMain(p.channels)}
  var center = 0.0;
  ${each('center += part.x;')}
  center *= ${f32(1 / p.batch)};
  var squares = 0.0;
  ${each(`let d = part.x - center; squares += part.y + ${f32(p.plane)} * d * d;`)}
  let inverse = inverseSqrt(squares * ${f32(1 / count)} + ${f32(p.epsilon)});
  let slope = scale[i] * inverse;
  a[i] = slope;
  b[i] = shift[i] - slope * center;
  moments[i] = vec2f(center, inverse);
  let nextMean = mean[i] + ${f32(p.momentum)} * (center - mean[i]);
  let nextVariance = variance[i] + ${f32(p.momentum)} * (squares * ${f32(1 / (count - 1))} - variance[i]);
  if (finite(nextMean) && finite(nextVariance)) {
    mean[i] = nextMean;
    variance[i] = nextVariance;
  }
}`;
}
