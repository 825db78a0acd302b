import { describe, expect, it } from 'vitest';
import { parseProvisionJson } from '../../../src/config/provision/provisionJson.ts';
import { everyWordOf, failureOf } from '../scratch.ts';
import { KEY, parse, problemsOf, required, SECRET, withDevice, withProvisioning } from './provisionJsonTexts.ts';

describe('problems', () => {
  it('lists every problem at once', async () => {
    const failure = await failureOf(() =>
      parse({ provisioning: { device_key: '', port: '1883', use_ssl: 'no' }, device: { name: '?' } }),
    );
    expect(failure.code).toBe('PROVISION_JSON_INVALID');
    expect(failure.message.split('\n')).toEqual([
      'provision.json has 6 problems:',
      '- provisioning.device_key: found an empty string, expected a string of 1 to 256 characters',
      '- provisioning.device_secret: found nothing, expected a string of 1 to 256 characters',
      expect.stringMatching(/^- provisioning\.host: found nothing, expected a host name/),
      '- provisioning.port: found a string of 4 characters, expected an integer from 1 to 65535, without quotes',
      '- provisioning.use_ssl: found a string of 2 characters, expected true or false, without quotes',
      '- device.name: found a string of 1 characters, expected 1 to 64 characters of A-Z, a-z, 0-9, _ and -, and {serial}, {mac}, {hostname}, {machine-id}, {random}',
    ]);
  });

  it('uses the singular for one problem', async () => {
    expect((await failureOf(() => parse(withProvisioning({ port: 0 })))).message).toMatch(
      /^provision\.json has 1 problem:/,
    );
  });

  it('names missing settings of a flat file in the flat form', async () => {
    expect(await problemsOf({ server_port: 1883 })).toEqual([
      expect.stringContaining('- provision_device_key: found nothing'),
      expect.stringContaining('- provision_device_secret: found nothing'),
      expect.stringContaining('- server_url: found nothing'),
    ]);
  });

  it.each([
    [{ serverPort: 1883 }, ['provisionDeviceKey', 'provisionDeviceSecret', 'serverUrl']],
    [{ port: 1883 }, ['device_key', 'device_secret', 'host']],
    [{ device_name: 'cam-1' }, ['device_key', 'device_secret', 'host']],
    [{ serverPort: 1883, timeout: 5 }, ['provisionDeviceKey', 'provisionDeviceSecret', 'serverUrl']],
    // Only keys that are settings at the top show a form.
    [{ port: 1883, Colour: 'red' }, ['device_key', 'device_secret', 'host']],
    [{ port: 1883, Device: { name: 'cam-1' } }, ['device_key', 'device_secret', 'host']],
    [{ colour: 'red' }, ['provisioning.device_key', 'provisioning.device_secret', 'provisioning.host']],
    [
      { server_port: 1883, provisioning: {} },
      ['provisioning.device_key', 'provisioning.device_secret', 'provisioning.host'],
    ],
  ])('names missing settings in the form of %j', async (content, paths) => {
    const problems = (await problemsOf(content)).filter((line) => line.includes('found nothing'));
    expect(problems.map((line) => line.slice(2, line.indexOf(':')))).toEqual(paths);
  });

  it('names missing settings of an empty object in the nested form', async () => {
    expect((await problemsOf({}))[0]).toContain('- provisioning.device_key: found nothing');
  });

  it('notes an unknown key, and what another one is taken for, next to a problem', async () => {
    expect(await problemsOf(withProvisioning({ port: 0, site: 7, TIMEOUT: 5 }))).toEqual([
      expect.stringContaining('- provisioning.port: found 0'),
      '- note: unknown key provisioning.site',
      '- note: provisioning.TIMEOUT is taken for provisioning.timeout_seconds',
    ]);
  });

  it.each([
    ['provisioning', { provisioning: 7 }, 'a number'],
    ['provisioning', { provisioning: null }, 'null'],
    ['device', withDevice([]), 'a list'],
    ['device', withDevice('x'), 'a string'],
  ])('refuses a section of a wrong type: %s in %j', async (path, content, found) => {
    expect(await problemsOf(content)).toContain(`- ${path}: found ${found}, expected an object`);
  });

  it('refuses a flat and a nested value that differ, and names both', async () => {
    expect(await problemsOf({ ...withProvisioning({}), host: 'other.example', useTls: true, use_ssl: false })).toEqual([
      '- host: found a different value than in provisioning.host, expected one spelling, or equal values',
      '- useTls: found a different value than in use_ssl, expected one spelling, or equal values',
      '- note: useTls is taken for provisioning.use_ssl',
    ]);
  });

  it('refuses two spellings with different values', async () => {
    expect(await problemsOf({ ...withProvisioning({ port: 1883, serverPort: 1884 }), server_port: 1883 })).toEqual([
      '- provisioning.serverPort: found a different value than in provisioning.port, expected one spelling, or equal values',
    ]);
  });

  it('does not show two different secrets', async () => {
    const failure = await failureOf(() => parse(withProvisioning({ provisionDeviceSecret: 'another-one' })));
    expect(failure.message).toContain('provisioning.provisionDeviceSecret: found a different value');
    expect(everyWordOf(failure)).not.toMatch(/another-one|ssSS/);
  });

  it('refuses duplicate keys even with equal values, and lists each path once', async () => {
    const device = '"device":{"name":"a","name":"a","name":"a"}';
    const text = `{"provisioning":${JSON.stringify(required)},${device},"x":[{"y":1,"y":1}],"device":{}}`;
    expect(await problemsOf(text)).toEqual([
      '- device.name: found the same key more than once, expected each key once',
      '- x[0].…: found the same key more than once, expected each key once',
      '- device: found the same key more than once, expected each key once',
      '- note: unknown key x',
    ]);
  });

  it('lists at most a hundred problems', async () => {
    const repeated = Array.from({ length: 120 }, (_, index) => `"k${index}":1,"k${index}":1`).join(',');
    const problems = await problemsOf(`{"provisioning":${JSON.stringify(required)},${repeated}}`);
    expect(problems[100]).toBe('- and 20 more');
    expect(problems.filter((line) => line.includes('same key'))).toHaveLength(100);
    const hundred = repeated.split(',').slice(0, 200).join(',');
    const all = await problemsOf(`{"provisioning":${JSON.stringify(required)},${hundred}}`);
    expect(all.filter((line) => line.includes('same key'))).toHaveLength(100);
    expect(all).not.toContain('- and 0 more');
  });

  it.each<[string, string | Uint8Array, RegExp]>([
    ['an empty file', '', /^provision\.json is empty$/],
    ['white space', ' \n\t', /is empty$/],
    ['only a byte-order mark', '\uFEFF', /is empty$/],
    ['invalid UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), /is not UTF-8 text \(line 1, column 2\): save it as UTF-8$/],
    ['zero bytes', new Uint8Array(512), /holds only zero bytes, as after a power loss$/],
    ['a list', '[1]', /holds a list instead of a JSON object$/],
    ['null', 'null', /holds null instead of a JSON object$/],
    ['a string', '"x"', /holds a string instead of a JSON object$/],
    ['a number', '7', /holds a number instead of a JSON object$/],
    ['33 levels', `${'{"a":'.repeat(33)}1${'}'.repeat(33)}`, /is nested deeper than 32 levels$/],
    ['100,000 levels', '['.repeat(100_000), /is nested deeper than 32 levels$/],
    [
      'a missing brace',
      '{\n  "provisioning": {\n    "port": 1\n',
      /is not valid JSON: the file ends before its closing } } at line 3, column 14$/,
    ],
    ['a trailing comma', '{\n "a": 1,\n}', /a comma after the last entry at line 2, column 8$/],
    ['a comment', '{ /* x */ }', /a comment \(JSON has none\) at line 1, column 3$/],
    ['two values', '{} {}', /a second JSON document begins at line 1, column 4$/],
  ])('describes the problem of %s', async (_what, content, message) => {
    const failure = await failureOf(() => parseProvisionJson(Buffer.from(content)));
    expect(failure.code).toBe('PROVISION_JSON_INVALID');
    expect(failure.message).toMatch(message);
  });

  it('accepts 32 levels', () => {
    const deep = `${'{"a":'.repeat(31)}1${'}'.repeat(31)}`;
    expect(parse(`{"provisioning":${JSON.stringify(required)},"x":${deep}}`).warnings).toEqual(['unknown key x']);
  });

  it('does not quote a text with a syntax error', async () => {
    const failure = await failureOf(() => parse(`{"provisioning":{"device_secret":"${SECRET}" "${KEY}"}}`));
    expect(failure.message).toMatch(/a comma is missing at line 1, column 56$/);
    expect(everyWordOf(failure)).not.toMatch(/ssSS|kkKK/);
  });
});
