import fc from 'fast-check';

/** Values that code may not expect. */
const strange = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, 0, -1, 1e308, 2 ** 53, 0.5, '', ' ', '\u0000', '../../etc', '__proto__'),
  fc.constantFrom<unknown>([], {}, [[]], [null], { __proto__: null }),
  fc.jsonValue({ maxDepth: 2 }),
  fc.constant('x'.repeat(3000)),
);

interface ValueSpoiling {
  /** The number of the place in the document. */
  readonly place: number;
  readonly how: 'replace' | 'remove' | 'repeat';
  readonly value: unknown;
}
const valueSpoiling: fc.Arbitrary<ValueSpoiling> = fc.record({
  place: fc.nat(),
  how: fc.constantFrom('replace', 'replace', 'replace', 'remove', 'repeat'),
  value: strange,
});

/** Changes to a document: to some values, and sometimes to bytes of its text. */
export interface Spoiling {
  readonly values: readonly ValueSpoiling[];
  readonly damage: { readonly at: number; readonly put: Uint8Array; readonly cutAfter: boolean } | null;
}
export const spoiling: fc.Arbitrary<Spoiling> = fc.record({
  values: fc.array(valueSpoiling, { maxLength: 4 }),
  damage: fc.option(fc.record({ at: fc.nat(), put: fc.uint8Array({ maxLength: 4 }), cutAfter: fc.boolean() }), {
    freq: 3,
  }),
});

type Container = Record<string, unknown> | unknown[];
const isContainer = (value: unknown): value is Container => typeof value === 'object' && value !== null;

/** Every place in a document: its container and its key. */
function placesIn(root: Container): { holder: Container; key: string }[] {
  return Object.entries(root).flatMap(([key, value]) => [
    { holder: root, key },
    ...(isContainer(value) ? placesIn(value) : []),
  ]);
}

function spoilValue(root: Container, { place, how, value }: ValueSpoiling): void {
  const places = placesIn(root);
  const chosen = places[place % Math.max(1, places.length)];
  if (chosen === undefined) return;
  const { holder, key } = chosen;
  if (how === 'remove') Reflect.deleteProperty(holder, key);
  // A copy: the next change may alter the inserted value, which other cases use too.
  else if (how === 'replace') Reflect.set(holder, key, structuredClone(value));
  else if (Array.isArray(holder)) holder.push(structuredClone(Reflect.get(holder, key)));
  else Reflect.set(holder, `${key}_`, structuredClone(Reflect.get(holder, key)));
}

/** A nearly correct document. @param text JSON of an object or a list */
export function spoilDocument(text: string | Uint8Array, { values, damage }: Spoiling): Buffer {
  const root: unknown = JSON.parse(Buffer.from(text).toString('utf8'));
  if (!isContainer(root)) throw new Error('a plain value has no places');
  for (const one of values) spoilValue(root, one);
  const bytes = Buffer.from(JSON.stringify(root, null, 2));
  if (damage === null) return bytes;
  const at = damage.at % (bytes.length + 1);
  const rest = damage.cutAfter ? [] : [bytes.subarray(at + damage.put.length)];
  return Buffer.concat([bytes.subarray(0, at), damage.put, ...rest]);
}

/** Nearly correct documents. @param document plain JSON */
export const spoiledJson = (document: Readonly<Record<string, unknown>>): fc.Arbitrary<Buffer> =>
  spoiling.map((one) => spoilDocument(JSON.stringify(document), one));
