/**
 * Draws the maps of a layer as a grid of square cells, in colours.
 *   y [C, H, W] f32 activations    ranges [C] vec2f, range [1] vec2f (least, greatest) of each map and of the layer
 *   colors [2, 256] u32 RGBA: the table for layers without negative values, the table for the others
 *   t = ((v - low) / (high - low)) ^ gamma with low = min(0, least); around zero: t = (1 + sign(v) |v / m| ^ gamma) / 2
 * One fragment, one pixel; where a pixel covers several values it shows their mean. A value that is not finite is magenta.
 */
import { wgsl } from 'wgsl-preprocessor/wgsl-preprocessor.js';
import { record, wholeSurface } from './display_frame.wgsl.ts';

/**
 * first, count: the maps drawn; cell, gap: side of a cell in pixels, and how much of it stays empty; perMap: 1 gives
 * every map its own range; around: 1 puts zero in the middle of the colours, 0 never does, 2 where the layer goes below zero.
 */
export const MAPS_VIEW = ['first', 'count', 'height', 'width', 'columns', 'cell', 'gap', 'gamma', 'perMap', 'around'] as const;

/** Values along one side that are averaged into a pixel, at most. */
const MOST_TAPS = 6;

export function displayMaps(): string {
  return wgsl`
${record('View', MAPS_VIEW)}
@group(0) @binding(0) var<storage, read> y: array<f32>;
@group(0) @binding(1) var<storage, read> ranges: array<vec2f>;
@group(0) @binding(2) var<storage, read> range: array<vec2f>;
@group(0) @binding(3) var<storage, read> colors: array<u32>;
@group(0) @binding(4) var<storage, read> view: View;
${wholeSurface}

fn finite(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) < 0x7f800000u; }

fn shade(v: f32, map: u32) -> vec4f {
  if (!finite(v)) { return vec4f(1.0, 0.0, 1.0, 1.0); }
  let own = select(range[0], ranges[map], view.perMap > 0.0);
  let around = view.around == 1.0 || (view.around == 2.0 && range[0].x < 0.0);
  var t = 0.0;
  if (around) {
    let most = max(abs(own.x), abs(own.y));
    let share = select(0.0, v / most, most > 0.0);
    t = 0.5 + 0.5 * sign(share) * pow(abs(share), view.gamma);
  } else {
    let low = min(0.0, own.x);
    t = select(0.0, pow(clamp((v - low) / (own.y - low), 0.0, 1.0), view.gamma), own.y > low);
  }
  let table = select(0u, 256u, around);
  return unpack4x8unorm(colors[table + u32(round(clamp(t, 0.0, 1.0) * 255.0))]);
}

@fragment
fn pixel(@builtin(position) at: vec4f) -> @location(0) vec4f {
  let cell = floor(at.xy / view.cell);
  let index = cell.y * view.columns + cell.x;
  let inner = view.cell - view.gap;
  let within = at.xy - cell * view.cell;
  if (cell.x >= view.columns || index >= view.count || within.x >= inner || within.y >= inner) { return vec4f(0); }
  // A map that is not square keeps its shape: it stands in the middle of its cell.
  let size = vec2f(view.width, view.height);
  let side = max(size.x, size.y);
  let margin = 0.5 * (side - size);
  let span = side / inner;
  let spot = within * span - margin;
  if (any(spot < vec2f(0)) || any(spot >= size)) { return vec4f(0); }
  let map = u32(view.first + index);
  let taps = u32(clamp(ceil(span), 1.0, ${MOST_TAPS}.0));
  let corner = spot - 0.5 * span;
  var sum = 0.0;
  for (var i = 0u; i < taps * taps; i++) {
    let tap = (vec2f(f32(i % taps), f32(i / taps)) + 0.5) / f32(taps);
    let p = clamp(select(spot, corner + tap * span, taps > 1u), vec2f(0), size - 1.0);
    sum += y[(map * u32(view.height) + u32(p.y)) * u32(view.width) + u32(p.x)];
  }
  return shade(sum / f32(taps * taps), map);
}`;
}
