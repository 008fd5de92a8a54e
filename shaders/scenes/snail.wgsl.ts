/** A snail: a shell wound by a logarithmic spiral with bands and streaks, a mottled foot, a head with two stalks that sway. */
import { POWERS } from './powers.wgsl.ts';
import type { ScenePainter } from './scene.wgsl.ts';

export const snail: ScenePainter = {
  name: 'snail',
  kind: 'object',
  flips: true,
  text: `${POWERS}
// From the shell's centre; the mouth of the shell is where the turn starts, counter-clockwise over the back it gets narrow.
fn snailFromShell(p: vec2f, s: Scene) -> vec2f { return p - vec2f(-0.17, 0.06 + 0.04 * s.r0.x); }
fn snailAround(q: vec2f) -> f32 { let a = bearing(q) + 0.14; return a - floor(a); }
// Octaves that the shell widens in a turn; its radius where it is narrow.
fn snailGrowth(s: Scene) -> f32 { return 0.7 + 0.25 * s.r0.y; }
fn snailNarrow(s: Scene) -> f32 { return 0.639 - 0.28 * snailGrowth(s); }
fn snailShell(q: vec2f, s: Scene) -> f32 {
  let growth = snailGrowth(s);
  return length(q) - snailNarrow(s) * binaryPower(growth * (1.0 - snailAround(q)));
}
fn snailStretch(s: Scene) -> f32 { return 0.05 * s.r0.z + 0.03 * wave(0.2 * s.time); }
fn snailHead(s: Scene) -> vec2f { return vec2f(0.66 + snailStretch(s), -0.22 + 0.16 * s.r0.w); }
fn snailFoot(p: vec2f, s: Scene) -> f32 {
  let head = snailHead(s);
  let tail = vec2f(-0.86 - snailStretch(s), -0.66);
  let sole = taper(p, tail, vec2f(0.42, -0.55), 0.04, 0.19);
  let neck = taper(p, vec2f(0.38, -0.54), head, 0.18, 0.125);
  return max(melt(sole, neck, 0.16), -0.7 - p.y + 0.012 * wave(1.6 * p.x + 0.4 * s.time));
}

fn silhouette(p: vec2f, s: Scene) -> f32 { return min(snailShell(snailFromShell(p, s), s), snailFoot(p, s)); }

fn paint(p: vec2f, s: Scene) -> vec4f {
  // Flesh: browns and greys, or a little of the palette.
  let flesh = mix(tint(0.08 + 0.06 * s.r1.x, 0.35 * s.r1.y + 0.1, 0.36 + 0.26 * s.r1.z), s.second, 0.25 * s.r1.w);
  let head = snailHead(s);
  let sway = 0.05 * vec2f(wave(0.31 * s.time + s.r2.x), wave(0.23 * s.time + s.r2.y));
  let near = head + vec2f(0.2 * s.r2.z + 0.08, 0.4 + 0.1 * s.r2.w) + sway;
  let far = head + vec2f(0.2 * s.r2.z - 0.14, 0.44 + 0.1 * s.r2.y) - 0.7 * sway;
  // The far stalk, then foot and head, then the near stalk and the feelers.
  let farStalk = melt(taper(p, head + vec2f(-0.03, 0.04), far, 0.05, 0.022), circle(p - far, 0.055), 0.03);
  var layer = over(vec4f(0), flesh * (0.72 - 0.2 * hump(farStalk, 0.03)), cover(farStalk, s));
  layer = over(layer, 0.3 * s.deep, cover(circle(p - far - vec2f(0.012, 0.01), 0.03), s));
  let foot = snailFoot(p, s);
  let skin = noise(p * vec2f(13.0, 17.0), s.seed);
  let mottled = flesh * (0.74 + 0.4 * skin) * (1.0 - 0.25 * ramp(-0.5, -0.68, p.y)) * (1.0 + 0.3 * hump(p.y + 0.68, 0.03));
  let slope = vec2f(0.35 * (p.x - 0.2), clamp(1.0 + foot / 0.14, -0.2, 1.0));
  layer = over(layer, lit(mottled, slope, foot, s), cover(foot, s));
  let nearStalk = melt(taper(p, head + vec2f(0.04, 0.04), near, 0.055, 0.025), circle(p - near, 0.062), 0.03);
  let feeler = taper(p, head + vec2f(0.09, -0.03), head + vec2f(0.21, -0.08) + 0.4 * sway, 0.035, 0.02);
  let horns = min(nearStalk, feeler);
  layer = over(layer, lit(flesh, vec2f(-0.3, 0.3), horns, s), cover(horns, s));
  let eye = p - near - vec2f(0.014, 0.01);
  layer = over(layer, 0.25 * s.deep, cover(circle(eye, 0.036), s));
  layer = over(layer, s.pale, cover(circle(eye - vec2f(0.008, 0.012), 0.012), s));
  let smile = max(abs(length(p - head - vec2f(0.05, 0.03)) - 0.1) - 0.01, p.y - head.y + 0.03 - 0.4 * (p.x - head.x));
  layer = over(layer, 0.45 * flesh, 0.8 * cover(smile, s) * cover(foot + 0.01, s));

  // The shell: whorl by whorl, each a tube; t runs from its inner seam to its outer one.
  let q = snailFromShell(p, s);
  let r = max(length(q), 1e-3);
  let growth = snailGrowth(s);
  let around = snailAround(q);
  let shell = snailShell(q, s);
  let whorl = binaryLog(r / snailNarrow(s)) / growth - 1.0 + around;
  let t = whorl - floor(whorl);
  let along = around - floor(whorl);
  // Towards the middle, where whorls get narrower than a picture shows, the shell is plain.
  let plain = ramp(0.07, 0.24, r);
  let streak = wave((7.0 + 5.0 * s.r3.x) * along + 1.2 * t) + 0.5 * wave(17.0 * along + 2.0 * skin);
  var colour = mix(s.main, mix(s.second, s.pale, 0.5), ramp(0.2, 3.0, along));
  colour *= 1.0 + select(0.03, 0.16, s.r3.y > 0.6) * streak * plain;
  let banded = select(0.0, 0.85, s.r3.z > 0.3);
  let band = hump(t - 0.62, 0.1) + select(0.0, 1.0, s.r3.z > 0.8) * hump(t - 0.3, 0.07);
  colour = mix(colour, mix(s.deep, s.accent, select(0.0, 0.8, s.r3.w > 0.6)), banded * plain * min(1.2 * band, 1.0));
  // The seam between whorls.
  let seam = min(t, 1.0 - t) * r * 0.55;
  colour *= 1.0 - (0.15 + 0.5 * plain) * hump(seam, 0.005 + 0.014 * r);
  let round = (q / r) * (1.7 * t - 0.75) + 0.25 * q;
  layer = vec4f(layer.xyz * (1.0 - 0.5 * softCover(shell - 0.03, 0.07)), layer.w);
  layer = over(layer, lit(colour, round, shell, s), cover(shell, s));
  // The lip of its mouth.
  let mouth = direction(-0.14) * snailNarrow(s);
  let lip = segment(q, mouth * 1.06, mouth * binaryPower(growth) * 0.95, 0.032);
  return over(layer, lit(mix(s.main, s.pale, 0.3), vec2f(0.2, -0.2), lip, s), cover(lip, s));
}
`,
};
