/**
 * Random numbers of a scene: integer hashes, the same bits on every adapter.
 *   hash: u32 -> u32        pick(seed, k): k-th number of a seed, in [0, 1)        noise: smooth, in [0, 1), one bump per unit
 * Source: the output function of PCG (O'Neill 2014) used as a hash (Jarzynski and Olano 2020).
 */

/** Of 2^32: consecutive multiples lie far apart (the golden ratio). */
export const GOLDEN = 0x9e3779b9;

export const HASH = `
fn hash(x: u32) -> u32 {
  let state = x * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (word >> 22u) ^ word;
}
fn hash4(x: vec4u) -> vec4u {
  let state = x * 747796405u + 2891336453u;
  let word = ((state >> ((state >> vec4u(28)) + 4u)) ^ state) * 277803737u;
  return (word >> vec4u(22)) ^ word;
}

// The k-th random number of a seed, uniform in [0, 1); pick4 gives the numbers 4 k .. 4 k + 3.
fn pick(seed: u32, k: u32) -> f32 { return f32(hash(seed + k * ${GOLDEN}u) >> 8u) * 5.9604644775390625e-8; }
fn pick4(seed: u32, k: u32) -> vec4f { return vec4f(hash4(seed + (vec4u(0, 1, 2, 3) + 4u * k) * ${GOLDEN}u) >> vec4u(8)) * 5.9604644775390625e-8; }

// A random number per cell of the integer lattice, in [0, 1): cells are given by whole numbers.
fn cellPick(cell: vec2f, seed: u32) -> f32 {
  let at = vec2u(vec2i(cell));
  return f32(hash(at.x * ${GOLDEN}u + at.y * 2246822507u + seed) >> 8u) * 5.9604644775390625e-8;
}

// Value noise: smooth, in [0, 1), mean 1/2.
fn noise(p: vec2f, seed: u32) -> f32 {
  let cell = floor(p);
  let f = p - cell;
  let u = f * f * (3.0 - 2.0 * f);
  let at = vec2u(vec2i(cell));
  let x = vec4u(at.x, at.x + 1u, at.x, at.x + 1u);
  let y = vec4u(at.y, at.y, at.y + 1u, at.y + 1u);
  let v = vec4f(hash4(x * ${GOLDEN}u + y * 2246822507u + seed) >> vec4u(8)) * 5.9604644775390625e-8;
  let rows = mix(v.xz, v.yw, u.x);
  return mix(rows.x, rows.y, u.y);
}
`;
