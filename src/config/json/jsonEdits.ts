import type { Edit, Node } from 'jsonc-parser';
import { type Property, propertiesOf } from './jsonTree.ts';

// jsonc-parser's own `modify` edits the first of two equal keys, though readers take the last, and inserts either
// without any white space or with the siblings reflowed. So its syntax tree is used, and the edits are made here.

/** The last property of that name in an object: the one that JSON.parse and the camera read. */
export const lastProperty = (object: Node, name: string): Property | undefined =>
  propertiesOf(object).findLast(({ key }) => key.value === name);

/** How the file as a whole is written. */
export interface Layout {
  readonly multiline: boolean;
  readonly lineBreak: string;
  /** White space of one level. */
  readonly indent: string;
}

const BLANKS_AT_END = /[ \t\r\n]*$/;
const MAX_BLANKS = 256;
const MAX_INDENT = 16;

/** The blanks before an offset, from the last line break on: what puts a new property below its sibling. */
function blanksBefore(text: string, offset: number): string {
  // A slice of limited length: blanks may be a megabyte long.
  const near = text.slice(Math.max(0, offset - MAX_BLANKS), offset);
  return near.slice(near.search(BLANKS_AT_END)).replace(/^[\s\S]*?(\r?\n|\r)(?=[ \t]*$)/, '$1');
}

/** The white space that begins the line in which an offset lies. */
function lineIndent(text: string, offset: number): string {
  const start = Math.max(text.lastIndexOf('\n', offset), text.lastIndexOf('\r', offset)) + 1;
  return text.slice(start, start + MAX_BLANKS).replace(/[^ \t][\s\S]*$/, '');
}

const hasLineBreak = (text: string): boolean => /[\r\n]/.test(text);

/** Reads the layout off the first property; an empty object gets lines of its own with two spaces. */
export function layoutOf(text: string, root: Node): Layout {
  const [first] = propertiesOf(root);
  const lineBreak = text.includes('\r\n') ? '\r\n' : '\n';
  if (first === undefined) return { multiline: true, lineBreak, indent: '  ' };
  const lead = blanksBefore(text, first.key.offset);
  const indent = lead.replace(/^[\r\n]+/, '').slice(0, MAX_INDENT);
  return { multiline: hasLineBreak(lead), lineBreak, indent: indent === '' ? '  ' : indent };
}

/** JSON text of a value whose first line stands behind `base` white space. */
function valueText(value: unknown, layout: Layout, base: string | undefined): string {
  if (base === undefined) return JSON.stringify(value);
  return JSON.stringify(value, null, '\t')
    .split('\n')
    .map((line, index) =>
      index === 0 ? line : base + line.replace(/^\t+/, (tabs) => layout.indent.repeat(tabs.length)),
    )
    .join(layout.lineBreak);
}

/** What is inserted behind the last property, set like it. */
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

/** What is inserted into an object without properties. */
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

/** One edit that adds properties at the end of an object, in the layout of their neighbours; no other byte moves. */
export function insertProperties(
  text: string,
  object: Node,
  entries: readonly (readonly [key: string, value: unknown])[],
  layout: Layout,
): Edit {
  const last = propertiesOf(object).at(-1);
  return last === undefined ? filled(text, object, entries, layout) : appended(text, last, entries, layout);
}
