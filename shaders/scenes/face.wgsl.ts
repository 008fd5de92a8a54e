/** A face: head, ears, hair or none, eyes, brows, nose, cheeks, a mouth between glad and sad, shut or open. It looks about. */
import { EYEBALL } from './parts.wgsl.ts';
import type { ScenePainter } from './scene.wgsl.ts';

export const face: ScenePainter = {
  name: 'face',
  kind: 'object',
  spin: 0.06,
  text: `${EYEBALL}
fn faceHead(p: vec2f, s: Scene) -> f32 { return ellipse(p + vec2f(0, 0.06), vec2f(0.6 + 0.12 * s.r0.x - 0.08 * min(p.y, 0.0) * (s.r0.y - 0.7), 0.76 + 0.08 * s.r0.z)); }
fn faceHairBehind(p: vec2f, s: Scene) -> f32 {
  let long = select(0.0, 0.5 + 0.4 * s.r1.x, s.r1.y > 0.55);
  return roundedBox(p - vec2f(0, 0.2 - 0.5 * long), vec2f(0.72 + 0.1 * s.r0.x, 0.68 + 0.5 * long), 0.62);
}
fn silhouette(p: vec2f, s: Scene) -> f32 { return min(faceHead(p, s), select(9.0, faceHairBehind(p, s), s.r1.y > 0.2)); }
fn paint(p: vec2f, s: Scene) -> vec4f {
  let side = select(-1.0, 1.0, p.x > 0.0);
  let haired = s.r1.y > 0.2;
  let hair = mix(tint(0.06 + 0.04 * s.r1.z, 0.5, 0.1 + 0.45 * s.r1.w), s.second, select(0.0, 0.8, s.r3.x < 0.28));
  let natural = tint(0.06 + 0.03 * s.r2.x, 0.32 + 0.25 * s.r2.y, 0.36 + 0.5 * s.r2.z);
  let skin = mix(natural, s.main, select(0.0, 0.75, s.r2.w < 0.16));
  let strand = 0.82 + 0.18 * wave(5.0 * p.x + 0.5 * wave(0.8 * p.y));
  let head = faceHead(p, s);
  let behind = faceHairBehind(p, s);
  var layer = over(vec4f(0), matt(hair * 0.6 * strand, p, behind, s), cover(behind, s) * select(0.0, 1.0, haired));
  let e = p - vec2f(side * (0.62 + 0.11 * s.r0.x), -0.02);
  let ear = ellipse(e, vec2f(0.11, 0.17));
  layer = over(layer, matt(skin * (0.65 + 0.35 * ramp(-0.09, -0.02, ear)), e / 0.2, ear, s), cover(ear, s));
  layer = vec4f(layer.xyz * (1.0 - 0.4 * softCover(head - 0.03, 0.06)), layer.w);
  let cheek = hump(length(p - vec2f(side * 0.36, -0.2)), 0.16);
  var colour = lit(mix(skin, skin * vec3f(1.1, 0.55, 0.5), 0.55 * cheek), p / 0.75, head, s);
  // The nose throws a shadow away from the light.
  let nose = vesica(p - vec2f(0, -0.1), 0.075, 0.2);
  colour *= 1.0 - 0.3 * softCover(vesica(p - vec2f(0, -0.13) + 0.04 * s.light, 0.075, 0.2), 0.04);
  colour = mix(colour, lit(skin * 1.06, vec2f(p.x / 0.085, (p.y + 0.1) / 0.2), nose, s), softCover(nose, 0.025));
  layer = over(layer, colour, cover(head, s));
  let look = vec2f(1.2 * (s.r3.y - 0.5), 0.7 * (s.r3.z - 0.5)) + 0.3 * vec2f(wave(0.17 * s.time + s.r3.w), 0.0);
  layer = eyeball(layer, p - vec2f(side * 0.26, 0.11), 0.105 + 0.035 * s.r0.w, look, s.accent, s);
  let a = pick4(s.seed, 1u);
  let raise = 0.05 * a.x;
  let brow = segment(vec2f(abs(p.x), p.y), vec2f(0.13, 0.27 + raise + 0.08 * (a.y - 0.4)), vec2f(0.4, 0.27 + raise - 0.05 * (a.y - 0.4)), 0.02 + 0.018 * a.z);
  layer = over(layer, min(hair, vec3f(0.25)) * 0.5, cover(brow, s));
  // The mouth: between two arcs.
  let b = pick4(s.seed, 2u);
  let wide = 0.2 + 0.1 * b.x;
  let t = min(1.0 - p.x * p.x / (wide * wide), 1.0);
  let bow = 0.16 * (0.22 - b.y);
  let gap = select(0.02, 0.09 + 0.1 * b.w, b.z < 0.45) * (1.0 + 0.15 * wave(0.5 * s.time));
  let y = p.y + 0.47 - 0.4 * bow;
  let mouth = max(y - bow * t, (bow - gap) * t - y) * 0.85;
  layer = over(layer, mix(skin * vec3f(0.75, 0.25, 0.25), s.deep, 0.2), cover(mouth - 0.03, s));
  layer = over(layer, vec3f(0.05, 0.008, 0.012), cover(mouth, s));
  layer = over(layer, vec3f(0.85), cover(max(mouth, bow * t - 0.07 - y), s) * select(0.0, 1.0, b.z < 0.3));
  // The hair before the brow.
  let cut = 0.36 + 0.12 * wave((0.5 + 0.5 * a.w) * p.x + b.x) + 0.03 * wave(3.0 * p.x);
  let front = max(min(head - 0.07, behind + 0.04), cut - p.y);
  layer = vec4f(layer.xyz * (1.0 - select(0.0, 0.35, haired) * softCover(front - 0.03, 0.05)), layer.w);
  return over(layer, lit(hair * strand, vec2f(p.x / 0.75, (p.y - 0.3) / 0.6), front, s), cover(front, s) * select(0.0, 1.0, haired));
}
`,
};
