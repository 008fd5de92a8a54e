/**
 * Functions of one number without the language's sin, atan, exp and pow, whose digits differ between drivers: only
 * + - * / min max abs floor sqrt. Angles are in turns (1 = 360 degrees), counter-clockwise, y upwards.
 *   wave(x) = sin(2 pi x) to 1e-3        direction(x) = (cos, sin)(2 pi x)        bearing(p) = angle of p in (-0.5, 0.5], to 1e-5
 */
export const CURVES = `
fn wave(x: f32) -> f32 {
  let f = 0.5 - (x - floor(x));
  let y = 8.0 * f - 16.0 * f * abs(f);
  return y + 0.225 * (y * abs(y) - y);
}
fn direction(x: f32) -> vec2f { return vec2f(wave(x + 0.25), wave(x)); }

fn bearing(p: vec2f) -> f32 {
  let a = abs(p);
  let t = min(a.x, a.y) / max(max(a.x, a.y), 1e-9);
  let z = t * t;
  var turn = t * (0.1591336 + z * (-0.0525688 + z * (0.0286703 + z * (-0.0135493 + z * 0.0033160))));
  turn = select(turn, 0.25 - turn, a.y > a.x);
  turn = select(turn, 0.5 - turn, p.x < 0.0);
  return select(turn, -turn, p.y < 0.0);
}

fn rotate(p: vec2f, turns: f32) -> vec2f {
  let d = direction(turns);
  return vec2f(d.x * p.x - d.y * p.y, d.y * p.x + d.x * p.y);
}

// Whole part and the rest around 0: cells of width 1 centred at the whole numbers; the rest is in [-0.5, 0.5).
fn centred(x: f32) -> f32 { return x - floor(x + 0.5); }

// 0 below a, 1 above b, smooth between; also for a > b.
fn ramp(a: f32, b: f32, x: f32) -> f32 {
  let t = clamp((x - a) / (b - a), 0.0, 1.0);
  return t * t * (3.0 - 2.0 * t);
}

// A hump of height 1 and width about 2 w around 0, with long tails: what exp(-x^2) is for elsewhere.
fn hump(x: f32, w: f32) -> f32 { let z = 1.0 / (1.0 + x * x / (w * w)); return z * z; }
`;
