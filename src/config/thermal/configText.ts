import { isJsonObject, readJsonObject, type StrictJson } from '../json/strictJson.ts';

/** Largest thermal_config.json that is edited; real ones have a few kB. A larger one counts as unusable. */
export const MAX_EDIT_BYTES = 1024 * 1024;
const MAX_DEPTH = 64;
const SECTIONS = ['thingsboard', 'telemetry', 'logging', 'provisioning'];

/** Reads the text of a thermal_config.json of any size as strict JSON: that is what the camera can parse. */
export const readConfigText = (bytes: Uint8Array): StrictJson => readJsonObject(bytes, MAX_DEPTH);

/**
 * Reads the text of a thermal_config.json that shall be edited: small enough, strict JSON, and no section of a wrong
 * type, which could neither be loaded by the camera nor completed without losing a value.
 */
export function readEditableConfig(bytes: Uint8Array): StrictJson {
  if (bytes.byteLength > MAX_EDIT_BYTES) return { ok: false, problem: `is larger than ${MAX_EDIT_BYTES} bytes` };
  const json = readConfigText(bytes);
  if (!json.ok) return json;
  const wrong = SECTIONS.filter((name) => Object.hasOwn(json.value, name) && !isJsonObject(json.value[name]));
  if (wrong.length === 0) return json;
  return { ok: false, problem: `has something else than an object in ${wrong.join(' and ')}` };
}
