import { type RepairedJson, readRepairedJson } from '../json/repairedJson.ts';
import { isJsonObject, readJsonObject, type StrictJson } from '../json/strictJson.ts';

/** Largest thermal_config.json that is edited; usual files have a few kB. A larger file is unusable. */
export const MAX_EDIT_BYTES = 1024 * 1024;
const MAX_DEPTH = 64;
const SECTIONS = ['thingsboard', 'telemetry', 'logging', 'provisioning'];

/** Reads a thermal_config.json of any size as strict JSON, which is what the camera can parse. */
export const readConfigText = (bytes: Uint8Array): StrictJson => readJsonObject(bytes, MAX_DEPTH);

/** Like `readConfigText`, and repairs slips that leave no doubt about the content. */
export const readRepairedConfig = (bytes: Uint8Array): RepairedJson => readRepairedJson(bytes, MAX_DEPTH);

/**
 * Reads a thermal_config.json that is to be edited. It must be small enough and JSON, also after a repair, and no
 * section may have a wrong type: the camera can't load such a section, and replacing it would lose its value.
 */
export function readEditableConfig(bytes: Uint8Array): RepairedJson {
  if (bytes.byteLength > MAX_EDIT_BYTES) return { ok: false, problem: `is larger than ${MAX_EDIT_BYTES} bytes` };
  const json = readRepairedConfig(bytes);
  if (!json.ok) return json;
  const wrong = SECTIONS.filter((name) => Object.hasOwn(json.value, name) && !isJsonObject(json.value[name]));
  if (wrong.length === 0) return json;
  return { ok: false, problem: `has a value other than an object in ${wrong.join(' and ')}` };
}

/** A configuration that the camera can't parse, in a form that it can parse. */
export interface Repair {
  readonly bytes: Buffer;
  /** What is wrong with the original. Messages put it after the file's name. */
  readonly problem: string;
}

/** The repair that made a configuration editable; undefined: none was needed. */
export function repairOf(json: Extract<RepairedJson, { ok: true }>): Repair | undefined {
  if (json.repaired === undefined) return undefined;
  return { bytes: Buffer.from(json.bom ? `\uFEFF${json.text}` : json.text), problem: json.repaired };
}
