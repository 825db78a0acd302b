const MEBIBYTE = 1024 * 1024;

/**
 * A size for people, in MiB with at most one decimal.
 * @param rounded `down` for free space and `up` for needed space: otherwise too little could look like enough
 */
export function mebibytes(bytes: number, rounded: 'down' | 'up'): string {
  const tenths = (bytes / MEBIBYTE) * 10;
  return `${(rounded === 'down' ? Math.floor(tenths) : Math.ceil(tenths)) / 10} MiB`;
}
