/**
 * Eigenvalues and eigenvectors of a symmetric tridiagonal matrix, by QL steps with implicit shifts.
 * Source: Dubrulle, Martin, Wilkinson, The implicit QL algorithm, Numerische Mathematik 12, 1968.
 */
import { UnitscopeError } from '../errors.ts';

/** Steps for one eigenvalue: two or three is usual. */
const MOST_STEPS = 60;

/**
 * Overwrites `diagonal` [n] with the eigenvalues, in no order, and turns the rows of `vectors` [n, width] as the eigenvectors
 * turn: of the identity it makes the eigenvectors, one a row; of one column of the identity, one coordinate of each.
 * It yields after each eigenvalue.
 * @param below [n] what stands beside the diagonal, then a 0; it is used up
 * @throws not-finite
 */
export function* tridiagonalEigen(diagonal: Float64Array, below: Float64Array, vectors: Float64Array, width: number): Generator<void, void, void> {
  const last = diagonal.length - 1;
  for (let first = 0; first <= last; first++) {
    for (let steps = 0; ; steps++) {
      let end = first;
      while (end < last && Math.abs(below[end]) > Number.EPSILON * (Math.abs(diagonal[end]) + Math.abs(diagonal[end + 1]))) end++;
      if (end === first) break;
      if (steps === MOST_STEPS) throw new UnitscopeError('not-finite', 'the eigenvalues of a matrix do not settle', {}, 'it may hold numbers that are not finite');
      step(diagonal, below, vectors, width, first, end);
    }
    yield;
  }
}

/** One QL step on rows first..end, which hang together: rotations that chase a bulge from the end to the first. */
function step(diagonal: Float64Array, below: Float64Array, vectors: Float64Array, width: number, first: number, end: number): void {
  const half = (diagonal[first + 1] - diagonal[first]) / (2 * below[first]);
  const shift = diagonal[first] - below[first] / (half + (half < 0 ? -1 : 1) * Math.hypot(half, 1));
  let [sine, cosine, carried, edge] = [1, 1, 0, diagonal[end] - shift];
  for (let row = end - 1; row >= first; row--) {
    const bulge = sine * below[row];
    const straight = cosine * below[row];
    const length = Math.hypot(bulge, edge);
    below[row + 1] = length;
    if (length === 0) {
      // The matrix falls apart here: its parts go on alone.
      diagonal[row + 1] -= carried;
      below[end] = 0;
      return;
    }
    [sine, cosine] = [bulge / length, edge / length];
    const corner = diagonal[row + 1] - carried;
    const mixed = (diagonal[row] - corner) * sine + 2 * cosine * straight;
    carried = sine * mixed;
    diagonal[row + 1] = corner + carried;
    edge = cosine * mixed - straight;
    for (let i = row * width, j = i + width; i < (row + 1) * width; i++, j++) {
      const upper = vectors[i];
      const lower = vectors[j];
      vectors[j] = sine * upper + cosine * lower;
      vectors[i] = cosine * upper - sine * lower;
    }
  }
  diagonal[first] -= carried;
  below[first] = edge;
  below[end] = 0;
}
