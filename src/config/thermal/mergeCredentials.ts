import { applyEdits, type Edit, type Node } from 'jsonc-parser';
import { Failure } from '../../failures/failure.ts';
import { insertProperties, type Layout, lastProperty, layoutOf } from '../json/jsonEdits.ts';
import { propertiesOf, syntaxTree } from '../json/jsonTree.ts';
import { requireOnlyChanged } from '../json/onlyChanged.ts';
import { isJsonObject, type JsonObject } from '../json/strictJson.ts';
import { readEditableConfig } from './configText.ts';
import { staleLoginKeys } from './configuredLogin.ts';
import {
  type ConfigCredentials,
  DEFAULT_TELEMETRY,
  type Entries,
  newThingsboard,
  provisioningEntries,
  thingsboardEntries,
} from './credentialsSections.ts';

interface Section {
  readonly name: string;
  /** Keys to set where the section exists. */
  readonly entries: Entries;
  /** The section to add where it does not exist. */
  readonly whole: unknown;
}

function sectionsOf(credentials: ConfigCredentials): readonly Section[] {
  const provisioning = provisioningEntries(credentials);
  return [
    { name: 'thingsboard', entries: thingsboardEntries(credentials), whole: newThingsboard(credentials) },
    { name: 'telemetry', entries: [], whole: DEFAULT_TELEMETRY },
    { name: 'provisioning', entries: provisioning, whole: Object.fromEntries(provisioning) },
  ];
}

/** The edits that set these values in an existing section. A value that is already right keeps its spelling. */
function sectionEdits(text: string, section: Node, entries: Entries, layout: Layout): Edit[] {
  const edits: Edit[] = [];
  const missing: (readonly [string, unknown])[] = [];
  for (const [key, value] of entries) {
    const property = lastProperty(section, key);
    if (property === undefined) {
      missing.push([key, value]);
    } else if (property.value.value !== value) {
      const { offset, length } = property.value;
      edits.push({ offset, length, content: JSON.stringify(value) });
    }
  }
  if (missing.length > 0) edits.push(insertProperties(text, section, missing, layout));
  return edits;
}

/**
 * The keys of section `thingsboard` that must not stay: those of another login, and what does not belong to the new
 * server. With an old `ca_file` the camera would refuse a server that the agent has verified with the system's
 * authorities. With an old `proxy` it would take another way than the proven one.
 */
function staleKeys(config: JsonObject, { useSsl, caFile, login, proxy }: ConfigCredentials): readonly string[] {
  const section = isJsonObject(config.thingsboard) ? config.thingsboard : {};
  return [
    ...(useSsl && caFile === undefined ? ['ca_file'] : []),
    ...(proxy === null ? ['proxy'] : []),
    ...staleLoginKeys(login, section),
  ];
}

/** Removes a key from section `thingsboard`. */
function without(text: string, staleKey: string): string {
  let current = text;
  // Removes duplicates too: after the last one is removed, JSON.parse would read the one before it.
  for (;;) {
    const section = lastProperty(syntaxTree(current), 'thingsboard');
    const properties = section === undefined ? [] : propertiesOf(section.value);
    const index = properties.findLastIndex(({ key }) => key.value === staleKey);
    const [before, stale, after] = [properties[index - 1], properties[index], properties[index + 1]];
    if (stale === undefined) return current;
    const staleEnd = stale.value.offset + stale.value.length;
    const start = before === undefined ? stale.key.offset : before.value.offset + before.value.length;
    const end = before === undefined && after !== undefined ? after.key.offset : staleEnd;
    current = current.slice(0, start) + current.slice(end);
  }
}

/**
 * The text of a thermal_config.json with new credentials. The text is edited in place: every other key and value keeps
 * its bytes, its order and the white space around it. This includes numbers that a double can't hold, escapes, line
 * ends and the byte-order mark. Of duplicate keys the last one is edited. Missing sections `thingsboard`, `telemetry`
 * (with the default values) and `provisioning` are added. In an existing section only the keys of provisioning are
 * added. An old `ca_file` is removed when TLS is now used without one, an old `proxy` when provision.json names none, and
 * the keys of another kind of login.
 * @param bytes a text for which `readThermalConfig` returned `usable`
 * @throws Failure CONFIG_UNREADABLE for an unusable text; INTERNAL when anything else would change
 */
export function mergeCredentials(bytes: Uint8Array, credentials: ConfigCredentials): Buffer {
  const json = readEditableConfig(bytes);
  if (!json.ok) throw new Failure('CONFIG_UNREADABLE', 'notEditable', { problem: json.problem });
  const stale = staleKeys(json.value, credentials);
  const text = stale.reduce(without, json.text);
  const root = syntaxTree(text);
  const layout = layoutOf(text, root);
  const edits: Edit[] = [];
  const added: (readonly [string, unknown])[] = [];
  const changed: string[][] = ['ca_file', 'proxy', ...stale].map((key) => ['thingsboard', key]);
  for (const { name, entries, whole } of sectionsOf(credentials)) {
    const section = lastProperty(root, name);
    if (section === undefined) {
      added.push([name, whole]);
      changed.push([name]);
    } else {
      edits.push(...sectionEdits(text, section.value, entries, layout));
      changed.push(...entries.map(([key]) => [name, key]));
    }
  }
  if (added.length > 0) edits.push(insertProperties(text, root, added, layout));
  const merged = applyEdits(text, edits);
  requireOnlyChanged(json.text, merged, changed);
  return Buffer.from(json.bom ? `\uFEFF${merged}` : merged);
}
