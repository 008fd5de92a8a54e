/**
 * Principal components: the directions in which points spread most, and where the points lie along them.
 * By Lanczos steps on the matrix of products between rows (or between columns, where there are fewer), which is never formed; every
 * new direction is made orthogonal to all before it, so that few points are decomposed exactly.
 * Sources: Pearson 1901; Lanczos 1950; Golub and Van Loan, Matrix Computations, chapter 10.
 */
import { UnitscopeError } from '../errors.ts';
import type { Computation, Points } from './points.ts';
import { Random } from './random.ts';
import { tridiagonalEigen } from './tridiagonal.ts';

export interface PrincipalComponents extends Points {
  /** [size] variance along each component, falling. */
  readonly variances: Float64Array;
  /** Of all that the points had. */
  readonly total: number;
}

/** A component is found when what is left of it is this small, relative to the strongest. */
const TOLERANCE = 1e-10;

/** Steps from one look at what is left to the next. */
const EVERY = 16;

/**
 * The coordinates [count, components] of centred points along their first components. The coordinate that is farthest from 0 is
 * positive, so that equal points give equal signs. Components past the number of dimensions are 0.
 * Where hundreds of dimensions spread almost alike, those among them are told apart only roughly.
 */
export function* pca(points: Points, components: number): Computation<PrincipalComponents> {
  const { count, size } = points;
  if (count < 1 || size < 1) throw new UnitscopeError('usage', 'there are no points to decompose');
  const rows = centred(points);
  const total = rows.reduce((sum, value) => sum + value * value, 0) / Math.max(1, count - 1);
  const byRows = count <= size;
  const order = Math.min(count, size);
  const wanted = Math.min(components, order);
  const { values, vectors } = yield* strongest(order, wanted, (v, w) => (byRows ? multiply(rows, count, size, v, w) : multiplyTransposed(rows, count, size, v, w)));
  const data = new Float64Array(count * components);
  for (let c = 0; c < wanted; c++) {
    const vector = vectors.subarray(c * order, (c + 1) * order);
    const along = byRows ? vector.map((value) => value * Math.sqrt(values[c])) : project(rows, count, size, vector);
    const sign = signOf(along);
    for (let i = 0; i < count; i++) data[i * components + c] = sign * along[i];
  }
  const variances = Float64Array.from({ length: components }, (_, c) => (c < wanted ? values[c] / Math.max(1, count - 1) : 0));
  return { count, size: components, data, variances, total };
}

/** The largest eigenvalues of a symmetric positive matrix, falling, and their vectors, one a row. */
function* strongest(order: number, wanted: number, product: (v: Float64Array, w: Float64Array) => void): Computation<{ values: Float64Array; vectors: Float64Array }> {
  const most = Math.min(order, 6 * wanted + 100);
  const basis = new Float64Array(most * order);
  const [diagonal, below] = [new Float64Array(most), new Float64Array(most)];
  const random = new Random(0);
  const next = Float64Array.from({ length: order }, () => random.normal());
  normalize(next);
  let length = 0;
  let scale = 0;
  while (length < most) {
    const row = basis.subarray(length * order, (length + 1) * order);
    row.set(next);
    product(row, next);
    diagonal[length] = dot(row, next);
    length++;
    orthogonalize(next, basis, length, order);
    scale = Math.max(scale, Math.abs(diagonal[length - 1]));
    below[length - 1] = normalize(next);
    if (!(below[length - 1] > 1e-13 * scale) && length < most) {
      // No product leads out of what is known: another direction starts anew.
      below[length - 1] = 0;
      next.forEach((_, i) => (next[i] = random.normal()));
      orthogonalize(next, basis, length, order);
      normalize(next);
    }
    yield { stage: 'PCA', done: length, total: most + 1 };
    if (length % EVERY === 0 && length >= 2 * wanted + 20 && length < most && isSettled(diagonal, below, length, wanted)) break;
  }
  const values = diagonal.slice(0, length);
  const turned = Float64Array.from({ length: length * length }, (_, i) => (i % (length + 1) === 0 ? 1 : 0));
  for (const _ of tridiagonalEigen(values, ended(below, length), turned, length)) yield { stage: 'PCA', done: length, total: most + 1 };
  const falling = [...values.keys()].sort((a, b) => values[b] - values[a]).slice(0, wanted);
  const vectors = new Float64Array(wanted * order);
  falling.forEach((which, c) => {
    for (let j = 0; j < length; j++) add(vectors.subarray(c * order, (c + 1) * order), turned[which * length + j], basis.subarray(j * order, (j + 1) * order));
  });
  // Of a matrix of products no eigenvalue is negative, except by rounding.
  return { values: Float64Array.from(falling, (which) => Math.max(0, values[which])), vectors };
}

/** Whether what the wanted eigenvectors lack is small: what leads out of the last step, times their last coordinates. */
function isSettled(diagonal: Float64Array, below: Float64Array, length: number, wanted: number): boolean {
  const values = diagonal.slice(0, length);
  const coordinates = new Float64Array(length);
  coordinates[length - 1] = 1;
  const eigen = tridiagonalEigen(values, ended(below, length), coordinates, 1);
  while (!eigen.next().done); // one coordinate of each is quick
  const falling = [...values.keys()].sort((a, b) => values[b] - values[a]).slice(0, wanted);
  return falling.every((which) => Math.abs(below[length - 1] * coordinates[which]) <= TOLERANCE * values[falling[0]]);
}

/** What stands beside the diagonal of the first `length` rows, then a 0. */
function ended(below: Float64Array, length: number): Float64Array {
  const result = below.slice(0, length);
  result[length - 1] = 0;
  return result;
}

function centred({ count, size, data }: Points): Float64Array {
  const mean = new Float64Array(size);
  for (let i = 0; i < count; i++) add(mean, 1 / count, data.subarray(i * size, (i + 1) * size));
  const rows = data.slice();
  for (let i = 0; i < count; i++) add(rows.subarray(i * size, (i + 1) * size), -1, mean);
  return rows;
}

/** w = X X' v, of rows X [count, size]. */
function multiply(rows: Float64Array, count: number, size: number, v: Float64Array, w: Float64Array): void {
  const between = new Float64Array(size);
  for (let i = 0; i < count; i++) add(between, v[i], rows.subarray(i * size, (i + 1) * size));
  for (let i = 0; i < count; i++) w[i] = dot(between, rows.subarray(i * size, (i + 1) * size));
}

/** w = X' X v. */
function multiplyTransposed(rows: Float64Array, count: number, size: number, v: Float64Array, w: Float64Array): void {
  const along = project(rows, count, size, v);
  w.fill(0);
  for (let i = 0; i < count; i++) add(w, along[i], rows.subarray(i * size, (i + 1) * size));
}

/** X v. */
function project(rows: Float64Array, count: number, size: number, v: Float64Array): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => dot(v, rows.subarray(i * size, (i + 1) * size)));
}

/** Takes from a vector what lies along the first rows of the basis. Twice is enough (Kahan and Parlett). */
function orthogonalize(vector: Float64Array, basis: Float64Array, rows: number, order: number): void {
  for (let time = 0; time < 2; time++) {
    for (let i = 0; i < rows; i++) {
      const row = basis.subarray(i * order, (i + 1) * order);
      add(vector, -dot(vector, row), row);
    }
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function add(to: Float64Array, factor: number, from: Float64Array): void {
  for (let i = 0; i < to.length; i++) to[i] += factor * from[i];
}

/** Gives a vector the length 1; returns the length that it had. */
function normalize(vector: Float64Array): number {
  const length = Math.sqrt(dot(vector, vector));
  if (length > 0) vector.forEach((value, i) => (vector[i] = value / length));
  return length;
}

/** The sign of the first of the values that are, but for rounding, farthest from 0. */
function signOf(values: Float64Array): number {
  const most = values.reduce((far, value) => Math.max(far, Math.abs(value)), 0);
  return (values.find((value) => Math.abs(value) >= most * (1 - 1e-6)) ?? 0) < 0 ? -1 : 1;
}
