/**
 * Logarithm and power of two from + - * and the bits of a float, the same digits on every driver.
 *   binaryLog(x) = log2 x for normal x > 0, to 5e-4        binaryPower(x) = 2^x for 0 <= x <= 1, to 1e-3
 * Both are right, and continuous, at the whole numbers: what is added to the chord between them vanishes there.
 */
export const POWERS = `
fn binaryLog(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  let t = bitcast<f32>((bits & 0x7fffffu) | 0x3f800000u) - 1.0;
  return f32(bits >> 23u) - 127.0 + t + t * (1.0 - t) * (0.442695 + t * (-0.247335 + t * 0.08329));
}
fn binaryPower(x: f32) -> f32 { return 1.0 + x - x * (1.0 - x) * (0.306853 + 0.079441 * x); }
`;
