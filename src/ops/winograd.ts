/**
 * The matrices of Winograd's minimal filtering F(m, r): m outputs of a filter of r taps from m + r - 1 products.
 *   y = AT [(G g) * (BT d)],  y[j] = sum over k of g[k] d[j + k]
 * Built from the points of the Toom-Cook algorithm, the last of them infinity: with M(x) the product of (x - p) over
 * the finite points and M_i(x) the same without p_i,
 *   BT[i] = coefficients of M_i, BT[last] = coefficients of M;  G[i][k] = p_i^k / M_i(p_i);  AT[j][i] = p_i^j.
 * Source: Winograd 1980; Lavin and Gray 2016; Blahut 2010 for the construction.
 */

export interface WinogradMatrices {
  /** Outputs, taps and products along one axis. */
  readonly outputs: number;
  readonly taps: number;
  readonly size: number;
  /** [outputs][size], [size][taps], [size][size]. */
  readonly at: readonly (readonly number[])[];
  readonly g: readonly (readonly number[])[];
  readonly bt: readonly (readonly number[])[];
}

/**
 * Finite points by the number of products, in pairs of opposite sign, which halves the additions. For six products
 * 3/4 and 3/2 round half as much as the usual 1 and 2 (measured over random filters), and are as exact in binary.
 */
const POINTS: Readonly<Record<number, readonly number[]>> = { 4: [0, 1, -1], 6: [0, 0.75, -0.75, 1.5, -1.5] };

/** Numbers of products that there are points for. */
export const WINOGRAD_SIZES = Object.keys(POINTS).map(Number);

/** Up to so many products an axis round no more than the direct sum does; six round about twice as much. */
export const WINOGRAD_EXACT = 4;

/** Coefficients, constant first, of the product of (x - p). */
function polynomial(points: readonly number[]): number[] {
  return points.reduce<number[]>(
    (coefficients, p) => Array.from({ length: coefficients.length + 1 }, (_, k) => (coefficients[k - 1] ?? 0) - p * (coefficients[k] ?? 0)),
    [1],
  );
}

/** @throws RangeError where no points are known for m + r - 1 products */
export function winogradMatrices(outputs: number, taps: number): WinogradMatrices {
  const size = outputs + taps - 1;
  const points = POINTS[size];
  if (!points) throw new RangeError(`no Winograd points for ${outputs} outputs of ${taps} taps`);
  const last = size - 1;
  const padded = (row: readonly number[]): number[] => Array.from({ length: size }, (_, k) => row[k] ?? 0);
  const others = points.map((_, i) => points.filter((_p, j) => j !== i));
  const value = (i: number): number => others[i]!.reduce((product, p) => product * (points[i]! - p), 1);
  return {
    outputs,
    taps,
    size,
    bt: [...others.map((rest) => padded(polynomial(rest))), padded(polynomial(points))],
    g: [...points.map((p, i) => Array.from({ length: taps }, (_, k) => p ** k / value(i))), Array.from({ length: taps }, (_, k) => Number(k === taps - 1))],
    at: Array.from({ length: outputs }, (_, j) => [...points.map((p) => p ** j), Number(j === outputs - 1)]).map((row) => row.slice(0, last + 1)),
  };
}
