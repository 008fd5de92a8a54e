/** Points with a known order: blobs far apart, and how well a map keeps them. */
import type { Points } from '../../src/analysis/points.ts';
import { numbers } from '../ops/reference.ts';

/** `each` points of every blob, blob after blob, about 1 wide around corners that lie `apart` from each other. */
export function blobs({ blobs: count = 3, each = 20, size = 10, apart = 12, seed = 1 } = {}): { points: Points; labels: number[] } {
  const { uniform } = numbers(seed);
  const normal = (): number => Array.from({ length: 12 }, () => uniform(-0.5, 0.5)).reduce((a, b) => a + b, 0);
  const labels = Array.from({ length: count * each }, (_, i) => Math.floor(i / each));
  const data = Float64Array.from({ length: labels.length * size }, (_, i) => normal() + (i % size === labels[Math.floor(i / size)] ? apart / Math.SQRT2 : 0));
  return { points: { count: labels.length, size, data }, labels };
}

/** The share of points of a map [count, 2] whose nearest one has their label, by looking at all. */
export function purity(map: Float64Array, labels: readonly number[]): number {
  const right = labels.filter((label, i) => {
    const near = labels.map((_, j) => (j === i ? Infinity : Math.hypot(map[2 * i]! - map[2 * j]!, map[2 * i + 1]! - map[2 * j + 1]!)));
    return labels[near.indexOf(Math.min(...near))] === label;
  });
  return right.length / labels.length;
}
