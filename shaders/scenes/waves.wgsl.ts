/** Waves: a sea of crests with foam, one row behind the other, that travel; or rings that spread over still water. */
import type { ScenePainter } from './scene.wgsl.ts';

/** Rows of the sea. */
const ROWS = 6;

export const waves: ScenePainter = {
  name: 'waves',
  kind: 'pattern',
  spin: 0.05,
  shift: 0.3,
  flips: true,
  text: `
// Water is blue to green, in some pictures of any colour.
fn wavesHue(s: Scene) -> f32 { return select(s.hue, 0.48 + 0.14 * s.r0.x, s.r0.y < 0.85); }

// Height of a wave of period 1: pointed above, round below (about a trochoid), its crest ahead of it.
fn wavesCrest(x: f32) -> f32 {
  let ahead = 1.0 - abs(wave(0.5 * x));
  return 1.0 - abs(wave(0.5 * (x + 0.13 * ahead * ahead)));
}

fn wavesSea(p: vec2f, s: Scene) -> vec3f {
  let hue = wavesHue(s);
  let air = mix(mix(s.pale, s.accent, 0.25 * s.r1.x), tint(hue + 0.08 * (s.r1.y - 0.5), 0.4, 0.72), clamp(p.y - 0.2, 0.0, 1.0));
  let sun = length(p - vec2f(1.2 * (s.r1.z - 0.5), 0.65 + 0.3 * s.r1.w));
  var colour = air + 0.25 * hump(sun, 0.35) * s.accent;
  colour = mix(colour, mix(s.accent, s.pale, 0.6), cover(sun - 0.2, s));
  let spray = noise(p * 15.0 - vec2f(0.9 * s.time, 0), s.seed);
  let ripple = noise(p * vec2f(4.0, 15.0) - vec2f(0.5 * s.time, 0), s.seed + 1u);
  let farTop = tint(hue + 0.02, 0.5, 0.64);
  let nearTop = tint(hue + 0.02, 0.6, 0.5);
  let farDeep = tint(hue - 0.02, 0.75, 0.44);
  let nearDeep = tint(hue - 0.02, 0.8, 0.2);
  let light = tint(hue, 0.25, 0.82);
  let steep = 0.7 + 0.6 * s.r2.x;
  for (var k = 0u; k < ${ROWS}u; k++) {
    let t = pick4(s.seed, k);
    let near = f32(k) * ${(1 / (ROWS - 1)).toFixed(4)};
    let many = mix(2.1, 0.85, near) * (0.8 + 0.4 * t.y);
    let tall = mix(0.1, 0.34, near) * steep;
    let x = p.x * many + t.x * 7.0 + (0.16 + 0.06 * t.y) * s.time;
    let swell = 0.78 + 0.22 * wave(0.29 * x + t.w);
    let crest = wavesCrest(x) * swell;
    let top = mix(0.55, -1.2, near) + 0.12 * (t.z - 0.5) + tall * crest - 0.5 * tall + 0.02 * wave(0.1 * s.time + t.z);
    let down = top - p.y;
    let d = -down / (1.0 + 1.5 * tall * many);
    let water = mix(mix(farTop, nearTop, near), mix(farDeep, nearDeep, near), ramp(-0.05, 0.42, down));
    // Foam along the crest, thick where it is high, and lines that follow it below.
    let foam = (0.03 + 0.12 * crest * crest * s.r2.y) * (0.35 + 1.3 * spray) * (0.6 + 0.6 * near);
    let lines = hump(down - 0.1 - 0.03 * crest, 0.012) + 0.7 * hump(down - 0.19 - 0.05 * crest, 0.01) + 0.5 * hump(down - 0.3 - 0.06 * crest, 0.009);
    var shown = water * (0.88 + 0.24 * ripple);
    shown = mix(shown, light, clamp(s.r2.z * 1.3 - 0.3, 0.0, 0.8) * min(lines, 1.0));
    shown = mix(shown, s.pale * (0.85 + 0.2 * crest), cover(down - foam, s));
    colour *= 1.0 - 0.3 * softCover(d - 0.02, 0.07);
    colour = mix(colour, shown, cover(d, s));
  }
  return colour;
}

// Height and slope of rings around a place, weaker outside.
fn wavesRings(p: vec2f, place: vec2f, many: f32, phase: f32) -> vec3f {
  let q = p - place;
  let r = max(length(q), 1e-3);
  let weak = 1.0 / (1.0 + 0.5 * r * r);
  let turn = many * r - phase;
  return weak * vec3f(wave(turn), wave(turn + 0.25) * q / r) * ramp(0.0, 0.3 / many, r);
}

fn wavesPond(p: vec2f, s: Scene) -> vec3f {
  let hue = wavesHue(s);
  let many = 2.4 + 1.6 * s.r1.x;
  let bent = p + 0.06 * (vec2f(noise(p * 2.0 + 0.1 * s.time, s.seed), noise(p * 2.0 + 17.0, s.seed + 1u)) - 0.5);
  let place = 0.8 * (s.r1.zw - 0.5);
  var h = wavesRings(bent, place, many, s.r1.y + 0.5 * s.time);
  h += select(0.25, 0.75, s.r2.x > 0.5) * wavesRings(bent, place + (0.8 + 0.4 * s.r2.y) * direction(s.r2.z), many * (0.8 + 0.5 * s.r2.w), 0.55 * s.time);
  let toward = dot(h.yz, s.light);
  var colour = mix(tint(hue - 0.03, 0.75, 0.3), tint(hue + 0.03, 0.5, 0.6), clamp(0.5 + 0.42 * h.x + 0.25 * toward, 0.0, 1.0));
  // The sky in the slopes that lean away, the sun in those that lean towards it.
  colour = mix(colour, s.pale, 0.5 * ramp(0.25, 1.0, -toward) * (0.4 + 0.6 * s.r3.x));
  colour += 0.5 * s.pale * hump(toward - 0.9, 0.2);
  return colour * (0.86 + 0.28 * noise(p * vec2f(5.0, 8.0) + vec2f(0.2 * s.time, 0), s.seed + 2u));
}

fn paint(p: vec2f, s: Scene) -> vec4f {
  if (s.r0.z < 0.35) { return vec4f(wavesPond(p, s), 1.0); }
  return vec4f(wavesSea(p, s), 1.0);
}
`,
};
