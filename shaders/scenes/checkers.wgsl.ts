/** A checkerboard: a floor of stone seen from above or aslant, or a flag in the wind. */
import type { ScenePainter } from './scene.wgsl.ts';

export const checkers: ScenePainter = {
  name: 'checkers',
  kind: 'pattern',
  spin: 0.5,
  shift: 0.5,
  text: `
// -1 on one field, 1 on the next, of a width in turns of the pattern (two fields).
fn checkersSide(x: f32, width: f32) -> f32 { return clamp((0.25 - abs(centred(x))) * 2.0 / width, -1.0, 1.0); }

fn paint(p: vec2f, s: Scene) -> vec4f {
  let cloth = s.r0.y < 0.35;
  // Aslant: what is far is small. The depth is 1 in the middle.
  let aslant = select(0.27 * s.r0.z, 0.0, cloth || s.r0.z < 0.4);
  let depth = 1.0 / max(1.0 + aslant * p.y, 0.3);
  let blown = select(0.0, 0.03 + 0.07 * s.r0.w, cloth);
  let wind = 0.5 * dot(p, direction(0.1 * s.r1.w)) + s.r1.z - 0.25 * s.time;
  let flat = p * depth + blown * vec2f(0.4 * wave(wind + 0.3), wave(wind));
  let fields = 1.8 + 1.5 * s.r0.x;
  let g = rotate(flat, select(0.5 * s.r1.x, 0.02 * s.r1.x, s.r1.x < 0.4)) * fields + 2.0 * s.r2.xy + vec2f(0.04 * s.time, 0);
  let width = max(fields * s.pixel * depth * depth, 0.004);
  let side = checkersSide(0.5 * g.x, width) * checkersSide(0.5 * g.y, width);

  let cell = floor(g + 0.5);
  let c = abs(g - cell);
  let any = cellPick(cell, s.seed);
  let pair = s.r3.x;
  let dark = select(select(s.main * 0.75, 0.45 * s.main + 0.3 * s.deep, pair < 0.7), 0.7 * s.deep, pair < 0.4);
  let bright = mix(s.pale, mix(s.second, s.accent, s.r3.y), select(0.25 * s.r3.z, 0.85, pair > 0.3 && pair < 0.55));
  var colour = mix(dark, bright, 0.5 + 0.5 * side);

  // Stone: each of its own shade, with clouds and veins, a joint between, polished by light. Cloth: threads and folds.
  let cloud = noise(g * 1.7 + 11.0 * any, s.seed + 1u);
  let vein = hump(cloud + 0.3 * noise(g * 5.0, s.seed + 2u) - 0.62, 0.035);
  let joint = (0.5 - max(c.x, c.y)) / fields;
  var stone = (0.8 + 0.24 * any + 0.2 * (cloud - 0.5)) * (1.0 - 0.45 * hump(joint, 0.012));
  stone += (0.25 * vein - 0.02) * (1.0 - side) * 0.5;
  let threads = 0.9 + 0.2 * noise(g * vec2f(8.0, 44.0), s.seed + 3u);
  let fold = 1.0 + 4.0 * blown * wave(wind + 0.2);
  colour *= select(stone, threads * fold, cloth);
  let shine = hump(length(p - 0.9 * s.light), 0.9) * (0.5 + 0.5 * cloud);
  colour += select(0.1 * s.r3.w, 0.0, cloth) * shine * s.pale;
  return vec4f(colour, 1.0);
}
`,
};
