export type JsonObject = Readonly<Record<string, unknown>>;

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The JSON value of a payload, or undefined if it is not JSON. */
export function parseJson(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** The JSON object of a payload, or undefined if it is not a JSON object. */
export function parseObject(payload: Buffer): JsonObject | undefined {
  const value = parseJson(payload);
  return isJsonObject(value) ? value : undefined;
}
