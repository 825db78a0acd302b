import { describe, expect, it } from 'vitest';
import { createMasks, maskedText } from '../../src/doctor/maskedText.ts';
import { unifiedDiff } from '../../src/doctor/textDiff.ts';

describe('maskedText', () => {
  it.each([
    'access_token',
    'accessToken',
    'password',
    'username',
    'user_name',
    'device_secret',
    'provisionDeviceKey',
    'api_key',
    'credentialsId',
    'wifi_psk',
  ])('masks the value of %s', (key) => {
    expect(maskedText(JSON.stringify({ a: { [key]: 'hidden-1' } }), createMasks())).toBe(
      JSON.stringify({ a: { [key]: '[masked 1]' } }),
    );
  });

  it('masks a client id only where no user name and no token is beside it: then it alone is the credential', () => {
    const masked = (section: object): string[] =>
      Object.values(JSON.parse(maskedText(JSON.stringify({ section }), createMasks())).section);
    expect(masked({ client_id: 'hall-7', device_id: 'camera' })).toEqual(['[masked 1]', 'camera']);
    expect(masked({ client_id: 'hall-7', password: 'of it' })).toEqual(['[masked 1]', '[masked 2]']);
    expect(masked({ client_id: 'hall-7', username: 'user' })).toEqual(['hall-7', '[masked 1]']);
    expect(masked({ access_token: 'token', client_id: 'hall-7' })).toEqual(['[masked 1]', 'hall-7']);
  });

  it('masks numbers, lists and objects below such a key, but not values that can not be a secret', () => {
    const text = '{ "secrets": { "a": ["x1", 42, true, null, ""], "b": { "c": "x2" } }, "keep_alive_seconds": 60 }';
    expect(maskedText(text, createMasks())).toBe(
      '{ "secrets": { "a": ["[masked 1]", "[masked 2]", true, null, ""], "b": { "c": "[masked 3]" } }, "keep_alive_seconds": 60 }',
    );
  });

  it('masks a URL with a login at any key, and shows one without', () => {
    const text = '{"proxy":"http://u:p@proxy:1","url":"socks5h://u@proxy","other":"http://proxy:3128/@"}';
    expect(maskedText(text, createMasks())).toBe(
      '{"proxy":"[masked 1]","url":"[masked 2]","other":"http://proxy:3128/@"}',
    );
  });

  it('masks the same secret everywhere, at both of two duplicate keys, and with any escapes', () => {
    const text = '{"token":"abcdefgh","url":"x?t=abcdefgh","token":"abc\\u0064efgh","list":["abcdefgh"]}';
    expect(maskedText(text, createMasks())).not.toMatch(/abc/);
  });

  it('changes nothing else, including line ends and unusual white space', () => {
    const text = '\t{\r\n "a" : 1.50 ,\r\n "token" :"x" }\r\n';
    expect(maskedText(text, createMasks())).toBe('\t{\r\n "a" : 1.50 ,\r\n "token" :"[masked 1]" }\r\n');
  });

  it('gives equal secrets equal masks across texts, and known secrets their given masks', () => {
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

  it('reports when only line ends differ, and shows no carriage returns', () => {
    expect(diff('a\r\nb\r\n', 'a\nb\n')).toMatch(/^Only the line ends differ/);
    expect(diff('a\r\nb\r\n', 'a\r\nc\r\n')).not.toContain('\r');
  });
});
