/** A fish from the side: body, forked tail, fins with rays; stripes, dots or scales; eye, gill, mouth. It swims. */
import { EYEBALL } from './parts.wgsl.ts';
import type { ScenePainter } from './scene.wgsl.ts';

export const fish: ScenePainter = {
  name: 'fish',
  kind: 'object',
  spin: 0.09,
  flips: true,
  text: `${EYEBALL}
fn fishTall(s: Scene) -> f32 { return 0.26 + 0.2 * s.r0.x; }
// The straight fish at p: the tail swings most.
fn fishStraight(p: vec2f, s: Scene) -> vec2f {
  return vec2f(p.x, p.y - 0.07 * wave(0.4 * p.x + s.r0.z + 0.7 * s.time) * (0.6 - 0.55 * p.x));
}
fn fishBody(q: vec2f, s: Scene) -> f32 { return vesica(vec2f(q.y, q.x - 0.17), fishTall(s) - 0.05, 0.68) - 0.05; }
fn fishTail(q: vec2f, s: Scene) -> f32 {
  let x = -0.38 - q.x;
  let y = abs(q.y);
  return 0.8 * max(max(y - 0.05 - (0.6 + 0.35 * s.r0.w) * max(x, 0.0), x - 0.34 - (0.3 + 0.3 * s.r0.y) * y), -0.1 - x) - 0.02;
}
// Back and belly fins, leaning backwards.
fn fishFin(q: vec2f, s: Scene) -> f32 {
  let tall = fishTall(s);
  let y = abs(q.y) - 0.4 * tall;
  let above = q.y > 0.0;
  return triangle(vec2f(q.x - 0.06 + 0.75 * y, y), select(0.15, 0.36, above), select(0.9, 1.0, above) * tall) - 0.03;
}
fn silhouette(p: vec2f, s: Scene) -> f32 { let q = fishStraight(p, s); return min(min(fishBody(q, s), fishTail(q, s)), fishFin(q, s)); }
fn paint(p: vec2f, s: Scene) -> vec4f {
  let q = fishStraight(p, s);
  let tall = fishTall(s);
  let fins = min(fishTail(q, s), fishFin(q, s));
  let rays = 0.75 + 0.25 * wave(select(13.0 * q.y / (0.25 - min(q.x, 0.0)), 7.0 * (q.x + 0.75 * abs(q.y)), q.x > -0.42));
  var layer = over(vec4f(0), matt(mix(s.second, s.main, 0.3 * s.r1.w) * rays, vec2f(-0.4, q.y), fins, s), cover(fins, s));
  let d = fishBody(q, s);
  layer = vec4f(layer.xyz * (1.0 - 0.4 * softCover(d - 0.02, 0.04)), layer.w);
  // Scales lie in rows, each shifted by half a scale.
  let g = vec2f(9.0 * q.x, 18.0 * q.y);
  let row = floor(g.y);
  let c = vec2f(centred(g.x + 0.5 * (row - 2.0 * floor(0.5 * row))), 0.5 * (g.y - row) + 0.1);
  let scales = 0.5 * ramp(0.3, 0.5, length(c));
  let bands = stripes((3.0 + 3.0 * s.r1.y) * q.x + 0.12 * wave(1.5 * q.y) + s.r1.z, 0.5, s, 5.0);
  let spots = dots(q * (6.0 + 3.0 * s.r1.y) + s.r1.zw, 0.27, s, 8.0);
  let drawn = select(select(scales, spots, s.r1.x < 0.62), bands, s.r1.x < 0.36);
  let head = ramp(0.4, 0.46, q.x - 0.1 * q.y * q.y / (tall * tall));
  var skin = mix(mix(s.pale, s.main, ramp(-0.95, -0.05, q.y / tall)), s.second, drawn * (1.0 - head) * (0.55 + 0.45 * s.r2.x));
  skin = mix(skin, s.main * 0.85, 0.7 * head);
  let gill = hump(q.x - 0.43 + 0.6 * q.y * q.y / tall, 0.022) * ramp(0.85, 0.6, abs(q.y) / tall);
  let mouth = cover(segment(q, vec2f(0.66, -0.09), vec2f(0.86, -0.05), 0.012), s);
  skin *= (1.0 - 0.5 * gill) * (1.0 - 0.75 * mouth);
  layer = over(layer, lit(skin, vec2f(0.5 * (q.x - 0.17) / 0.7, q.y / tall), d, s), cover(d, s));
  let f = rotate(q - vec2f(0.2, -0.28 * tall), 0.14 + 0.03 * wave(0.9 * s.time + s.r2.y)) + vec2f(0.0, 0.13);
  let side = vesica(f, 0.075, 0.16);
  layer = vec4f(layer.xyz * (1.0 - 0.35 * softCover(side - 0.015, 0.04)), layer.w);
  layer = over(layer, matt(s.second * (0.8 + 0.2 * wave(9.0 * f.x)), f / 0.16, side, s), cover(side, s));
  return eyeball(layer, q - vec2f(0.58, 0.2 * tall), 0.085 + 0.03 * s.r2.z, vec2f(0.4, 0.0), s.accent, s);
}
`,
};
