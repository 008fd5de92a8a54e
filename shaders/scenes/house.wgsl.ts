/** A house: plastered, boarded or brick walls, tiled gable roof, door, windows with bars, a chimney that smokes. */
import { BRICKWORK } from './parts.wgsl.ts';
import type { ScenePainter } from './scene.wgsl.ts';

export const house: ScenePainter = {
  name: 'house',
  kind: 'object',
  spin: 0.025,
  flips: true,
  text: `${BRICKWORK}
fn houseWide(s: Scene) -> f32 { return 0.52 + 0.2 * s.r0.x; }
fn houseEaves(s: Scene) -> f32 { return 0.02 + 0.2 * s.r0.y; }
fn houseRoof(p: vec2f, s: Scene) -> f32 {
  let eaves = houseEaves(s);
  return triangle(p - vec2f(0, eaves - 0.02), houseWide(s) + 0.2, 0.5 + 0.25 * s.r0.z + 0.12 - eaves * 0.6);
}
fn houseWall(p: vec2f, s: Scene) -> f32 { let top = houseEaves(s); return box(p - vec2f(0, 0.5 * (top - 0.82)), vec2f(houseWide(s), 0.5 * (top + 0.82))); }
fn silhouette(p: vec2f, s: Scene) -> f32 { return min(houseRoof(p, s), houseWall(p, s)); }
fn paint(p: vec2f, s: Scene) -> vec4f {
  let wide = houseWide(s);
  let eaves = houseEaves(s);
  let side = select(-1.0, 1.0, p.x > 0.0);
  // Chimney and its smoke.
  let c = p - vec2f(0.55 * wide, eaves + 0.36);
  let chimney = box(c, vec2f(0.09, 0.24));
  let puff = c - vec2f(0.06 * wave(1.1 * c.y - 0.4 * s.time) + 0.18 * c.y, 0.0);
  let smoke = 0.5 * hump(puff.x, 0.07 + 0.13 * c.y) * ramp(0.2, 0.3, c.y) * ramp(0.75, 0.3, c.y) * (0.7 + 0.3 * wave(2.3 * c.y - 0.5 * s.time));
  var layer = over(vec4f(0), s.pale * 0.8, smoke * select(0.0, 1.0, s.r3.z < 0.6));
  let stack = mix(s.accent * 0.6, s.pale * 0.7, mortar(c, 11.0, 0.008, s));
  layer = over(layer, matt(stack, vec2f(c.x / 0.09, 0.0), chimney, s), cover(chimney, s));
  layer = over(layer, s.deep * 1.5, cover(box(c - vec2f(0, 0.24), vec2f(0.12, 0.03)), s));
  // Wall: bricks, boards or plaster.
  let wall = houseWall(p, s);
  let joint = mortar(p, 9.0, 0.009, s);
  let board = 0.25 * hump(centred(p.y * 8.0), 0.12);
  let plain = mix(mix(s.pale, s.second, 0.25 + 0.5 * s.r1.x), s.accent, select(0.0, 0.8, s.r1.y < 0.3));
  let bricks = mix(mix(s.main, tint(0.03, 0.6, 0.5), 0.5) * 0.85, s.pale * 0.75, joint);
  let kind = s.r1.y;
  let front = select(plain * (1.0 - select(0.0, 1.0, kind < 0.6) * board), bricks, kind > 0.72);
  layer = over(layer, matt(front, vec2f(0.55 * p.x / wide, 0.2 * (p.y + 0.3)), wall, s) * (1.0 - 0.45 * ramp(eaves - 0.16, eaves, p.y)), cover(wall, s));
  layer = over(layer, s.deep * 1.4, cover(max(wall, p.y + 0.74), s));
  // Door with a knob and a step; it stands in the middle or at a side.
  let left = select(0.0, -0.5 * wide, s.r1.z < 0.5);
  let q = p - vec2f(left, -0.5);
  let tall = 0.3;
  let arch = select(box(q, vec2f(0.13, tall)), max(box(q, vec2f(0.13, tall)), circle(q - vec2f(0, 0.15), 0.16)), s.r1.w < 0.5 && q.y > 0.15);
  layer = over(layer, s.pale * 0.85, cover(arch - 0.03, s));
  layer = over(layer, matt(s.accent * (0.75 + 0.2 * stripes(q.x * 12.0, 0.8, s, 12.0)), q * 2.0, arch, s), cover(arch, s));
  layer = over(layer, vec3f(0.7, 0.5, 0.1), cover(circle(q - vec2f(0.08, -0.02), 0.02), s));
  // Windows: a pair, or one at the other side of the door; lit from inside at times.
  let pair = s.r1.z >= 0.5;
  let w = p - vec2f(select(0.35 * wide, side * 0.62 * wide, pair), -0.28);
  let half = select(vec2f(0.2, 0.17), vec2f(0.12, 0.16), pair);
  let pane = box(w, half);
  let bars = min(abs(w.x), abs(w.y)) - 0.013;
  let evening = mix(vec3f(0.85, 0.6, 0.2), vec3f(0.1, 0.2, 0.32) + 0.4 * s.sky, select(0.0, 1.0, s.r2.x < 0.6));
  layer = over(layer, s.pale * 0.9, cover(pane - 0.035, s));
  layer = over(layer, evening * (1.0 + 1.2 * (w.y - w.x)), cover(pane, s) * (1.0 - cover(bars, s)));
  // Roof in rows of tiles.
  let roof = houseRoof(p, s);
  let rows = (p.y - eaves) * 10.0;
  let shade = rows - floor(rows);
  let tile = stripes(p.x * 8.0 + 0.5 * (floor(rows) - 2.0 * floor(0.5 * floor(rows))), 0.12, s, 8.0);
  let cover1 = s.main * mix(1.0, 0.72 + 0.35 * shade - 0.3 * tile, 0.4 + 0.6 * s.r2.y);
  layer = over(layer, matt(cover1, vec2f(0.8 * p.x / wide, 0.3), roof, s), cover(roof, s));
  // A round window under the roof.
  let o = length(p - vec2f(0, eaves + 0.2));
  let attic = select(0.0, 1.0, s.r2.z < 0.5);
  layer = over(layer, s.pale * 0.9, attic * cover(o - 0.12, s));
  layer = over(layer, evening, attic * cover(o - 0.085, s) * (1.0 - cover(min(abs(p.x), abs(p.y - eaves - 0.2)) - 0.012, s)));
  return layer;
}
`,
};
