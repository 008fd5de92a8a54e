/**
 * Few points that stand for many: each is as far as possible from those that were chosen before it.
 * Source: Gonzalez, Clustering to minimize the maximum intercluster distance, 1985. The least distance among the chosen is at
 * least half of what the best choice of as many points has.
 */

/** Root of the mean square of a - b; both of one length. */
export function rootMeanSquare(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return a.length === 0 ? 0 : Math.sqrt(sum / a.length);
}

/**
 * Indices of `count` points, or of all where there are fewer, in the order in which they were chosen: `first`, then always
 * the one whose nearest chosen point is farthest away; the earlier one where two are as far.
 * @param points vectors of one length
 */
export function farthestPoints(points: readonly ArrayLike<number>[], first: number, count: number): number[] {
  const chosen: number[] = [];
  /** Distance of every point to the nearest that is chosen; -1 once it is chosen itself. */
  const away = points.map(() => Infinity);
  for (let next = first; chosen.length < Math.min(count, points.length); next = away.indexOf(Math.max(...away))) {
    chosen.push(next);
    points.forEach((point, i) => (away[i] = away[i]! < 0 ? -1 : Math.min(away[i]!, rootMeanSquare(point, points[next]!))));
    away[next] = -1;
  }
  return chosen;
}
