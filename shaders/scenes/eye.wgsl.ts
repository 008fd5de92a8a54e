/** An eye: lids with lashes and a crease, the white, an iris with fibres, a pupil, two catchlights. It looks about and blinks. */
import type { ScenePainter } from './scene.wgsl.ts';

export const eye: ScenePainter = {
  name: 'eye',
  kind: 'object',
  spin: 0.07,
  flips: true,
  text: `
fn eyeOpen(s: Scene) -> f32 {
  let blink = min(s.time, 1.0) * hump(centred(0.17 * s.time + s.r0.y), 0.012);
  return (0.4 + 0.17 * s.r0.x) * (1.0 - 0.85 * blink);
}
// Tear corner lower than the other one.
fn eyeAlmond(p: vec2f, open: f32, s: Scene) -> f32 { return vesica(vec2f(p.y - 0.1 * p.x * s.r0.z, p.x), open, 0.9); }
fn silhouette(p: vec2f, s: Scene) -> f32 { return vesica(vec2f(p.y - 0.06, p.x), eyeOpen(s) + 0.17, 1.0); }
fn paint(p: vec2f, s: Scene) -> vec4f {
  let open = eyeOpen(s);
  let d = eyeAlmond(p, open, s);
  let lid = silhouette(p, s) - 0.02;
  let natural = tint(0.06 + 0.03 * s.r1.x, 0.35 + 0.25 * s.r1.y, 0.3 + 0.55 * s.r1.z);
  let skin = mix(natural, s.main, select(0.0, 0.85, s.r1.w < 0.4));
  let upper = ramp(-0.02, 0.06, p.y);
  let crease = upper * hump(d - 0.1, 0.022);
  var layer = over(vec4f(0), matt(skin * (1.0 - 0.5 * crease) * (1.0 - 0.45 * hump(d, 0.07)), vec2f(0.6 * p.x, p.y / 0.7), lid, s), cover(lid, s));
  // Lashes fan out from the upper lid, the nearer the lid the thicker.
  let reach = 0.2 + 0.08 * s.r2.x;
  let lash = abs(centred(p.x * (8.0 - 5.0 * d) + 0.2)) / 8.0 - 0.028 * (1.0 - d / reach);
  layer = over(layer, vec3f(0.008), cover(max(lash, d - reach), s) * upper * (1.0 - cover(d, s)));
  // The white, shaded as a ball and by the upper lid.
  let inside = cover(d, s);
  let far = length(p);
  layer = over(layer, vec3f(0.88, 0.86, 0.84) * (1.0 - 0.45 * far * far) * (1.0 + 0.25 * dot(p, s.light)), inside);
  let look = vec2f(0.22 * (s.r2.y - 0.5), 0.08 * (s.r2.z - 0.5)) * 1.6 + 0.06 * vec2f(wave(0.13 * s.time + s.r2.w), 0.5 * wave(0.29 * s.time));
  let q = p - look;
  let r = length(q);
  let iris = 0.36 + 0.06 * s.r2.w;
  let b = bearing(q);
  let fibre = 0.5 + 0.3 * wave(23.0 * b + wave(7.0 * b + s.r3.x)) + 0.2 * wave(41.0 * b + 2.0 * r);
  let colour = mix(mix(s.second, s.accent, ramp(0.75, 0.4, r / iris)), s.pale, 0.12) * (0.55 + 0.65 * fibre) * (1.0 + 0.5 * dot(q, -s.light) / iris);
  layer = over(layer, colour * (1.0 - 0.75 * ramp(0.78, 1.0, r / iris)), inside * cover(r - iris, s));
  let pupil = iris * (0.34 + 0.2 * s.r3.y + 0.03 * wave(0.2 * s.time));
  layer = over(layer, vec3f(0.004), inside * cover(r - pupil, s));
  layer = vec4f(layer.xyz * (1.0 - 0.5 * inside * upper * softCover(-d - 0.05, 0.09)), layer.w);
  layer = over(layer, vec3f(1), inside * cover(length(q - 0.17 * s.light) - 0.065 - 0.02 * s.r3.z, s));
  layer = over(layer, vec3f(0.9), 0.6 * inside * cover(length(q + 0.15 * s.light) - 0.03, s));
  // The edge of the lids: thick above, thin below.
  return over(layer, vec3f(0.012), cover(abs(d) - 0.012 - 0.022 * upper, s));
}
`,
};
