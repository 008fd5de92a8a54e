/**
 * The cheapest way to give each of some rows a column of its own. Exact.
 * Sources: Jonker and Volgenant, A shortest augmenting path algorithm for dense and sparse linear assignment problems, Computing 38,
 * 1987; in the rectangular form without its first reductions, Crouse, On implementing 2D rectangular assignment algorithms, 2016.
 */
import { UnitscopeError } from '../errors.ts';
import type { Computation } from './points.ts';

/**
 * The column of each row. Rows are added one by one: the shortest path, in costs reduced by the prices of rows and columns, leads to a
 * free column and moves those rows on that it meets.
 * @param costs [rows, columns], finite, rows <= columns
 * @throws usage
 */
export function* assignColumns(costs: Float64Array, rows: number, columns: number): Computation<Uint32Array> {
  if (rows > columns || costs.length !== rows * columns) throw new UnitscopeError('usage', `${costs.length} costs do not give ${rows} rows a column of ${columns} each`);
  const [rowPrice, columnPrice] = [new Float64Array(rows), new Float64Array(columns)];
  const columnOf = new Int32Array(rows).fill(-1);
  const rowOf = new Int32Array(columns).fill(-1);
  const [shortest, from] = [new Float64Array(columns), new Int32Array(columns)];
  for (let start = 0; start < rows; start++) {
    shortest.fill(Infinity);
    const open = Int32Array.from({ length: columns }, (_, column) => column);
    const reached: number[] = []; // columns whose shortest path is known
    let [left, row, length, free] = [columns, start, 0, -1];
    while (free < 0) {
      let [best, at] = [Infinity, 0];
      for (let k = 0; k < left; k++) {
        const column = open[k];
        const path = length + costs[row * columns + column] - rowPrice[row] - columnPrice[column];
        if (path < shortest[column]) {
          shortest[column] = path;
          from[column] = row;
        }
        if (shortest[column] < best || (shortest[column] === best && rowOf[column] < 0)) {
          best = shortest[column];
          at = k;
        }
      }
      if (best === Infinity) throw new UnitscopeError('not-finite', 'a cost of the assignment is not finite');
      length = best;
      const column = open[at];
      open[at] = open[--left];
      reached.push(column);
      if (rowOf[column] < 0) free = column;
      else row = rowOf[column];
    }
    rowPrice[start] += length;
    for (const column of reached) {
      if (rowOf[column] >= 0) rowPrice[rowOf[column]] += length - shortest[column];
      columnPrice[column] -= length - shortest[column];
    }
    for (let column = free; ; ) {
      const before = from[column];
      rowOf[column] = before;
      const next = columnOf[before];
      columnOf[before] = column;
      if (before === start) break;
      column = next;
    }
    yield { stage: 'grid', done: start + 1, total: rows };
  }
  return Uint32Array.from(columnOf);
}
