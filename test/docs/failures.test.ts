import { describe, expect, it } from 'vitest';
import { FAILURES } from '../../src/failures/catalogue.ts';
import { EXIT } from '../../src/failures/exit.ts';
import { headingsOf, readPage, sectionOf } from './markdown.ts';

const page = readPage('docs/failures.md');
const codes = Object.entries(FAILURES);
const FIELDS = ['Meaning', 'Usual cause', 'On the server', 'What to do', 'Exit status', 'Retryable'];

/** The fields of an entry, in their order. Continuation lines belong to the field above them. */
function fieldsOf(code: string): ReadonlyMap<string, string> {
  const items = sectionOf(page, code).split(/^- \*\*/m);
  return new Map(
    items.slice(1).map((item) => {
      const [name = '', text = ''] = item.split(/:\*\* (.*)/s);
      return [name, text.replaceAll(/\s+/g, ' ').trim()];
    }),
  );
}

const nameOf = (status: number): string | undefined => Object.entries(EXIT).find(([, value]) => value === status)?.[0];

describe('docs/failures.md', () => {
  it('has an entry for every code of the catalogue, in its order, and no other', () => {
    expect(headingsOf(page, 3)).toEqual(codes.map(([code]) => code));
  });

  it.each(codes)('has every field of %s', (code) => {
    const fields = fieldsOf(code);
    expect([...fields.keys()]).toEqual(FIELDS);
    for (const text of fields.values()) expect(text).not.toBe('');
  });

  it.each(codes)('says for %s which devices the server has', (code) => {
    expect(fieldsOf(code).get('On the server')).toMatch(/^(No device|One device|Unknown)\b/);
  });

  it.each(codes)('gives exit status and retryability of %s as in the code', (code, { exitStatus, retryable }) => {
    const fields = fieldsOf(code);
    expect(fields.get('Exit status')).toBe(`${exitStatus} (${nameOf(exitStatus)})`);
    expect(fields.get('Retryable')).toBe(retryable ? 'yes' : 'no');
  });
});
