import { describe, expect, it } from 'vitest';
import { createMasks, maskedText } from '../../src/doctor/maskedText.ts';
import { unifiedDiff } from '../../src/doctor/textDiff.ts';

describe('maskedText', () => {
  it.each([
    'access_token',
    'accessToken',
    'password',
    'device_secret',
    'provisionDeviceKey',
    'api_key',
    'credentialsId',
    'wifi_psk',
  ])('masks what stands below %s', (key) => {
    expect(maskedText(JSON.stringify({ a: { [key]: 'hidden-1' } }), createMasks())).toBe(
      JSON.stringify({ a: { [key]: '[masked 1]' } }),
    );
  });

  it('masks numbers, lists and objects below such a key, and leaves what can be no secret', () => {
    const text = '{ "secrets": { "a": ["x1", 42, true, null, ""], "b": { "c": "x2" } }, "keep_alive_seconds": 60 }';
    expect(maskedText(text, createMasks())).toBe(
      '{ "secrets": { "a": ["[masked 1]", "[masked 2]", true, null, ""], "b": { "c": "[masked 3]" } }, "keep_alive_seconds": 60 }',
    );
  });

  it('masks the same secret wherever else it stands, both of equal keys, and however it is escaped', () => {
    const text = '{"token":"abcdefgh","url":"x?t=abcdefgh","token":"abc\\u0064efgh","list":["abcdefgh"]}';
    expect(maskedText(text, createMasks())).not.toMatch(/abc/);
  });

  it('moves nothing else, line ends and odd white space included', () => {
    const text = '\t{\r\n "a" : 1.50 ,\r\n "token" :"x" }\r\n';
    expect(maskedText(text, createMasks())).toBe('\t{\r\n "a" : 1.50 ,\r\n "token" :"[masked 1]" }\r\n');
  });

  it('gives equal secrets equal masks across texts, and known ones their own', () => {
    const masks = createMasks(new Map([['new-one', '[new]']]));
    const text = (token: string): string => maskedText(JSON.stringify({ token }), masks);
    expect([text('one'), text('two'), text('one'), text('new-one')]).toEqual(
      ['[masked 1]', '[masked 2]', '[masked 1]', '[new]'].map((token) => JSON.stringify({ token })),
    );
  });
});

describe('unifiedDiff', () => {
  const diff = (before: string, after: string): string =>
    unifiedDiff({ name: 'old', text: before }, { name: 'new', text: after });

  it('is empty for equal texts, and has headers and both sides for others', () => {
    expect(diff('a\n', 'a\n')).toBe('');
    expect(diff('a\nb\n', 'a\nc\n')).toBe('--- old\n+++ new\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n');
  });

  it('says so when only line ends differ, and shows no carriage returns', () => {
    expect(diff('a\r\nb\r\n', 'a\nb\n')).toMatch(/line ends only/);
    expect(diff('a\r\nb\r\n', 'a\r\nc\r\n')).not.toContain('\r');
  });
});
