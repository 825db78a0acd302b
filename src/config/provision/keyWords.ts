/** A key without case, white space and punctuation: `use_ssl`, `useSsl`, `USE-SSL` → `usessl`. */
export const plain = (key: string): string => key.toLowerCase().replaceAll(/[\s_.-]/g, '');

/** The words of a key in any style, joined by `_`: `useTLS`, `use-tls` → `use_tls`. */
export const wordsOf = (key: string): string =>
  key
    .replaceAll(/([a-z0-9])(?=[A-Z])/g, '$1_')
    .replaceAll(/([A-Z])(?=[A-Z][a-z])/g, '$1_')
    .toLowerCase()
    .replaceAll(/[\s.-]/g, '_');

/** The last part of a JSON path, or of a key with dots. */
export const lastPart = (path: string): string => path.slice(path.lastIndexOf('.') + 1);

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

/** Whether one text becomes the other when two neighbouring letters change places. */
const isSwapped = (from: string, to: string): boolean =>
  from.length === to.length &&
  [...from].some((_, at) => from.slice(0, at) + from.charAt(at + 1) + from.charAt(at) + from.slice(at + 2) === to);

/** The number of typing errors; undefined for too many. A word of three letters resembles too many others. */
function typingErrors(from: string, to: string): number | undefined {
  const shorter = Math.min(from.length, to.length);
  const limit = shorter < 4 ? 0 : shorter < 8 ? 1 : 2;
  // No other word is compared letter by letter, so this also bounds the work.
  if (Math.abs(from.length - to.length) > limit) return undefined;
  const errors = isSwapped(from, to) ? 1 : editDistance(from, to);
  return errors <= limit ? errors : undefined;
}

/**
 * The known words of which another word is a typing error: those with the fewest errors. Few letters may differ, so
 * that none of them changes the meaning.
 */
export function meantWords(word: string, known: readonly string[]): readonly string[] {
  const near = known.flatMap((one) => {
    const errors = typingErrors(word, one);
    return errors === undefined ? [] : [{ one, errors }];
  });
  const fewest = Math.min(...near.map(({ errors }) => errors));
  return near.filter(({ errors }) => errors === fewest).map(({ one }) => one);
}
