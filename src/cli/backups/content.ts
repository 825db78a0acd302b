import { isJsonObject, type JsonObject } from '../../config/json/strictJson.ts';

/** The output of a command: text for people, JSON with sorted keys for programs. */
export interface Printed {
  readonly text: string;
  readonly json: object;
}

/** A text of the section `thingsboard`; undefined: it is missing or not a text. */
export function thingsboardText(value: JsonObject, key: 'device_id'): string | undefined {
  const { thingsboard } = value;
  const text = isJsonObject(thingsboard) ? thingsboard[key] : undefined;
  return typeof text === 'string' ? text : undefined;
}
