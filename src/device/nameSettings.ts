import type { NameSource } from '../../machines/provision.types.ts';

/** Parts of a name that need nothing but the board. */
export const NAME_PARTS = ['random', 'mac', 'serial', 'machine-id', 'hostname'] as const;
export type NamePart = (typeof NAME_PARTS)[number];

/** How to name the device: a fixed name, a prefix with one part, or a text with parts in braces. */
export type NameSettings =
  | { readonly source: 'fixed'; readonly name: string }
  | { readonly source: NamePart; readonly prefix: string }
  | { readonly source: 'command'; readonly prefix: string; readonly command: string }
  | { readonly source: 'template'; readonly template: string };

/** A limit of this agent; the server allows 255 (docs/thingsboard.md). */
export const MAX_NAME_LENGTH = 64;
const MAX_TEMPLATE_LENGTH = 256;
const PART_IN_BRACES = /\{([a-z-]+)\}/g;

/** Whether another name can be generated when the server has a device of this name. */
export const isRandom = (name: NameSettings): boolean =>
  name.source === 'random' || (name.source === 'template' && name.template.includes('{random}'));

/** The source for the chart, which replaces only random names. */
export const nameSourceOf = (name: NameSettings): NameSource => (isRandom(name) ? 'random' : name.source);

export const isNamePart = (text: string): text is NamePart => NAME_PARTS.some((part) => part === text);

/** Whether a text can be `device.name`: the characters of a name, and known parts in braces. */
export function isNameText(text: string): boolean {
  const literal = text.replaceAll(PART_IN_BRACES, (braces, part: string) => (isNamePart(part) ? '' : braces));
  const limit = literal === text ? MAX_NAME_LENGTH : MAX_TEMPLATE_LENGTH;
  return text !== '' && text.length <= limit && /^[A-Za-z0-9_-]*$/.test(literal);
}
