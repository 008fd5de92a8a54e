/** A butterfly from above: two pairs of wings with veins, bands, eyes and a dotted margin, alike on both sides; it beats its wings. */
import type { ScenePainter } from './scene.wgsl.ts';

export const butterfly: ScenePainter = {
  name: 'butterfly',
  kind: 'object',
  spin: 0.16,
  text: `
// How far the wings are open, left and right: 1 is flat, less is seen aslant.
fn butterflyOpen(s: Scene) -> vec2f {
  let open = 0.82 + 0.18 * wave(0.45 * s.time + s.r3.x);
  let tilt = 0.55 * (s.r3.y - 0.5);
  return open * vec2f(1.0 - max(tilt, 0.0), 1.0 + min(tilt, 0.0));
}
// Both sides laid on one, as if the wings were flat.
fn butterflyFlat(p: vec2f, s: Scene) -> vec2f {
  let open = butterflyOpen(s);
  return vec2f(abs(p.x) / select(open.y, open.x, p.x < 0.0), p.y);
}
fn butterflyFore(q: vec2f, s: Scene) -> f32 {
  let tip = vec2f(0.74 + 0.16 * s.r0.x, 0.52 + 0.24 * s.r0.y);
  let lobe = taper(q, vec2f(0.03, 0.1), vec2f(0.55, 0.36), 0.06, 0.28);
  return melt(lobe, taper(q, vec2f(0.1, 0.2), tip, 0.05, 0.1), 0.2);
}
fn butterflyHind(q: vec2f, s: Scene) -> f32 {
  let lobe = taper(q, vec2f(0.03, 0.03), vec2f(0.4 + 0.06 * s.r0.z, -0.4), 0.08, 0.285);
  let tail = taper(q, vec2f(0.36, -0.5), vec2f(0.44, -0.93), 0.07, 0.025);
  let tailed = select(lobe, melt(lobe, tail, 0.12), s.r0.w > 0.55);
  return tailed - 0.016 * wave(14.0 * bearing(q - vec2f(0.03, 0.05)));
}

// One wing by its distance d: colour from the hinge outwards, bands, veins, an eye, the margin and its dots.
fn butterflyWing(q: vec2f, d: f32, base: vec3f, tip: vec3f, eye: vec2f, s: Scene) -> vec3f {
  let h = q - vec2f(0.03, 0.08);
  let l = length(h);
  let turn = bearing(h);
  var colour = mix(base, tip, ramp(0.15, 0.75, l));
  let bent = l + 0.03 * wave(9.0 * turn);
  let bands = stripes(bent * (3.6 + 2.0 * s.r1.x) + s.r1.y, 0.42, s, 4.5) * ramp(0.2, 0.35, l);
  colour = mix(colour, mix(s.deep, s.accent, s.r1.z), select(0.0, 0.85, s.r1.w > 0.6) * bands);
  let vein = abs(centred(24.0 * turn)) * l * 0.26;
  colour *= 1.0 - 0.35 * hump(vein, 0.006) * ramp(0.08, 0.3, l);
  // The margin, and a dot between every two veins.
  let margin = 0.06 + 0.06 * s.r2.x;
  colour = mix(colour, 0.6 * s.deep, cover(-d - margin - 0.012 * wave(24.0 * turn), s));
  let spot = vec2f(centred(24.0 * turn + 0.5) * l * 0.26, d + 0.5 * margin);
  colour = mix(colour, s.pale, select(0.0, 1.0, s.r2.y > 0.3) * ramp(0.25, 0.35, l) * cover(length(spot) - 0.021, s));
  // An eye: a pale ring, a coloured one, a dark heart with a gleam.
  let e = length(q - eye);
  let wide = (0.08 + 0.06 * s.r2.z) * select(0.0, 1.0, s.r2.w > 0.35);
  colour = mix(colour, 0.5 * s.deep, cover(e - 1.25 * wide, s) * select(0.0, 1.0, wide > 0.0));
  colour = mix(colour, s.accent, cover(e - wide, s) * select(0.0, 1.0, wide > 0.0));
  colour = mix(colour, 0.3 * s.deep, cover(e - 0.6 * wide, s) * select(0.0, 1.0, wide > 0.0));
  colour = mix(colour, s.pale, cover(length(q - eye - 0.2 * wide) - 0.22 * wide, s) * select(0.0, 1.0, wide > 0.0));
  // Scales.
  return colour * (0.9 + 0.2 * noise(q * 24.0, s.seed));
}

fn silhouette(p: vec2f, s: Scene) -> f32 {
  let q = butterflyFlat(p, s);
  return min(butterflyFore(q, s), butterflyHind(q, s));
}

fn paint(p: vec2f, s: Scene) -> vec4f {
  let q = butterflyFlat(p, s);
  let open = butterflyOpen(s);
  // Each side leans its own way.
  let lean = vec2f(sign(p.x) * (0.9 - 0.6 * select(open.y, open.x, p.x < 0.0)), 0.1);
  let hind = butterflyHind(q, s);
  let hindColour = butterflyWing(q, hind, mix(s.second, s.main, s.r1.w), s.main, vec2f(0.42, -0.36), s);
  var layer = over(vec4f(0), matt(hindColour * 0.9, lean, hind, s), cover(hind, s));
  let fore = butterflyFore(q, s);
  layer = vec4f(layer.xyz * (1.0 - 0.4 * softCover(fore - 0.02, 0.05)), layer.w);
  let foreColour = butterflyWing(q, fore, s.main, mix(s.second, s.main, s.r1.y), vec2f(0.55, 0.4), s);
  layer = over(layer, matt(foreColour, lean, fore, s), cover(fore, s));

  // Antennae that bend outwards, with clubs; the body.
  let x = abs(p.x);
  let t = clamp(p.y - 0.3, 0.0, 0.46);
  let reach = 0.12 + 0.14 * s.r3.z + 0.015 * wave(0.7 * s.time);
  let feeler = max(abs(x - 0.02 - reach * t - 1.2 * reach * t * t) / sqrt(1.0 + 4.0 * reach * reach) - 0.013, abs(p.y - 0.53) - 0.23);
  let club = circle(vec2f(x, p.y) - vec2f(0.02 + reach * 0.7139, 0.76), 0.032);
  layer = over(layer, 0.6 * s.deep, cover(min(feeler, club), s));
  let abdomen = taper(p, vec2f(0.0, 0.05), vec2f(0.0, -0.46), 0.06, 0.028);
  let body = melt(melt(abdomen, ellipse(p - vec2f(0.0, 0.1), vec2f(0.075, 0.15)), 0.04), circle(p - vec2f(0.0, 0.29), 0.062), 0.03);
  let rings = stripes(9.0 * p.y, 0.4, s, 9.0) * ramp(0.02, -0.05, p.y);
  let fur = mix(mix(s.deep, s.main, 0.25 * s.r3.w), s.pale, 0.5 * rings * s.r3.w);
  layer = vec4f(layer.xyz * (1.0 - 0.4 * softCover(body - 0.02, 0.04)), layer.w);
  return over(layer, lit(fur, vec2f(p.x / 0.075, 0.0), body, s), cover(body, s));
}
`,
};
