/**
 * The gradient of an objective with respect to its layer, from what objective_places.wgsl.ts found.
 *   direction  dy[n, c, p] = a v[n, c] + b y[n, c, p]      energy  dy = b y      distance  dy = b (y - v)
 *   a, b = places[n, p, 1], places[n, p, 2]    y, dy [N, C, P] f32    v [N, C] f32, of distance [N, C, P]
 * One invocation, one element; where another objective of the layer came before, it is added to what that one left.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import type { PlacesParameters } from './objective_places.wgsl.ts';
import { linearMain, store } from './prelude.wgsl.ts';

export type SeedParameters = Omit<PlacesParameters, 'split'> & { readonly accumulate: boolean };

/** Whether the gradient depends on y: that of a plain dot product does not. */
export const seedReadsLayer = ({ kind, power }: Pick<PlacesParameters, 'kind' | 'power'>): boolean => kind !== 'direction' || power > 0;

export function objectiveSeed({ kind, batch, channels, plane, power, accumulate }: SeedParameters): string {
  const value = {
    direction: `pull.y * v[n * ${channels}u + c]${power > 0 ? ' + pull.z * y[i]' : ''}`,
    energy: 'pull.z * y[i]',
    distance: 'pull.z * (y[i] - v[i])',
  }[kind];
  return wgsl`
@group(0) @binding(0) var<storage, read> places: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> dy: array<f32>;
#if ${seedReadsLayer({ kind, power })}
@group(0) @binding(2) var<storage, read> y: array<f32>;
#endif
#if ${kind !== 'energy'}
@group(0) @binding(3) var<storage, read> v: array<f32>;
#endif

${linearMain(batch * channels * plane)}
  let n = i / ${channels * plane}u;
  let c = i / ${plane}u % ${channels}u;
  let pull = places[n * ${plane}u + i % ${plane}u];
  ${store('dy[i]', value, accumulate)}
}`;
}
