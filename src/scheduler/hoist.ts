/**
 * Moves the copies that are left to an earlier place: where nobody reads the source afterwards, it is copied as soon
 * as it is there. The parts of a concatenation then need not be alive all at once beside the whole.
 */
import type { Block, Place, Touches } from './coalesce.ts';

/** The steps as indices into `steps`, in their new order; `places` tells which tensors share memory. */
export function hoist(steps: readonly Touches[], places: ReadonlyMap<number, Place>, kept: ReadonlySet<number>): number[] {
  const root = (id: number): number => places.get(id)!.root;
  const keptRoots = new Set([...kept].map(root));
  const touches = ({ reads, writes }: Touches, id: number): boolean => [...reads, ...writes].some((other) => root(other) === root(id));
  const order: number[] = [];
  steps.forEach((step, index) => {
    const { copy, pass } = step;
    const read = copy && (keptRoots.has(root(copy.from)) || steps.some((later, at) => at > index && touches(later, copy.from)));
    if (!copy || read) {
      order.push(index);
      return;
    }
    // Back to the first place behind every step that the copy has to follow; other parts of the whole may come later.
    let at = order.length;
    const beside = (other: Block | undefined): boolean => {
      if (other?.to !== copy.to || other.pieces !== copy.pieces) return false;
      const [end, otherEnd] = [copy, other].map(({ from, at: start, pieces }) => start + places.get(from)!.size / pieces) as [number, number];
      return Math.max(end, otherEnd) <= places.get(copy.to)!.size / copy.pieces && (end <= other.at || otherEnd <= copy.at);
    };
    const follows = (other: Touches): boolean =>
      other.pass !== pass || touches(other, copy.from) || (touches(other, copy.to) && !beside(other.copy));
    while (at > 0 && !follows(steps[order[at - 1]!]!)) at--;
    order.splice(at, 0, index);
  });
  return order;
}
