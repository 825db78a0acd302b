import type { Edit, Node } from 'jsonc-parser';
import { type Property, propertiesOf } from './jsonTree.ts';

// jsonc-parser's own `modify` edits the first of two equal keys, but readers take the last one. It also inserts without
// white space or reformats the siblings. So this module uses its syntax tree and makes the edits itself.

/** The last property with this name in an object: JSON.parse and the camera read the last one. */
export const lastProperty = (object: Node, name: string): Property | undefined =>
  propertiesOf(object).findLast(({ key }) => key.value === name);

/** The formatting of the file. */
export interface Layout {
  readonly multiline: boolean;
  readonly lineBreak: string;
  /** White space of one level of indentation. */
  readonly indent: string;
}

const BLANKS_AT_END = /[ \t\r\n]*$/;
const MAX_BLANKS = 256;
const MAX_INDENT = 16;

/** The white space before an offset, starting at the last line break. It places a new property below its sibling. */
function blanksBefore(text: string, offset: number): string {
  // The slice is limited, because the white space may be a megabyte long.
  const near = text.slice(Math.max(0, offset - MAX_BLANKS), offset);
  return near.slice(near.search(BLANKS_AT_END)).replace(/^[\s\S]*?(\r?\n|\r)(?=[ \t]*$)/, '$1');
}

/** The indentation of the line that contains an offset. */
function lineIndent(text: string, offset: number): string {
  const start = Math.max(text.lastIndexOf('\n', offset), text.lastIndexOf('\r', offset)) + 1;
  return text.slice(start, start + MAX_BLANKS).replace(/[^ \t][\s\S]*$/, '');
}

const hasLineBreak = (text: string): boolean => /[\r\n]/.test(text);

/** Takes the layout from the first property. An empty object gets one line per property, indented by two spaces. */
export function layoutOf(text: string, root: Node): Layout {
  const [first] = propertiesOf(root);
  const lineBreak = text.includes('\r\n') ? '\r\n' : '\n';
  if (first === undefined) return { multiline: true, lineBreak, indent: '  ' };
  const lead = blanksBefore(text, first.key.offset);
  const indent = lead.replace(/^[\r\n]+/, '').slice(0, MAX_INDENT);
  return { multiline: hasLineBreak(lead), lineBreak, indent: indent === '' ? '  ' : indent };
}

/** JSON text of a value on a line that is indented by `base`. Without `base` the text has one line. */
function valueText(value: unknown, layout: Layout, base: string | undefined): string {
  if (base === undefined) return JSON.stringify(value);
  return JSON.stringify(value, null, '\t')
    .split('\n')
    .map((line, index) =>
      index === 0 ? line : base + line.replace(/^\t+/, (tabs) => layout.indent.repeat(tabs.length)),
    )
    .join(layout.lineBreak);
}

/** The edit that adds properties after the last one, formatted like it. */
function appended(
  text: string,
  { key: lastKey, value: last }: Property,
  entries: Iterable<readonly [string, unknown]>,
  layout: Layout,
): Edit {
  const lead = blanksBefore(text, lastKey.offset);
  const base = hasLineBreak(lead) ? lead.replace(/^[\r\n]+/, '') : undefined;
  const colon = text[last.offset - 1] === ' ' ? ': ' : ':';
  const content = [...entries]
    .map(([key, value]) => `,${lead}${JSON.stringify(key)}${colon}${valueText(value, layout, base)}`)
    .join('');
  return { offset: last.offset + last.length, length: 0, content };
}

/** The edit that adds properties to an empty object. */
function filled(text: string, object: Node, entries: Iterable<readonly [string, unknown]>, layout: Layout): Edit {
  const outer = lineIndent(text, object.offset);
  const base = layout.multiline ? outer + layout.indent : undefined;
  const lead = base === undefined ? '' : layout.lineBreak + base;
  const colon = layout.multiline ? ': ' : ':';
  const content = [...entries]
    .map(([key, value]) => `${lead}${JSON.stringify(key)}${colon}${valueText(value, layout, base)}`)
    .join(',');
  const endsLine = hasLineBreak(text.slice(object.offset, object.offset + object.length));
  const tail = layout.multiline && !endsLine ? layout.lineBreak + outer : '';
  return { offset: object.offset + 1, length: 0, content: content + tail };
}

/** One edit that adds properties at the end of an object, formatted like their neighbours. No other byte changes. */
export function insertProperties(
  text: string,
  object: Node,
  entries: readonly (readonly [key: string, value: unknown])[],
  layout: Layout,
): Edit {
  const last = propertiesOf(object).at(-1);
  return last === undefined ? filled(text, object, entries, layout) : appended(text, last, entries, layout);
}
