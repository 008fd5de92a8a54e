/** The sun: a glowing disc and its rays, pointed, wavy or like strokes, every second one shorter. It turns. */
import type { ScenePainter } from './scene.wgsl.ts';

export const sun: ScenePainter = {
  name: 'sun',
  kind: 'object',
  spin: 0.5,
  text: `
fn sunDisc(s: Scene) -> f32 { return 0.38 + 0.13 * s.r0.x; }
fn silhouette(p: vec2f, s: Scene) -> f32 { return length(p) - sunDisc(s) - 0.1; }
fn paint(p: vec2f, s: Scene) -> vec4f {
  let r = length(p);
  let disc = sunDisc(s);
  let hue = mix(0.05 + 0.11 * s.r0.y, s.hue, select(0.0, 1.0, s.r0.z < 0.08));
  let core = tint(hue + 0.02, 0.55, 0.97);
  let fire = tint(hue - 0.035, 0.75, 0.9);
  // Rays: a is 0 in the middle of one and 1/2 between two, 'along' runs from 0 at its foot to 1 at its tip.
  let count = 2.0 * floor(4.0 + 4.99 * s.r0.w);
  let wavy = s.r1.x < 0.35;
  let bend = select(0.0, 0.1, wavy) * wave(2.0 * r - 0.3 * s.time);
  let turn = (bearing(p) + 0.01 * s.time) * count + bend * r * 4.0;
  let which = floor(turn + 0.5);
  let short = abs(which - 2.0 * floor(0.5 * which)) * 0.3 * s.r1.y;
  let foot = disc + 0.04 + 0.1 * s.r1.z;
  let along = (r - foot) / (1.0 - foot - short * (1.0 - foot));
  let arcOf = 6.2831853 * r / count;
  let pointed = abs(centred(turn)) * arcOf - (1.0 - along) * 0.42 * 6.2831853 * foot / count - select(0.0, 0.012, wavy);
  let stroke = abs(centred(turn)) * arcOf - 0.12 * 6.2831853 * foot / count - 0.02;
  let ray = max(select(pointed, stroke, s.r1.w < 0.3) * select(0.9, 0.55, wavy), max(foot - r, (along - 1.0) * 0.5));
  // The glow is light on what lies behind.
  let glow = 0.6 * hump(max(r - disc, 0.0), 0.3);
  var layer = vec4f(fire * glow, 0.75 * glow);
  layer = over(layer, mix(fire, core, clamp(along, 0.0, 1.0)) * (1.05 - 0.25 * s.r2.x), cover(ray, s));
  let d = r - disc;
  let n = p / disc;
  let boil = 0.5 + 0.5 * wave(0.9 * n.x + 0.7 * wave(0.8 * n.y + s.r2.y + 0.1 * s.time)) * wave(1.1 * n.y + s.r2.z);
  let face = mix(core, fire, 0.85 * ramp(0.35, 1.0, length(n)) + 0.12 * boil);
  layer = over(layer, fire * 0.55, cover(d - 0.025, s) * s.r2.w);
  return over(layer, face * (1.0 + 0.18 * dot(n, s.light)) + vec3f(0.2) * hump(length(n - 0.4 * s.light), 0.35), cover(d, s));
}
`,
};
