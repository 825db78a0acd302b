/**
 * Control characters in a name or a certificate could control the terminal or turn the direction of the text. Line
 * breaks and tabs are harmless.
 */
const CONTROL = /[^\P{Cc}\n\t]|\p{Bidi_Control}/gu;

/** Makes a text from another source safe for a terminal. */
export const printable = (text: string): string =>
  // Not imported: a run without a terminal does not need node:util.
  process.getBuiltinModule('node:util').stripVTControlCharacters(text).replaceAll(CONTROL, '?');

export type Colour = 'red' | 'green' | 'yellow' | 'cyan' | 'dim' | 'bold';
export type Paint = (colour: Colour, text: string) => string;

const CODES: Readonly<Record<Colour, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 };
const RESET = '\x1b[0m';

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether a line can be redrawn: on a terminal that is not dumb. */
export const isDrawable = (stream: { readonly isTTY?: boolean }, env: Environment = process.env): boolean =>
  stream.isTTY === true && env.TERM !== 'dumb';

/** Colours for a terminal. No colours for other outputs, for a dumb terminal, or if NO_COLOR is set (no-color.org). */
export function paintFor(stream: { readonly isTTY?: boolean }, env: Environment = process.env): Paint {
  const coloured = isDrawable(stream, env) && (env.NO_COLOR ?? '') === '';
  return coloured ? (colour, text) => `\x1b[${CODES[colour]}m${text}${RESET}` : (_colour, text) => text;
}

function colourOf(line: string): Colour | undefined {
  if (line.startsWith('--- ') || line.startsWith('+++ ')) return 'bold';
  if (line.startsWith('@@')) return 'cyan';
  if (line.startsWith('+')) return 'green';
  return line.startsWith('-') ? 'red' : undefined;
}

/** Colours a unified diff. */
export function paintDiff(diff: string, paint: Paint): string {
  return printable(diff)
    .split('\n')
    .map((line) => {
      const colour = colourOf(line);
      return colour === undefined ? line : paint(colour, line);
    })
    .join('\n');
}
