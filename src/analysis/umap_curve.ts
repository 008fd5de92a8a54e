/** How close two points of a UMAP map count as: 1 / (1 + a d^2b), fitted to 1 up to a least distance and a falling exponential from there. */

const SAMPLES = 300;
const STEPS = 100;

/**
 * a and b of the least squares over distances from 0 to 3 `spread`, by Levenberg and Marquardt's method from a = b = 1.
 * Source: McInnes et al. 2018, section 3.2.
 */
export function umapCurve(minDist: number, spread = 1): { readonly a: number; readonly b: number } {
  const distances = Float64Array.from({ length: SAMPLES }, (_, i) => (3 * spread * i) / (SAMPLES - 1));
  const wanted = distances.map((d) => (d < minDist ? 1 : Math.exp(-(d - minDist) / spread)));
  let [a, b, damping] = [1, 1, 1e-3];
  let error = errorOf(a, b, distances, wanted);
  for (let step = 0; step < STEPS; step++) {
    let [aa, ab, bb, ra, rb] = [0, 0, 0, 0, 0];
    distances.forEach((d, i) => {
      if (d === 0) return; // the curve is 1 there, whatever a and b are
      const power = d ** (2 * b);
      const value = 1 / (1 + a * power);
      const byA = -power * value * value;
      const byB = 2 * a * Math.log(d) * byA;
      const rest = wanted[i] - value;
      aa += byA * byA;
      ab += byA * byB;
      bb += byB * byB;
      ra += byA * rest;
      rb += byB * rest;
    });
    const [da, db] = [aa * (1 + damping), bb * (1 + damping)];
    const determinant = da * db - ab * ab;
    const [nextA, nextB] = [a + (db * ra - ab * rb) / determinant, b + (da * rb - ab * ra) / determinant];
    const next = nextA > 0 && nextB > 0 ? errorOf(nextA, nextB, distances, wanted) : Infinity;
    if (next < error) [a, b, error, damping] = [nextA, nextB, next, damping / 10];
    else damping *= 10;
    if (damping > 1e12) break;
  }
  return { a, b };
}

function errorOf(a: number, b: number, distances: Float64Array, wanted: Float64Array): number {
  return distances.reduce((sum, d, i) => sum + (wanted[i] - 1 / (1 + a * d ** (2 * b))) ** 2, 0);
}
