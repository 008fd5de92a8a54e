/** Gives points of a map cells of a grid, one each, so that together they move least. */
import { UnitscopeError } from '../errors.ts';
import { assignColumns } from './assignment.ts';
import { mapFrame } from './map_frame.ts';
import type { Computation } from './points.ts';

/** Most points: the work grows with their number to the third power. */
export const GRID_MOST = 2048;

export interface Grid {
  readonly columns: number;
  readonly rows: number;
}

/** The grid nearest to a square that has a cell for each of `count` points. */
export function gridOf(count: number): Grid {
  const columns = Math.ceil(Math.sqrt(count));
  return { columns, rows: Math.ceil(count / columns) };
}

/**
 * The cell of each point, numbered in reading order, with the least sum of squared distances between points and cells. The frame of
 * the map is stretched over the grid, and what lies outside moves to its edge.
 * @param map [count, 2]
 */
export function* snapToGrid(map: Float64Array, { columns, rows }: Grid): Computation<Uint32Array> {
  const count = map.length / 2;
  const cells = columns * rows;
  if (count > GRID_MOST) throw new UnitscopeError('usage', `a grid holds up to ${GRID_MOST} points, there are ${count}`, {}, 'take fewer, or a map without a grid');
  const { left, top, width, height } = mapFrame(map, 0);
  const share = (value: number, from: number, extent: number): number => (extent > 0 ? Math.min(1, Math.max(0, (value - from) / extent)) : 0.5);
  const costs = new Float64Array(count * cells);
  for (let i = 0; i < count; i++) {
    const x = columns * share(map[2 * i], left, width) - 0.5;
    const y = rows * share(map[2 * i + 1], top, height) - 0.5;
    for (let cell = 0; cell < cells; cell++) costs[i * cells + cell] = (x - (cell % columns)) ** 2 + (y - Math.floor(cell / columns)) ** 2;
  }
  return yield* assignColumns(costs, count, cells);
}
