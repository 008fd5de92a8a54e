/**
 * Shows the image to the network: clips it to what a pixel can be and scales it to network units, in one pass.
 *   xx[n, c, i] = min(max(xx + mean, 0), 255) - mean      x[n, c, i] = scale[c] xx[n, c, i]
 *   xx [N, C, H, W] f32, pixels of 0..255 with the mean subtracted; x [N, C, H, W] f32, network units
 * One invocation, one value. Source: Yosinski et al. 2015, section 3.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { channelScale } from './ascent.wgsl.ts';
import { f32, linearMain } from './prelude.wgsl.ts';

export function present(p: {
  readonly batch: number;
  readonly plane: number;
  /** Per channel: the mean in 0..255, and the factor to network units. */
  readonly mean: readonly number[];
  readonly scale: readonly number[];
}): string {
  const channels = p.mean.length;
  return wgsl`
@group(0) @binding(0) var<storage, read_write> xx: array<f32>;
@group(0) @binding(1) var<storage, read_write> x: array<f32>;
${channelScale(p.scale)}
const LOW = array<f32, ${channels}>(${p.mean.map((mean) => f32(-mean)).join(', ')});
const HIGH = array<f32, ${channels}>(${p.mean.map((mean) => f32(255 - mean)).join(', ')});

${linearMain(p.batch * channels * p.plane)}
  let c = (i / ${p.plane}u) % ${channels}u;
  let v = xx[i];
  // NaN passes through min and max unseen; keep it, so that the next step reports it.
  let finite = (bitcast<u32>(v) & 0x7fffffffu) < 0x7f800000u;
  let clipped = select(v, min(max(v, LOW[c]), HIGH[c]), finite);
  xx[i] = clipped;
  x[i] = clipped * SCALE[c];
}`;
}
