/** Topological order of a layer graph, for files whose layers come in any order. */
import { UnitscopeError, type ErrorAddress } from '../errors.ts';
import { quote } from './spelling.ts';

export interface GraphEdges<T> {
  name(item: T): string;
  /** Tensors that the item reads; those that no item makes are no edges. */
  inputs(item: T): readonly string[];
  /** Tensors that the item makes. */
  outputs(item: T): readonly string[];
}

/**
 * Kahn's algorithm, stable: of the items that could come next, the one that stands first in the file does.
 * A cycle throws 'model-invalid' and prints the names along it.
 */
export function topologicalOrder<T>(items: readonly T[], edges: GraphEdges<T>, address: ErrorAddress = {}): T[] {
  const maker = new Map<string, number>();
  items.forEach((item, index) => edges.outputs(item).forEach((tensor) => maker.set(tensor, index)));
  const makersOf = items.map((item) => [
    ...new Set(edges.inputs(item).flatMap((tensor) => maker.get(tensor) ?? [])),
  ]);
  const readersOf: number[][] = items.map(() => []);
  makersOf.forEach((makers, index) => makers.forEach((made) => readersOf[made]!.push(index)));

  const waiting = makersOf.map((makers) => makers.length);
  const ready: number[] = []; // descending, so that the first item of the file is popped first
  for (let index = items.length - 1; index >= 0; index--) if (waiting[index] === 0) ready.push(index);
  const order: T[] = [];
  while (ready.length > 0) {
    const next = ready.pop()!;
    order.push(items[next]!);
    for (const reader of readersOf[next]!) if (--waiting[reader]! === 0) insertDescending(ready, reader);
  }
  if (order.length === items.length) return order;

  const cycle = findCycle(waiting, makersOf).map((index) => quote(edges.name(items[index]!)));
  const shown = cycle.length > 12 ? [...cycle.slice(0, 6), '...', ...cycle.slice(-5)] : cycle;
  throw new UnitscopeError('model-invalid', `the layers form a cycle: ${shown.join(' -> ')}`, address);
}

function insertDescending(list: number[], value: number): void {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle]! > value) low = middle + 1;
    else high = middle;
  }
  list.splice(low, 0, value);
}

/** Every item that still waits has a maker that still waits, so walking back must come round. */
function findCycle(waiting: readonly number[], makersOf: readonly (readonly number[])[]): number[] {
  const seenAt = new Map<number, number>();
  const path: number[] = [];
  let current = waiting.findIndex((count) => count > 0);
  while (!seenAt.has(current)) {
    seenAt.set(current, path.length);
    path.push(current);
    current = makersOf[current]!.find((maker) => waiting[maker]! > 0)!;
  }
  return [...path.slice(seenAt.get(current)!), current].reverse();
}
