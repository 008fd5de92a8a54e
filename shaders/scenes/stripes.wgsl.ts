/** Zebra stripes: bands of short fur that wander, swell and fork. */
import type { ScenePainter } from './scene.wgsl.ts';

export const stripes: ScenePainter = {
  name: 'stripes',
  kind: 'pattern',
  spin: 0.5,
  text: `
// A band forks where the phase turns once around a place: beyond it there is one band more. Phase and how much steeper it is.
fn stripesFork(p: vec2f, place: vec2f) -> vec2f {
  let q = p - 1.2 * (2.0 * place - 1.0);
  return vec2f(bearing(q), 0.16 / (0.04 + length(q)));
}

fn paint(p: vec2f, s: Scene) -> vec4f {
  let drift = 0.05 * s.time;
  let bands = 1.7 + 1.5 * s.r0.x;
  let wander = vec2f(noise(p * 1.1 + 9.0 * s.r1.xy + drift, s.seed), noise(p * 1.1 + 9.0 * s.r1.zw - drift, s.seed + 1u)) - 0.5;
  let g = p + (0.25 + 0.4 * s.r0.y) * wander;
  let places = pick4(s.seed, 0u);
  let one = stripesFork(g, places.xy);
  let other = stripesFork(g, places.zw);
  let phase = bands * g.x + one.x - other.x + s.r0.z + 0.02 * s.time;
  let steep = bands + one.y + other.y;

  let fur = noise(rotate(g, 0.15 * (s.r2.x - 0.5)) * vec2f(11.0, 42.0), s.seed + 2u);
  let swell = noise(p * vec2f(1.6, 2.3) + 8.0 * s.r2.zw, s.seed + 3u);
  let share = 0.5 + 0.44 * (swell - 0.5) + 0.1 * (s.r0.w - 0.5);
  let d = (abs(centred(phase)) - 0.5 * share) / steep + 0.024 * (fur - 0.5);

  // Black on white as zebras wear it, or two colours of the palette.
  let zebra = s.r3.x < 0.6;
  let dark = select(mix(s.main, s.deep, 0.5 * s.r3.y), 0.5 * s.deep, zebra);
  let bright = select(mix(s.pale, s.second, s.r3.z), mix(s.pale, s.second, 0.12 * s.r3.z), zebra);
  let worn = mix(dark, bright, 0.12 * noise(p * 2.1 + 5.0 * s.r3.zw, s.seed + 4u));
  var colour = mix(bright, worn, cover(d, s));
  // The band's edge is a little darker on its bright side; the body is round somewhere.
  colour *= 1.0 - 0.18 * hump(d, 0.05);
  colour *= (0.86 + 0.28 * fur) * (0.74 + 0.44 * noise(p * 0.8 + 6.0 * s.r2.xy, s.seed + 5u));
  return vec4f(colour, 1.0);
}
`,
};
