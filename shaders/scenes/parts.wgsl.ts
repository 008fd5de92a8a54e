/** Parts that several classes have: petals and leaves, eyeballs, wheels, brickwork. */

export const PETALS = `
// count petals around the origin, from radius near to far, half-width wide: lean of the surface (xy), distance, place across.
fn petals(p: vec2f, count: f32, near: f32, far: f32, wide: f32) -> vec4f {
  let axis = direction(floor(bearing(p) * count + 0.5) / count);
  let across = vec2f(axis.y, -axis.x);
  let tall = 0.5 * (far - near);
  let q = vec2f(dot(p, across), dot(p, axis) - near - tall);
  let lean = vec2f(q.x / wide, 0.6 * q.y / tall);
  return vec4f(lean.x * across + lean.y * axis, vesica(q, wide, tall), q.x);
}
`;

export const EYEBALL = `
// An eyeball of radius r around the origin that looks to \`look\` (within the unit disc).
fn eyeball(under: vec4f, p: vec2f, r: f32, look: vec2f, iris: vec3f, s: Scene) -> vec4f {
  let d = length(p) - r;
  var layer = over(under, s.deep * 0.5, cover(d - 0.12 * r, s));
  layer = over(layer, vec3f(0.86) * (0.9 + 0.25 * dot(p, s.light) / r), cover(d, s));
  let q = p - 0.33 * r * look;
  let far = length(q);
  layer = over(layer, iris * (0.45 + 0.9 * far / r), cover(max(far - 0.62 * r, d), s));
  layer = over(layer, vec3f(0.006), cover(far - 0.36 * r, s));
  return over(layer, vec3f(1), cover(length(q - 0.27 * r * s.light) - 0.17 * r, s));
}
`;

export const WHEEL = `
// A wheel of radius r around the origin, turned by \`turn\`: tyre, rim with spokes, hub.
fn wheel(under: vec4f, p: vec2f, r: f32, turn: f32, spokes: f32, s: Scene) -> vec4f {
  let far = length(p);
  let n = p / r;
  var layer = over(under, vec3f(0.014) * (1.5 + dot(n, s.light)), cover(far - r, s));
  layer = over(layer, vec3f(0.5) * (1.0 + 0.5 * dot(n, s.light)), cover(far - 0.66 * r, s));
  let gap = 0.5 - abs(centred((bearing(p) + turn) * spokes));
  let hole = max((0.2 - gap) * 6.2831853 * far / spokes, abs(far - 0.4 * r) - 0.17 * r);
  layer = over(layer, vec3f(0.03), cover(hole, s));
  return over(layer, vec3f(0.3), cover(far - 0.1 * r, s));
}
`;

export const BRICKWORK = `
// How much of p is mortar: rows of bricks, each row shifted by half a brick; rows a unit, bricks twice as long as high.
fn mortar(p: vec2f, rows: f32, joint: f32, s: Scene) -> f32 {
  let y = p.y * rows;
  let row = floor(y);
  let x = 0.5 * p.x * rows + 0.5 * (row - 2.0 * floor(0.5 * row));
  let d = min(0.5 - abs(y - row - 0.5), 2.0 * (0.5 - abs(x - floor(x) - 0.5))) / rows;
  return cover(d - joint, s);
}
`;
