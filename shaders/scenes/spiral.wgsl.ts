/** A spiral of one to three arms that turns: a coil of rope whose arms thin out, or a two-coloured disc; even or ever wider turns. */
import { POWERS } from './powers.wgsl.ts';
import type { ScenePainter } from './scene.wgsl.ts';

export const spiral: ScenePainter = {
  name: 'spiral',
  kind: 'object',
  spin: 0.5,
  flips: true,
  text: `${POWERS}
struct SpiralTurn {
  // Place across the arm in turns, 0 on its middle; how fast that grows, and to where.
  across: f32,
  steep: f32,
  lean: vec2f,
  radius: f32,
}

// The arms lie where a function of the radius equals the angle: the radius itself (Archimedes) or its logarithm (Bernoulli).
fn spiralTurn(p: vec2f, s: Scene) -> SpiralTurn {
  let arms = 1.0 + floor(s.r0.x * 1.8 + s.r0.y * 1.19);
  let r = max(length(p), 1e-3);
  let even = s.r0.z < 0.6;
  let turns = 1.9 + 1.7 * s.r0.w;
  let growth = 0.8 + 0.7 * s.r0.w;
  // Slower towards several arms: their number times the turns is what the eye sees.
  let pace = 0.75 + 0.25 * arms;
  let winding = select(growth * pace * binaryLog(r), turns * pace * r, even);
  let outward = select(growth * pace * 1.442695 / r, turns * pace, even);
  let around = arms * 0.1591549 / r;
  let steep = sqrt(outward * outward + around * around);
  let radial = p / r;
  let lean = (outward * radial - around * vec2f(-radial.y, radial.x)) / steep;
  return SpiralTurn(centred(winding - arms * bearing(p) + s.r1.x - 0.12 * arms * s.time), steep, lean, r);
}

// Distance of the coil and half its width: an arm's share of the way to the next is less and less outside, and ends.
fn spiralCoil(t: SpiralTurn, s: Scene) -> vec2f {
  let full = ramp(1.0, 0.5, t.radius);
  let wide = (0.5 * (0.45 + 0.27 * s.r1.y) * full + 1e-3) / t.steep;
  let thin = 1.0 - full;
  return vec2f(abs(t.across) / t.steep - wide + 0.13 * thin * thin, wide);
}
fn spiralIsDisc(s: Scene) -> bool { return s.r1.z < 0.45; }

fn silhouette(p: vec2f, s: Scene) -> f32 {
  return select(spiralCoil(spiralTurn(p, s), s).x, length(p) - 0.95, spiralIsDisc(s));
}

fn paint(p: vec2f, s: Scene) -> vec4f {
  let t = spiralTurn(p, s);
  let fine = noise(p * 9.0, s.seed);
  let coil = spiralCoil(t, s);
  let one = mix(s.main, s.second, s.r2.x * ramp(0.1, 0.9, t.radius));
  // A coil of rope: round, with slanting strands in some.
  let strand = wave(9.0 * bearing(p) * (0.6 + t.radius) + 6.0 * t.across);
  let rope = one * (0.92 + 0.16 * fine) * (1.0 + select(0.0, 0.22, s.r2.y > 0.55) * strand);
  let body = lit(rope, t.lean * clamp(t.across / (t.steep * coil.y), -1.0, 1.0), coil.x, s);
  let coiled = over(vec4f(0), body, cover(coil.x, s));

  // A disc: two colours, a third between them in some, vaulted; a rim.
  let d = t.radius - 0.95;
  let share = 0.38 + 0.24 * s.r1.w;
  let edge = (abs(t.across) - 0.5 * share) / t.steep;
  let ground = select(mix(s.pale, s.second, 0.15 * s.r2.z), s.deep, s.r2.w < 0.35);
  var face = mix(ground, mix(one, s.deep, select(0.0, 0.85, s.r3.x > 0.7 && s.r2.w >= 0.35)), cover(edge, s));
  face = mix(face, s.accent, select(0.0, 1.0, s.r3.y > 0.6) * cover(abs(edge) - 0.1 / t.steep, s));
  face *= 0.92 + 0.16 * fine;
  face *= 1.0 + 0.25 * t.across * dot(t.lean, s.light);
  face = mix(face, mix(one, s.deep, 0.4), select(0.0, 1.0, s.r3.z > 0.5) * cover(abs(d + 0.04) - 0.045, s));
  let vaulted = lit(face, 0.8 * p * t.radius, d, s);
  let disc = over(vec4f(0), vaulted, cover(d, s));
  if (spiralIsDisc(s)) { return disc; }
  return coiled;
}
`,
};
