/**
 * Plane shapes by signed distance: negative inside, positive outside, about 1 a unit.
 * Source: the exact distances are plane geometry; the catalogue of Quilez (2018) names most of them.
 */
export const SHAPES = `
fn circle(p: vec2f, r: f32) -> f32 { return length(p) - r; }
// About right near the edge.
fn ellipse(p: vec2f, r: vec2f) -> f32 { let k = length(p / r); return k * (k - 1.0) / max(length(p / (r * r)), 1e-4); }
fn box(p: vec2f, half: vec2f) -> f32 { let d = abs(p) - half; return length(max(d, vec2f(0))) + min(max(d.x, d.y), 0.0); }
fn roundedBox(p: vec2f, half: vec2f, r: f32) -> f32 { return box(p, half - r) - r; }
fn segment(p: vec2f, a: vec2f, b: vec2f, r: f32) -> f32 {
  let ba = b - a;
  let pa = p - a;
  return length(pa - ba * clamp(dot(pa, ba) / max(dot(ba, ba), 1e-9), 0.0, 1.0)) - r;
}
// A segment that grows from radius ra at a to rb at b (not exact: the cone is sheared).
fn taper(p: vec2f, a: vec2f, b: vec2f, ra: f32, rb: f32) -> f32 {
  let ba = b - a;
  let pa = p - a;
  let h = clamp(dot(pa, ba) / max(dot(ba, ba), 1e-9), 0.0, 1.0);
  return length(pa - ba * h) - mix(ra, rb, h);
}
// A lens with its tips at (0, +-tall) and half-width wide < tall; a petal, an eye, a leaf.
fn vesica(p: vec2f, wide: f32, tall: f32) -> f32 {
  let q = abs(p);
  let d = 0.5 * (tall * tall - wide * wide) / wide;
  let tip = (q.y - tall) * d > q.x * tall;
  return select(length(q + vec2f(d, 0)) - (d + wide), length(q - vec2f(0, tall)), tip);
}
// Isosceles, tip at (0, tall), foot from (-wide, 0) to (wide, 0). Not exact outside the corners.
fn triangle(p: vec2f, wide: f32, tall: f32) -> f32 {
  let n = vec2f(tall, wide) / sqrt(tall * tall + wide * wide);
  return max(dot(vec2f(abs(p.x) - wide, p.y), n), -p.y);
}
// Union, rounded over about k.
fn melt(a: f32, b: f32, k: f32) -> f32 { let h = max(k - abs(a - b), 0.0) / k; return min(a, b) - h * h * k * 0.25; }
`;
