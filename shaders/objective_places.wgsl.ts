/**
 * What an objective finds at every place of a layer, and how it pulls there: f is the place's part of the score, and
 * the gradient of the score is dy = a v + b y (objective_seed.wgsl.ts).
 *   direction   d = <v, y_p>,  cos = d / (|v| |y_p|),  f = d max(cos, 1/10)^k
 *               a = (k + 1) cos^k,  b = -k d cos^k / |y_p|^2    where cos > 1/10;   a = 1/10^k,  b = 0   elsewhere
 *   energy      f = |y_p|^2,        b = 2
 *   distance    f = |y_p - v_p|^2,  b = 2, of y - v
 *   places[n, p] = share (f, a, b, 0)
 *   share = weight[n] / P for a direction everywhere, weight[n] at place[n] and 0 elsewhere for one at a place,
 *           weight[n] / (C P) for the energy (a mean of squares), weight[n] for the distance (a sum)
 *   y [N, C, P] f32    v [N, C] f32, of distance [N, C, P]    weight [N] f32    place [N] u32    places [N, P, 4] f32
 * Where a processor plays the GPU, and where there are places enough, one invocation makes a place; else the
 * invocations of a workgroup share it, and their sums are added in a fixed order.
 * Sources: Olah et al. 2017, "Feature Visualization" (direction: dot product times a power of the cosine similarity
 * that is not let fall below 1/10); Mordvintsev et al. 2015, "Inceptionism" (energy); Mahendran and Vedaldi 2015 (distance).
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { f32, linearGrid, MAX_GROUPS, WORKGROUP } from './prelude.wgsl.ts';
import { total } from './reduction.wgsl.ts';

/** A place of an image that means all of them. */
export const EVERYWHERE = 0xffffffff;

export interface PlacesParameters {
  readonly kind: 'direction' | 'energy' | 'distance';
  readonly batch: number;
  readonly channels: number;
  /** Places of a map. */
  readonly plane: number;
  /** k: of directions alone. */
  readonly power: number;
  /** Invocations that share a place. */
  readonly split: 1 | typeof WORKGROUP;
}

/** Places that fill a GPU, one invocation each. */
const MANY = 4096;

export const placesSplit = ({ batch, channels, plane }: Pick<PlacesParameters, 'batch' | 'channels' | 'plane'>, software: boolean): PlacesParameters['split'] =>
  !software && batch * plane < MANY && channels >= WORKGROUP ? WORKGROUP : 1;

export function placesGrid({ batch, plane, split }: PlacesParameters): [number, number, number] {
  if (split === 1) return linearGrid(batch * plane);
  const rows = Math.ceil((batch * plane) / MAX_GROUPS);
  return [Math.ceil((batch * plane) / rows), rows, 1];
}

export function objectivePlaces({ kind, batch, channels, plane, power, split }: PlacesParameters): string {
  const shared = split > 1;
  const store = (value: string): string => (shared ? `if (local == 0u) { places[i] = ${value}; }` : `places[i] = ${value};`);
  return wgsl`
@group(0) @binding(0) var<storage, read> y: array<f32>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read_write> places: array<vec4f>;
#if ${kind !== 'energy'}
@group(0) @binding(3) var<storage, read> v: array<f32>;
#endif
#if ${kind === 'direction'}
@group(0) @binding(4) var<storage, read> place: array<u32>;
#endif

${total(split)}

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let block = group.x + group.y * groups.x;
  let i = ${shared ? 'block' : `block * ${WORKGROUP}u + local`};
  if (i >= ${batch * plane}u) { return; }
  let n = i / ${plane}u;
  let at = i % ${plane}u;
#if ${kind === 'direction'}
  let chosen = place[n];
  let share = select(select(0.0, weight[n], at == chosen), weight[n] * ${f32(1 / plane)}, chosen == ${EVERYWHERE}u);
#elif ${kind === 'energy'}
  let share = weight[n] * ${f32(1 / (channels * plane))};
#else
  let share = weight[n];
#endif
  if (share == 0.0) {
    ${store('vec4f(0)')}
    return;
  }
  var product = 0.0;
  var square = 0.0;
  var length = 0.0;
  for (var c = ${shared ? 'local' : '0u'}; c < ${channels}u; c += ${split}u) {
    let value = y[(n * ${channels}u + c) * ${plane}u + at];
#if ${kind === 'direction'}
    let along = v[n * ${channels}u + c];
    product += along * value;
    #if ${power > 0}
    square += value * value;
    length += along * along;
    #endif
#elif ${kind === 'energy'}
    square += value * value;
#else
    let off = value - v[(n * ${channels}u + c) * ${plane}u + at];
    square += off * off;
#endif
  }
#if ${kind !== 'direction'}
  let f = total(square, local);
  ${store('share * vec4f(f, 0.0, 2.0, 0.0)')}
#elif ${power > 0}
  let d = total(product, local);
  let size = total(square, local);
  let cosine = d / max(sqrt(size * total(length, local)), 1e-30);
  let near = cosine > 0.1;
  let lift = pow(max(cosine, 0.1), ${f32(power)});
  ${store(`share * vec4f(d * lift, select(1.0, ${f32(power + 1)}, near) * lift, select(0.0, ${f32(-power)} * d * lift / max(size, 1e-30), near), 0.0)`)}
#else
  let f = total(product, local);
  ${store('share * vec4f(f, 1.0, 0.0, 0.0)')}
#endif
}`;
}
