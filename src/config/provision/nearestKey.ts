/** A key without case, underscores and hyphens, which people often confuse. */
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
 * The known key that is most similar to an unknown one, compared by the last part of the path; undefined when no key is
 * similar. Of equally similar keys the first one is returned.
 * @param path an unknown key, `section.key` or `key`
 * @param known the known keys in the same form
 */
export function nearestKey(path: string, known: readonly string[]): string | undefined {
  // No known key is this long. The limit also bounds the work.
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
