const NEWLINE = 0x0a;

/** The longest accepted line, in bytes. */
export const MAX_LINE_BYTES = 64 * 1024;

export interface JsonLines {
  /** Adds bytes that have arrived. */
  feed(chunk: Uint8Array): void;
  /** The unfinished last line; empty if there is none. */
  unfinished(): string;
  /** Drops the unfinished line, because the next bytes belong to other content. */
  reset(): void;
}

/**
 * Splits a byte stream into lines of limited length.
 * @param onLine receives each complete line without its end; empty lines are left out
 * @param onTooLong called once for each line above the limit; the line is dropped
 */
export function createJsonLines(onLine: (line: string) => void, onTooLong: () => void): JsonLines {
  let parts: Uint8Array[] = [];
  let length = 0;
  let dropping = false;

  const forget = (): void => {
    parts = [];
    length = 0;
  };

  function keep(part: Uint8Array): void {
    if (dropping || part.length === 0) return;
    if (length + part.length > MAX_LINE_BYTES) {
      forget();
      dropping = true;
      onTooLong();
      return;
    }
    // A copy, because the caller may reuse the chunk's memory.
    parts.push(Uint8Array.from(part));
    length += part.length;
  }

  const kept = (): string => Buffer.concat(parts).toString('utf8').trim();

  function endLine(): void {
    const line = kept();
    forget();
    dropping = false;
    if (line !== '') onLine(line);
  }

  return {
    feed(chunk) {
      let start = 0;
      for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
        keep(chunk.subarray(start, end));
        endLine();
        start = end + 1;
      }
      keep(chunk.subarray(start));
    },
    unfinished: kept,
    reset() {
      forget();
      dropping = false;
    },
  };
}
