/** Polka dots on cloth that sways: square or staggered rows, of one size, two, any, or growing to one side; printed or raised. */
import type { ScenePainter } from './scene.wgsl.ts';

export const dots: ScenePainter = {
  name: 'dots',
  kind: 'pattern',
  spin: 0.5,
  text: `
fn paint(p: vec2f, s: Scene) -> vec4f {
  let sway = vec2f(wave(0.4 * p.y + s.r1.x + 0.1 * s.time), wave(0.33 * p.x + s.r1.y + 0.08 * s.time));
  let cloth = p + (0.02 + 0.08 * s.r1.z) * sway;
  let many = 1.5 + 1.7 * s.r0.x;
  let staggered = s.r0.y < 0.55;
  // Rows of a staggered grid lie closer: all neighbours are equally far.
  let close = select(1.0, 1.1547, staggered);
  var g = cloth * vec2f(many, many * close) + s.r2.xy;
  let row = floor(g.y + 0.5);
  g.x += select(0.0, 0.5, staggered) * row;
  let cell = vec2f(floor(g.x + 0.5), row);
  let c = vec2f(g.x - cell.x, (g.y - cell.y) / close);

  let any = cellPick(cell, s.seed);
  let even = centred(0.5 * (cell.x + cell.y) - 0.25) > 0.0;
  let sizes = s.r0.z;
  var r = 0.24 + 0.13 * s.r0.w;
  r *= select(1.0, select(0.55, 1.1, even), sizes < 0.25);
  r *= select(1.0, 0.6 + 0.55 * any, sizes > 0.75);
  r *= select(1.0, clamp(0.9 + 0.3 * dot(p, direction(s.r2.z)), 0.45, 1.15), sizes > 0.5 && sizes < 0.65);
  let d = (length(c) - r) / many;

  let pair = s.r3.x;
  let ground = select(select(select(s.pale, s.deep, pair < 0.75), s.second * 0.8, pair < 0.55), s.main, pair < 0.35);
  var dot1 = select(select(select(s.main, s.second, pair < 0.75), s.pale, pair < 0.55), s.pale, pair < 0.35);
  dot1 = select(dot1, s.accent, s.r3.y > 0.6 && even);
  dot1 *= 0.92 + 0.16 * any;
  let raised = s.r3.z > 0.6;
  let shadow = softCover((length(c + 0.09 * s.light) - r) / many - 0.01, 0.04);
  var colour = ground * (1.0 - select(0.0, 0.4, raised) * shadow);
  let shown = select(dot1, lit(dot1, c / r, d, s), raised);
  colour = mix(colour, shown, cover(d, s));
  // Some have a dot within.
  let inner = select(0.0, 1.0, s.r3.w > 0.82) * cover((length(c) - 0.5 * r) / many, s);
  colour = mix(colour, ground, 0.85 * inner);

  let weave = noise(cloth * vec2f(46.0, 9.0), s.seed + 2u) + noise(cloth * vec2f(9.0, 46.0), s.seed + 3u);
  let folds = wave(0.42 * dot(p, direction(s.r2.w)) + s.r1.w + 0.12 * sway.x);
  return vec4f(colour * (0.88 + 0.12 * weave) * (1.0 + (0.05 + 0.17 * s.r1.z) * folds), 1.0);
}
`,
};
