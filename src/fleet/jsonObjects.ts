/** The longest JSON object that is accepted, in bytes. A status document has 100 kB at most. */
export const MAX_OBJECT_BYTES = 1024 * 1024;

/** Why a part of the input holds no object. */
export type Fault = 'cut off' | 'not JSON' | 'too large';

export interface ObjectReader {
  /** @param line line of its first character, from 1 */
  object(text: string, line: number): void;
  /** Called once for each damaged part, however many lines it has. */
  fault(fault: Fault, line: number): void;
}

export interface JsonObjects {
  /** Adds bytes that have arrived. The caller may reuse their memory. */
  feed(chunk: Buffer): void;
  end(): void;
}

const [NEWLINE, SPACE, QUOTE, COMMA, COLON, BACKSLASH] = [0x0a, 0x20, 0x22, 0x2c, 0x3a, 0x5c];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN, CLOSE] = [0x5b, 0x5d, 0x7b, 0x7d];
/** Between objects: what separates the elements of an array, and the byte order mark of each file. */
const BETWEEN = new Set([COMMA, OPEN_ARRAY, CLOSE_ARRAY, 0xef, 0xbb, 0xbf]);
const BEFORE_VALUE = new Set([OPEN_ARRAY, COMMA, COLON]);

/** The object that is being read. */
interface Unfinished {
  readonly line: number;
  /** Indentation of its first line. */
  readonly column: number;
  /** Bytes from earlier chunks; undefined: the object is too large, and its bytes are dropped. */
  parts: Buffer[] | undefined;
  size: number;
  /** Whether its next line at `column` that begins with a brace can only be another object. */
  closed: boolean;
}

/**
 * Finds the JSON objects in a byte stream: one document, one on each line, several in sequence, or in an array, in any
 * layout. After a damaged part it continues with the next line that begins an object. It keeps one object in memory.
 */
export function findJsonObjects(reader: ObjectReader): JsonObjects {
  let line = 1;
  let column = 0;
  /** Whether the line has had only white space so far. */
  let atStart = true;
  let depth = 0;
  let inString = false;
  let escaped = false;
  let lastByte = 0;
  let current: Unfinished | undefined;
  /** Inside a damaged part: the largest indentation of the object after it. */
  let resumeAt: number | undefined;

  /** Gives up the current object. A fault of an object that is too large was reported already. */
  function drop({ parts, line: at, column: indentation }: Unfinished): void {
    if (parts !== undefined) reader.fault('cut off', at);
    current = undefined;
    depth = 0;
    inString = false;
    escaped = false;
    resumeAt = indentation;
  }

  function begin(): Unfinished {
    resumeAt = undefined;
    depth = 1;
    lastByte = OPEN;
    return { line, column, parts: [], size: 0, closed: false };
  }

  /** Keeps the bytes of the current object from a chunk. */
  function keep(unfinished: Unfinished, bytes: Buffer): void {
    unfinished.size += bytes.length;
    if (unfinished.parts === undefined) return;
    if (unfinished.size > MAX_OBJECT_BYTES) {
      unfinished.parts = undefined;
      reader.fault('too large', unfinished.line);
    } else unfinished.parts.push(Buffer.from(bytes));
  }

  function finish(unfinished: Unfinished, bytes: Buffer): void {
    if (unfinished.parts?.length === 0 && bytes.length <= MAX_OBJECT_BYTES) {
      reader.object(bytes.toString('utf8'), unfinished.line);
    } else {
      keep(unfinished, bytes);
      if (unfinished.parts !== undefined)
        reader.object(Buffer.concat(unfinished.parts).toString('utf8'), unfinished.line);
    }
    current = undefined;
  }

  return {
    feed(chunk) {
      let from = 0;
      for (let at = 0; at < chunk.length; at += 1) {
        const byte = chunk[at] ?? 0;
        if (byte === NEWLINE) {
          // No string of JSON holds a line break, so this object is cut off.
          if (inString && current !== undefined) drop(current);
          line += 1;
          column = 0;
          atStart = true;
          continue;
        }
        if (inString) {
          if (escaped) escaped = false;
          else if (byte === BACKSLASH) escaped = true;
          else if (byte === QUOTE) inString = false;
          continue;
        }
        if (byte <= SPACE) {
          if (atStart && byte !== 0x0d) column += 1;
          if (byte !== 0 || current !== undefined) continue;
        }
        const isFirst = atStart;
        atStart = false;
        if (current !== undefined) {
          if (isFirst && line !== current.line) {
            if (column > current.column) current.closed = true;
            // An object of another document, if the brace can't be a value here, or if values here are indented.
            else if (byte === OPEN && (current.closed || !BEFORE_VALUE.has(lastByte))) drop(current);
          } else if (line === current.line) current.closed = true;
        }
        if (current === undefined) {
          if (byte === OPEN && (resumeAt === undefined || (isFirst && column <= resumeAt))) {
            current = begin();
            from = at;
          } else if (resumeAt === undefined && !BETWEEN.has(byte)) {
            reader.fault('not JSON', line);
            resumeAt = Number.POSITIVE_INFINITY;
          }
          continue;
        }
        lastByte = byte;
        if (byte === QUOTE) inString = true;
        else if (byte === OPEN || byte === OPEN_ARRAY) depth += 1;
        else if (byte === CLOSE || byte === CLOSE_ARRAY) {
          depth -= 1;
          if (depth === 0) finish(current, chunk.subarray(from, at + 1));
        }
      }
      if (current !== undefined) keep(current, chunk.subarray(from));
    },
    end() {
      if (current !== undefined) drop(current);
    },
  };
}
