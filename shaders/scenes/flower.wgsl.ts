/** A flower from above: two rings of petals with veins, a dotted heart, leaves below. It turns slowly. */
import type { ScenePainter } from './scene.wgsl.ts';

/** A vesica whose lower tip is at the origin. Also the leaf of others. */
export const PETAL = `
// Distance of count petals around the origin, from radius near to far, half-width wide; xy lean of the surface, z distance, w which one.
fn petals(p: vec2f, count: f32, near: f32, far: f32, wide: f32) -> vec4f {
  let turn = bearing(p) * count;
  let which = floor(turn + 0.5);
  let axis = direction(which / count);
  let half = 0.5 * (far - near);
  let q = vec2f(dot(p, vec2f(axis.y, -axis.x)), dot(p, axis) - near - half);
  let d = vesica(q, wide, half);
  let lean = vec2f(q.x / wide, 0.6 * q.y / half);
  return vec4f(lean.x * vec2f(axis.y, -axis.x) + lean.y * axis, d, q.x);
}
`;

export const flower: ScenePainter = {
  name: 'flower',
  kind: 'object',
  spin: 0.5,
  text: `${PETAL}
fn flowerCount(s: Scene) -> f32 { return 5.0 + floor(4.99 * s.r0.x); }
fn silhouette(p: vec2f, s: Scene) -> f32 { return length(p) - 0.72 - 0.15 * wave(0.25 + bearing(p) * flowerCount(s)); }
fn paint(p: vec2f, s: Scene) -> vec4f {
  let count = flowerCount(s);
  let width = (0.9 + 0.5 * s.r0.y) * 1.7 / count;
  let q = rotate(p, -0.02 * s.time);
  let heart = 0.2 + 0.1 * s.r0.z;
  // Leaves, the ring behind, the ring before, the heart.
  let leaf = petals(rotate(p, 0.31 + 0.2 * s.r1.x), 3.0, 0.2, 1.0, 0.17);
  var layer = over(vec4f(0), matt(tint(0.3 + 0.1 * s.r1.y, 0.6, 0.36), leaf.xy, leaf.z, s) * (1.0 - 0.4 * hump(leaf.w, 0.02)), cover(leaf.z, s));
  let back = petals(rotate(q, 0.5 / count), count, 0.05, 0.95, width);
  let colour = mix(s.main, s.second, 0.25 + 0.5 * s.r1.z);
  layer = over(layer, matt(colour * 0.72, back.xy, back.z, s), cover(back.z, s));
  let front = petals(q, count, 0.02, 0.9, width);
  layer = vec4f(layer.xyz * (1.0 - 0.35 * softCover(front.z - 0.03, 0.05)), layer.w);
  let vein = hump(front.w, 0.025 + 0.02 * s.r2.x);
  let toward = mix(s.main, mix(s.second, s.pale, 0.5 * s.r1.w), ramp(0.25, 0.85, length(q)) * s.r2.y);
  layer = over(layer, lit(toward * (1.0 - 0.3 * vein), front.xy, front.z, s), cover(front.z, s));
  let d = length(q) - heart;
  layer = vec4f(layer.xyz * (1.0 - 0.45 * softCover(d - 0.03, 0.07)), layer.w);
  let seedsOf = dots(rotate(q, 0.1) * 16.0, 0.3, s, 16.0);
  layer = over(layer, lit(mix(s.accent, s.deep, 0.55 * seedsOf), q / heart, d, s), cover(d, s));
  return layer;
}
`,
};
