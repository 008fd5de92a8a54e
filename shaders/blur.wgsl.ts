/**
 * Gaussian blur along one axis, on the images whose turn it is.
 *   y[.., i, ..] = sum over d in -r .. r of taps[|d|] x[.., mirror(i + d), ..]
 *   mirror repeats the edge sample: d c b a | a b c d | d c b a
 *   x, y [N, C, H, W] f32    taps [N, MAX_BLUR_TAPS + 1] f32, normalized    settings, state: ascent.wgsl.ts
 * One invocation, one value. An image whose turn it is not is copied.
 * Source: scipy.ndimage.gaussian_filter (mode `reflect`, truncate 4), which Yosinski et al. 2015 use.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { MAX_BLUR_TAPS, moving, SETTING, STATE } from './ascent.wgsl.ts';
import { linearMain } from './prelude.wgsl.ts';

export function blur(p: {
  readonly batch: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly axis: 'x' | 'y';
}): string {
  const image = p.channels * p.height * p.width;
  const size = p.axis === 'x' ? p.width : p.height;
  const stride = p.axis === 'x' ? 1 : p.width;
  return wgsl`
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> taps: array<f32>;
@group(0) @binding(2) var<storage, read> settings: array<f32>;
@group(0) @binding(3) var<storage, read> state: array<u32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
${moving}

fn mirror(i: i32) -> i32 {
  let m = ((i % ${2 * size}) + ${2 * size}) % ${2 * size};
  return select(${2 * size - 1} - m, m, m < ${size});
}

${linearMain(p.batch * image)}
  let n = i / ${image}u;
  let q = n * ${SETTING.words}u;
  let reach = i32(settings[q + ${SETTING.blurTaps}u]);
  let every = u32(settings[q + ${SETTING.blurEvery}u]);
  if (reach == 0 || every == 0u || state[n * ${STATE.words}u + ${STATE.step}u] % max(every, 1u) != 0u || !moving(n)) {
    y[i] = x[i];
    return;
  }
  let here = i32((i / ${stride}u) % ${size}u);
  let line = i32(i) - here * ${stride};
  let first = n * ${MAX_BLUR_TAPS + 1}u;
  var sum = taps[first] * x[i];
  for (var d = 1; d <= reach; d++) {
    sum += taps[first + u32(d)] * (x[line + mirror(here - d) * ${stride}] + x[line + mirror(here + d) * ${stride}]);
  }
  y[i] = sum;
}`;
}
