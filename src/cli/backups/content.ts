import { isJsonObject, type JsonObject } from '../../config/json/strictJson.ts';

/** What a command prints: for people, and for machines with sorted keys. */
export interface Printed {
  readonly text: string;
  readonly json: object;
}

/** A text of section `thingsboard`; undefined where there is none. */
export function thingsboardText(value: JsonObject, key: 'device_id' | 'access_token'): string | undefined {
  const { thingsboard } = value;
  const text = isJsonObject(thingsboard) ? thingsboard[key] : undefined;
  return typeof text === 'string' ? text : undefined;
}
