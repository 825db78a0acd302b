import { isJsonObject, readJsonObject, type StrictJson } from '../json/strictJson.ts';

/** Largest thermal_config.json that is edited; usual files have a few kB. A larger file is unusable. */
export const MAX_EDIT_BYTES = 1024 * 1024;
const MAX_DEPTH = 64;
const SECTIONS = ['thingsboard', 'telemetry', 'logging', 'provisioning'];

/** Reads a thermal_config.json of any size as strict JSON, which is what the camera can parse. */
export const readConfigText = (bytes: Uint8Array): StrictJson => readJsonObject(bytes, MAX_DEPTH);

/**
 * Reads a thermal_config.json that is to be edited. It must be small enough and strict JSON, and no section may have a
 * wrong type: the camera can't load such a section, and replacing it would lose its value.
 */
export function readEditableConfig(bytes: Uint8Array): StrictJson {
  if (bytes.byteLength > MAX_EDIT_BYTES) return { ok: false, problem: `is larger than ${MAX_EDIT_BYTES} bytes` };
  const json = readConfigText(bytes);
  if (!json.ok) return json;
  const wrong = SECTIONS.filter((name) => Object.hasOwn(json.value, name) && !isJsonObject(json.value[name]));
  if (wrong.length === 0) return json;
  return { ok: false, problem: `has a value other than an object in ${wrong.join(' and ')}` };
}
