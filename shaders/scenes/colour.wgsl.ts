/**
 * Colour in linear light, where mixing and shading are right; pictures show its square root (a display of gamma 2).
 *   Layers are premultiplied: vec4f(colour * coverage, coverage); `over` lays a colour on one.
 */
export const COLOUR = `
// A hue (in turns: 0 red, 1/3 green, 2/3 blue) of a strength and a brightness as a display shows it, both 0..1.
fn tint(hue: f32, strength: f32, bright: f32) -> vec3f {
  let h = vec3f(wave(hue + 0.25), wave(hue - 0.0833333), wave(hue + 0.5833333));
  // Green looks brighter and stronger than it is: a little less of both.
  let green = 0.15 * max(h.y, 0.0);
  let shown = clamp(bright * (1.0 - green) * (1.0 + strength * (1.0 - green) * (h - 0.25)), vec3f(0), vec3f(1));
  return shown * shown;
}

// How much of a pixel lies inside, by the distance of its centre; soft edges by a width of their own.
fn cover(d: f32, s: Scene) -> f32 { return clamp(0.5 - d / s.pixel, 0.0, 1.0); }
fn softCover(d: f32, width: f32) -> f32 { return 1.0 - ramp(-width, width, d); }

fn over(under: vec4f, colour: vec3f, k: f32) -> vec4f { return mix(under, vec4f(colour, 1), k); }

// A rounded, lit surface: n is where it leans to at p, from (0, 0) in the middle to length 1 at the edge; d the distance.
// Light comes from s.light; the edge is darker (rim), a soft gleam lies towards the light.
fn lit(colour: vec3f, n: vec2f, d: f32, s: Scene) -> vec3f {
  let toward = dot(n, s.light);
  let rim = hump(d, 0.05);
  let gleam = hump(length(n - 0.45 * s.light), 0.33);
  return colour * (1.0 + 0.45 * toward) * (1.0 - 0.35 * rim) + vec3f(0.14) * gleam;
}
// The same without the gleam, for cloth, wood, walls.
fn matt(colour: vec3f, n: vec2f, d: f32, s: Scene) -> vec3f {
  return colour * (1.0 + 0.4 * dot(n, s.light)) * (1.0 - 0.25 * hump(d, 0.04));
}

// Textures in [0, 1], antialiased; a unit is one period.
fn stripes(x: f32, share: f32, s: Scene, density: f32) -> f32 {
  return clamp(0.5 + (share * 0.5 - abs(centred(x))) / (density * s.pixel), 0.0, 1.0);
}
fn dots(p: vec2f, r: f32, s: Scene, density: f32) -> f32 {
  let q = p - floor(p + 0.5);
  return clamp(0.5 + (r - length(q)) / (density * s.pixel), 0.0, 1.0);
}
`;
