/** A tree: a trunk with bark and a crown, round with clumps of leaves or a fir in tiers; fruit in some. It sways. */
import type { ScenePainter } from './scene.wgsl.ts';

export const tree: ScenePainter = {
  name: 'tree',
  kind: 'object',
  spin: 0.025,
  flips: true,
  text: `
fn treeIsFir(s: Scene) -> bool { return s.r0.x < 0.36; }
fn treeSway(p: vec2f, s: Scene) -> vec2f { return p - vec2f(0.02 * wave(0.25 * s.time + s.r0.y) * (p.y + 0.9), 0); }
fn treeTrunk(p: vec2f, s: Scene) -> f32 {
  let w = (0.07 + 0.06 * s.r0.z) * (1.0 + 1.4 * hump(p.y + 0.95, 0.16));
  let x = p.x - 0.06 * (s.r0.w - 0.5) * wave(0.5 * p.y);
  let fork = min(abs(x), 0.85 * abs(abs(x) - 0.32 * max(p.y + 0.2, 0.0)));
  return max(max(fork - w * (1.0 - 0.3 * clamp(p.y + 0.9, 0.0, 1.4)), -p.y - 0.92), p.y - 0.35);
}
// Lobes of the round crown: the edge swings in and out around it.
fn treeCrown(p: vec2f, s: Scene) -> f32 {
  let q = (p - vec2f(0, 0.27)) / vec2f(0.74 + 0.16 * s.r1.x, 0.62 + 0.1 * s.r1.y);
  let b = bearing(q);
  return 0.65 * (length(q) - 0.9 - 0.07 * wave(6.0 * b + s.r1.z + 0.3 * wave(2.0 * b)) - 0.035 * wave(13.0 * b + s.r1.w));
}
fn treeTiers(s: Scene) -> f32 { return 3.0 + floor(2.99 * s.r1.x); }
// Tiers of the fir, each wider at its foot than the next one below at its top.
fn treeFir(p: vec2f, s: Scene) -> f32 {
  let down = clamp((0.95 - p.y) / 1.45, 0.0, 1.0);
  let tiers = treeTiers(s);
  let t = down * tiers;
  let part = t - min(floor(t), tiers - 1.0);
  let k = t - part;
  let wide = (0.5 + 0.18 * s.r1.y) / tiers;
  // This tier's side, or the foot of the one above.
  let x = abs(p.x) - 0.02 - 0.01 * wave(11.0 * p.x);
  let side = 0.75 * (x - wide * mix(0.5 * k, k + 1.0, part));
  let foot = max(x - wide * k, part * 1.45 / tiers);
  return max(min(side, select(9.0, foot, k > 0.0)), max(-0.5 - p.y + 0.03 * wave(5.0 * p.x), p.y - 0.97));
}
fn silhouette(p: vec2f, s: Scene) -> f32 {
  return min(treeTrunk(p, s), select(treeCrown(p, s), treeFir(p, s), treeIsFir(s)));
}
fn paint(p: vec2f, s: Scene) -> vec4f {
  let q = treeSway(p, s);
  let fir = treeIsFir(s);
  let trunk = treeTrunk(q, s);
  let bark = tint(0.07 + 0.03 * s.r2.x, 0.3, 0.24 + 0.2 * s.r2.y) * (0.85 + 0.25 * wave(9.0 * q.x + 0.4 * wave(1.7 * q.y)) * wave(1.3 * q.y + 0.2));
  var layer = over(vec4f(0), matt(bark, vec2f(q.x / 0.14, 0.0), trunk, s), cover(trunk, s));
  let round = treeCrown(q, s);
  let crown = select(round, treeFir(q, s), fir);
  layer = vec4f(layer.xyz * (1.0 - 0.55 * softCover(crown - 0.06, 0.1)), layer.w);
  // Leaves: clumps of noise, lit from their own slope towards the light.
  let scale = select(6.0, 9.0, fir) + 3.0 * s.r2.z;
  let at = q * scale + 17.0 * s.r3.xy;
  let clump = noise(at, s.seed);
  let lean = clump - noise(at + 0.45 * s.light, s.seed);
  let season = select(select(0.25 + 0.13 * s.r2.w, 0.02 + 0.11 * s.r2.w, s.r3.z < 0.3), 0.93, s.r3.z < 0.1);
  let leaf = tint(season + 0.05 * (clump - 0.5), 0.5, 0.42 + 0.1 * s.r3.w);
  let n = select((q - vec2f(0, 0.27)) / 0.8, vec2f(1.6 * q.x, 0.5 - fract(treeTiers(s) * (0.95 - q.y) / 1.45)), fir);
  let leaves = matt(leaf * (0.72 + 0.5 * clump + 1.3 * lean), n, crown, s);
  layer = over(layer, leaves, cover(crown - 0.05 * (clump - 0.5), s));
  // Fruit, where the cell has one and it hangs well inside.
  let g = q * 5.5 + s.r3.xy;
  let cell = floor(g + 0.5);
  let f = g - cell - 0.5 * (vec2f(cellPick(cell, s.seed + 5u), cellPick(cell, s.seed + 6u)) - 0.5);
  let hangs = select(0.0, 1.0, cellPick(cell, s.seed + 7u) < 0.5 && s.r1.z < 0.45 && crown < -0.08);
  let fruit = (length(f) - 0.2) / 5.5;
  return over(layer, lit(mix(s.accent, tint(0.0, 0.8, 0.62), 0.4), f / 0.2, fruit, s), hangs * cover(fruit, s));
}
`,
};
