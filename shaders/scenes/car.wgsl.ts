/** A car from the side: body, cabin with windows, lamps, bumpers, two wheels with spokes. The wheels turn. */
import { WHEEL } from './parts.wgsl.ts';
import type { ScenePainter } from './scene.wgsl.ts';

export const car: ScenePainter = {
  name: 'car',
  kind: 'object',
  spin: 0.025,
  flips: true,
  text: `${WHEEL}
// The body's upper edge is carHood; the cabin leans by 'slope' at its ends: from a van to a coupe.
fn carHood(s: Scene) -> f32 { return 0.0 + 0.06 * s.r0.x; }
fn carLong(s: Scene) -> f32 { return 0.34 + 0.2 * s.r0.z; }
fn carTop(s: Scene) -> f32 { return 0.36 + 0.14 * s.r1.x; }
fn carBody(p: vec2f, s: Scene) -> f32 {
  let top = carHood(s) - 0.06 * ramp(0.2, 0.95, p.x);
  return roundedBox(p - vec2f(0, 0.5 * (top - 0.4)), vec2f(0.95, 0.5 * (top + 0.4)), 0.13 + 0.06 * s.r0.w);
}
fn carCabin(p: vec2f, s: Scene) -> f32 {
  let y = p.y - carHood(s);
  let x = p.x + 0.12 + 0.12 * s.r1.y;
  let slope = select(0.25 + 0.35 * s.r1.z, 0.55 + 0.5 * s.r1.w, x > 0.0);
  let d = vec2f(abs(x) - carLong(s) - 0.14 + slope * y, y - carTop(s) + 0.14 * x * x);
  return max(length(max(d + 0.08, vec2f(0))) + min(max(d.x, d.y) + 0.08, 0.0) - 0.08, -y - 0.1);
}
fn silhouette(p: vec2f, s: Scene) -> f32 { return min(min(carBody(p, s), carCabin(p, s)), circle(vec2f(abs(p.x) - 0.53, p.y + 0.42), 0.2)); }
fn paint(p: vec2f, s: Scene) -> vec4f {
  let hood = carHood(s);
  let body = carBody(p, s);
  let cabin = carCabin(p, s);
  let shell = melt(body, cabin, 0.05);
  // Paint mirrors sky above and ground below.
  let mirror = 0.25 * hump(p.y - hood + 0.09, 0.05) + 0.12 * hump(p.y - hood - carTop(s) + 0.05, 0.05);
  let lower = select(0.0, 1.0, s.r2.x < 0.3) * ramp(-0.16, -0.19, p.y);
  var colour = mix(s.main, s.second, lower) * (1.0 - 0.35 * ramp(-0.15, -0.4, p.y));
  let door = min(abs(p.x + 0.12 + 0.12 * s.r1.y), abs(abs(p.x + 0.06) - 0.36)) - 0.006;
  colour *= 1.0 - 0.4 * cover(max(door, abs(p.y + 0.14) - 0.17), s);
  colour = colour * (1.0 + 0.35 * dot(vec2f(0.3 * p.x, (p.y + 0.05) / 0.4), s.light)) * (1.0 - 0.3 * hump(shell, 0.035)) + vec3f(0.5) * mirror;
  var layer = over(vec4f(0), colour, cover(shell, s));
  layer = over(layer, vec3f(0.03), cover(roundedBox(p - vec2f(0, -0.37), vec2f(0.97, 0.045), 0.04), s));
  layer = over(layer, vec3f(0.5), cover(box(vec2f(abs(p.x + 0.06) - 0.24, p.y + 0.06), vec2f(0.05, 0.012)), s));
  // Windows, two panes with a post between them, and the sky in them.
  let post = 0.03 - abs(p.x + 0.12 + 0.12 * s.r1.y);
  let pane = max(max(cabin + 0.065, hood + 0.02 - p.y), post);
  let gleam = stripes(1.6 * (p.x - 0.7 * p.y) + s.r2.y, 0.35, s, 2.5);
  let glass = mix(vec3f(0.03, 0.05, 0.07), s.sky, 0.3 + 0.25 * gleam + 0.3 * (p.y - hood));
  layer = over(layer, vec3f(0.015), cover(pane - 0.018, s));
  layer = over(layer, glass, cover(pane, s));
  // Head lamp and tail lamp.
  layer = over(layer, vec3f(0.95, 0.85, 0.5), cover(max(ellipse(p - vec2f(0.86, -0.12), vec2f(0.1, 0.065)), body), s));
  layer = over(layer, vec3f(0.6, 0.02, 0.015), cover(max(box(p - vec2f(-0.92, -0.1), vec2f(0.055, 0.07)), body), s));
  // Wheels in their arches.
  let r = 0.19 + 0.04 * s.r2.z;
  let w = vec2f(p.x - select(-0.53, 0.53, p.x > 0.0), p.y + 0.42);
  layer = over(layer, vec3f(0.008), cover(max(length(w) - r - 0.05, min(body, -p.y - 0.42)), s));
  return wheel(layer, w, r, s.r2.w - 0.6 * s.time, 4.0 + floor(3.99 * s.r3.x), s);
}
`,
};
