/** How names from untrusted files appear in messages: shortened, escaped, and compared by edit distance. */

const LONGEST_SHOWN = 80;
const LONGEST_COMPARED = 64;

/** A name in quotes, control characters escaped, cut after 80 characters. */
export function quote(name: string): string {
  const shown = name.length > LONGEST_SHOWN ? `${name.slice(0, LONGEST_SHOWN)}...` : name;
  // Bidirectional marks and control characters could make a message read as something else.
  const escaped = shown.replace(
    /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `'${escaped}'`;
}

/** Names in quotes, at most `limit` of them, the rest counted. */
export function quoteList(names: readonly string[], limit = 8): string {
  const shown = names.slice(0, limit).map(quote).join(', ');
  return names.length > limit ? `${shown} and ${names.length - limit} more` : shown;
}

/** The candidates that a misspelled name most likely meant, best first; empty when none is near. */
export function nearestNames(name: string, candidates: Iterable<string>, count = 3): string[] {
  const wanted = name.slice(0, LONGEST_COMPARED).toLowerCase();
  const scored: { candidate: string; distance: number }[] = [];
  let compared = 0;
  for (const candidate of candidates) {
    if (++compared > 5000) break;
    const offered = candidate.slice(0, LONGEST_COMPARED).toLowerCase();
    const inside = wanted.length > 2 && (offered.includes(wanted) || wanted.includes(offered));
    const distance = inside ? 1 : editDistance(wanted, offered);
    if (distance <= Math.max(2, wanted.length / 2)) scored.push({ candidate, distance });
  }
  return scored
    .sort((a, b) => a.distance - b.distance)
    .slice(0, count)
    .map(({ candidate }) => candidate);
}

/** A hint made of the nearest names, or of all names when there are few. */
export function didYouMean(name: string, candidates: readonly string[]): string {
  const near = nearestNames(name, candidates);
  if (near.length > 0) return `did you mean ${near.map(quote).join(', ')}?`;
  return candidates.length > 0 ? `known names: ${quoteList(candidates, 12)}` : '';
}

/** Levenshtein distance: insertions, deletions and substitutions that turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const substitution = above[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(substitution, above[column]! + 1, current[column - 1]! + 1));
    }
    above = current;
  }
  return above[b.length]!;
}
