/** Sums and differences of objectives, of different layers too. */
import type { Objective } from './objective.ts';

/** The objective times a factor. */
export function weighted(factor: number, { terms }: Objective): Objective {
  return { terms: terms.map((term) => ({ ...term, weight: factor * term.weight })) };
}

export function sumOf(...objectives: readonly Objective[]): Objective {
  return { terms: objectives.flatMap(({ terms }) => terms) };
}

export const difference = (a: Objective, b: Objective): Objective => sumOf(a, weighted(-1, b));
