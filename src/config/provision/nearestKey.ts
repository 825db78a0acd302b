/** Spelling without what people mix up: case, underscores, hyphens. */
const plain = (key: string): string => key.toLowerCase().replaceAll(/[_-]/g, '');

/** Levenshtein distance: the fewest insertions, deletions and replacements that turn one text into the other. */
export function editDistance(from: string, to: string): number {
  let above = Array.from({ length: to.length }, (_, column) => column + 1);
  let distance = to.length;
  for (const [row, letter] of [...from].entries()) {
    let diagonal = row;
    distance = row + 1;
    const current: number[] = [];
    for (const [column, upper] of above.entries()) {
      distance = Math.min(upper + 1, distance + 1, diagonal + (to[column] === letter ? 0 : 1));
      diagonal = upper;
      current.push(distance);
    }
    above = current;
  }
  return distance;
}

const lastPart = (path: string): string => path.slice(path.lastIndexOf('.') + 1);

/**
 * The known key that somebody most likely meant, compared by the last part of the path; undefined when no known key
 * is near. Of equally near keys the first wins.
 * @param path an unknown key, `section.key` or `key`
 * @param known the known keys in the same form
 */
export function nearestKey(path: string, known: readonly string[]): string | undefined {
  // Nothing that is longer than any key can be a slip of one; this also bounds the work.
  const wanted = plain(lastPart(path)).slice(0, 64);
  let nearest: { readonly key: string; readonly distance: number } | undefined;
  for (const key of known) {
    const candidate = plain(lastPart(key));
    const distance = editDistance(wanted, candidate);
    const isNear = distance <= Math.max(wanted.length, candidate.length) / 2;
    if (isNear && (nearest === undefined || distance < nearest.distance)) nearest = { key, distance };
  }
  return nearest?.key;
}
