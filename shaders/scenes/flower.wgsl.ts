/** A flower from above: two rings of petals with veins, a dotted heart, leaves below. It turns slowly. */
import { PETALS } from './parts.wgsl.ts';
import type { ScenePainter } from './scene.wgsl.ts';

export const flower: ScenePainter = {
  name: 'flower',
  kind: 'object',
  spin: 0.5,
  text: `${PETALS}
fn flowerCount(s: Scene) -> f32 { return 5.0 + floor(4.99 * s.r0.x); }
fn silhouette(p: vec2f, s: Scene) -> f32 { return length(p) - 0.78 - 0.1 * wave(0.25 + 2.0 * bearing(p) * flowerCount(s)); }
fn paint(p: vec2f, s: Scene) -> vec4f {
  let count = flowerCount(s);
  let wide = (0.85 + 0.4 * s.r0.y) * 1.55 / count;
  let q = rotate(p, -0.02 * s.time);
  let heart = 0.19 + 0.1 * s.r0.z;
  // Leaves, the ring behind, the ring before, the heart.
  let leaf = petals(rotate(p, 0.31 + 0.2 * s.r1.x), 3.0, 0.2, 1.04, 0.17);
  var layer = over(vec4f(0), matt(tint(0.28 + 0.12 * s.r1.y, 0.6, 0.38), leaf.xy, leaf.z, s) * (1.0 - 0.4 * hump(leaf.w, 0.02)), cover(leaf.z, s));
  let back = petals(rotate(q, 0.5 / count), count, 0.05, 0.94, wide);
  layer = over(layer, matt(mix(s.main, s.second, 0.2 + 0.5 * s.r1.z) * 0.7, back.xy, back.z, s), cover(back.z, s));
  let front = petals(q, count, 0.02, 0.9, wide);
  layer = vec4f(layer.xyz * (1.0 - 0.4 * softCover(front.z - 0.03, 0.05)), layer.w);
  let toward = mix(s.main, mix(s.second, s.pale, s.r1.w), ramp(0.25, 0.9, length(q)) * s.r2.y);
  let vein = hump(front.w, 0.02 + 0.02 * s.r2.x);
  layer = over(layer, lit(toward * (1.0 - 0.3 * vein), front.xy, front.z, s), cover(front.z, s));
  let d = length(q) - heart;
  layer = vec4f(layer.xyz * (1.0 - 0.5 * softCover(d - 0.03, 0.07)), layer.w);
  let stamen = dots(rotate(q, 0.1) * 16.0, 0.3, s, 16.0);
  return over(layer, lit(mix(s.accent, s.deep, 0.6 * stamen), q / heart, d, s), cover(d, s));
}
`,
};
