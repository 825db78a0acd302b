import { describe, expect, it } from 'vitest';
import { cameraProblems } from '../../../src/config/thermal/cameraRules.ts';
import { carriesCredentials, DEFAULT_TELEMETRY, freshConfig } from '../../../src/config/thermal/credentialsSections.ts';
import { mergeCredentials } from '../../../src/config/thermal/mergeCredentials.ts';
import { Secret } from '../../../src/secret.ts';
import { accessToken } from '../../support/accessToken.ts';
import { credentials, TOKEN } from '../credentials.ts';
import { everyWordOf, failureOf } from '../scratch.ts';

const merge = (text: string, changes: Parameters<typeof credentials>[0] = {}) =>
  mergeCredentials(Buffer.from(text), credentials(changes)).toString();

/** A file in use. `old` marks each value that provisioning replaces. */
const BEFORE = `{
  "camera": { "serial": 9223372036854775807, "gain": 0.100000000000000000000000000001, "e": 1E+2, "zero": -0.0 },
  "thingsboard": {
    "host": "old.example",
    "port": 1,
    "access_token": "old-token",
    "device_id": "old-name",
    "use_ssl": true,
    "keep_alive_seconds": 61,
    "qos_level": 2,
    "mine": { "deep": [1, 2.50, {}, [], "\\u00e9\\/\\ud83d\\ude00"] }
  },
  "telemetry": { "interval_seconds": 16, "measurement_spots": [ ] },
  "note": "caf\\u00e9 \\/ é 😀",
  "provisioning": {
    "provisioned_at": "before",
    "provisioned_by": "hand",
    "run_id": "run-0",
    "backup": null,
    "by": "me"
  }
}
`;
const AFTER = BEFORE.replace('"old.example"', '"tb.example"')
  .replace('"port": 1,', '"port": 1883,')
  .replace('"old-token"', `"${TOKEN}"`)
  .replace('"old-name"', '"thermal-camera-7B3F2A"')
  .replace('"use_ssl": true', '"use_ssl": false')
  .replace('"before"', '"2026-11-23T10:15:30.123Z"')
  .replace('"hand"', '"thermal-provision"')
  .replace('"run-0"', '"run-1"')
  .replace('"backup": null', '"backup": "thermal_config.json.backup.20261123T101530.123Z"');

const PROVISIONING = `"provisioning":{"provisioned_at":"2026-11-23T10:15:30.123Z","provisioned_by":"thermal-provision","run_id":"run-1","backup":"thermal_config.json.backup.20261123T101530.123Z"}`;

describe('mergeCredentials keeps', () => {
  it.each<[string, (text: string) => string]>([
    ['every other byte of a file in use', (text) => text],
    ['CRLF line ends', (text) => text.replaceAll('\n', '\r\n')],
    ['CR line ends', (text) => text.replaceAll('\n', '\r')],
    ['a byte-order mark', (text) => `\uFEFF${text}`],
    ['tabs', (text) => text.replaceAll('  ', '\t')],
    ['a missing line end at the end', (text) => text.trimEnd()],
    ['blank lines at the end', (text) => `${text}\n \n`],
    ['blanks around colons and commas', (text) => text.replaceAll('": ', '"\t :\n ').replaceAll(',\n', ' \n ,\n')],
  ])('%s', (_what, written) => {
    expect(merge(written(BEFORE))).toBe(written(AFTER));
  });

  it('the layout of a minified file', () => {
    const text = '{"a":9007199254740993,"thingsboard":{"host":"x","z":[]},"telemetry":{},"b":1.0}';
    expect(merge(text)).toBe(
      `{"a":9007199254740993,"thingsboard":{"host":"tb.example","z":[],"port":1883,"access_token":"${TOKEN}","device_id":"thermal-camera-7B3F2A","use_ssl":false},"telemetry":{},"b":1.0,${PROVISIONING}}`,
    );
  });

  it('the spelling of a value that is already right', () => {
    const text = BEFORE.replace('"old.example"', '"\\u0074b.example"').replace('"port": 1,', '"port": 1.883e3,');
    expect(merge(text)).toContain('"host": "\\u0074b.example",\n    "port": 1.883e3,');
  });

  it('the other values of duplicate keys: it edits the last one, which readers use', () => {
    const text =
      '{"thingsboard":{"host":"first"},"telemetry":{},"x":1,"x":2,"thingsboard":{"host":"a","host":"b","h":0,"h":1}}';
    const merged = merge(text);
    expect(merged).toContain('{"thingsboard":{"host":"first"},"telemetry":{},"x":1,"x":2,');
    expect(merged).toContain('"thingsboard":{"host":"a","host":"tb.example","h":0,"h":1,"port":1883,');
    expect(carriesCredentials(Buffer.from(merged), credentials())).toBe(true);
  });

  it('keys with the names of members of every object', () => {
    const text = '{"__proto__":{"a":1},"constructor":1,"thingsboard":{"__proto__":2,"toString":3},"telemetry":{}}';
    const merged = merge(text);
    expect(merged).toContain('{"__proto__":{"a":1},"constructor":1,"thingsboard":{"__proto__":2,"toString":3,"host"');
    expect(carriesCredentials(Buffer.from(merged), credentials())).toBe(true);
  });

  it('an old ca_file when TLS is not used now', () => {
    expect(merge('{"thingsboard":{"ca_file":"old.pem"},"telemetry":{}}')).toContain('"ca_file":"old.pem"');
  });

  it.each([
    ['last', '"host":"x", "mine":1 , "ca_file":"old.pem" ', '"host":"tb.example", "mine":1'],
    ['first', ' "ca_file":"old.pem" , "host":"x", "mine":1', '"host":"tb.example", "mine":1'],
    ['in the middle', '"host":"x", "ca_file":"old.pem" , "mine":1', '"host":"tb.example" , "mine":1'],
    ['alone', '"ca_file":"old.pem"', '{"host":"tb.example"'],
    ['twice', '"ca_file":"a","host":"x", "mine":1,"ca_file":"b"', '"host":"tb.example", "mine":1'],
  ])(
    'but not an old ca_file (%s) when TLS is used without one: the camera would verify with it',
    (_where, old, now) => {
      const merged = merge(`{"thingsboard":{${old}},"telemetry":{}}`, { useSsl: true });
      expect(merged).not.toContain('ca_file');
      expect(merged).toContain(now);
      expect(JSON.parse(merged).thingsboard).toMatchObject({ host: 'tb.example', use_ssl: true });
    },
  );

  it.each([
    [{ proxy: new Secret('http://new:2') }, '"proxy":"http://new:2"'],
    [{ proxy: null }, undefined],
    [{}, '"proxy":"http://old:1"'],
  ])('or changes an old proxy as provision.json says: %o', (given, expected) => {
    const merged = merge('{"thingsboard":{"proxy":"http://old:1","mine":1}}', given);
    if (expected === undefined) expect(merged).not.toContain('proxy');
    else expect(merged).toMatch(new RegExp(`^\\{"thingsboard":\\{${expected},"mine":1,`));
    expect(JSON.parse(merged).thingsboard.mine).toBe(1);
  });

  it('the place of ca_file when another CA file is used', () => {
    const merged = merge('{"thingsboard":{"ca_file":"old.pem","mine":1}}', { useSsl: true, caFile: 'new.pem' });
    expect(merged).toMatch(/^\{"thingsboard":\{"ca_file":"new\.pem","mine":1,/);
  });

  it('everything of a file without thingsboard, also when TLS is used without a CA file', () => {
    const merged = merge('{"ca_file":"mine","telemetry":{}}', { useSsl: true });
    expect(JSON.parse(merged)).toMatchObject({ ca_file: 'mine', thingsboard: { use_ssl: true } });
  });

  it("values that already broke the camera's rules, and adds no other key to an existing section", () => {
    const merged = merge('{"thingsboard":{"qos_level":9},"telemetry":{"interval_seconds":0}}');
    expect(JSON.parse(merged)).toMatchObject({ thingsboard: { qos_level: 9 }, telemetry: { interval_seconds: 0 } });
    expect(merged).not.toContain('keep_alive_seconds');
    expect(cameraProblems(Buffer.from(merged))).toHaveLength(2);
  });
});

describe('mergeCredentials adds', () => {
  it('missing keys in the layout of their neighbours', () => {
    const text = `{
    "thingsboard": {
        "keep_alive_seconds": 60
    },
    "telemetry": {}
}`;
    expect(merge(text, { useSsl: true, port: 8883, caFile: 'ca.pem', backup: null })).toBe(`{
    "thingsboard": {
        "keep_alive_seconds": 60,
        "host": "tb.example",
        "port": 8883,
        "access_token": "${TOKEN}",
        "device_id": "thermal-camera-7B3F2A",
        "use_ssl": true,
        "ca_file": "ca.pem"
    },
    "telemetry": {},
    "provisioning": {
        "provisioned_at": "2026-11-23T10:15:30.123Z",
        "provisioned_by": "thermal-provision",
        "run_id": "run-1",
        "backup": null
    }
}`);
  });

  it.each([
    ['{}', '{\n  ', '\n}'],
    ['{\n}', '{\n  ', '\n}'],
    ['{\r\n}\r\n', '{\r\n  ', '\r\n}\r\n'],
  ])('whole sections to the empty object %j', (text, start, end) => {
    const lineBreak = text.includes('\r') ? '\r\n' : '\n';
    const fresh = JSON.parse(freshConfig(credentials()).toString());
    delete fresh.logging;
    expect(merge(text)).toBe(start + JSON.stringify(fresh, null, 2).slice(4, -2).replaceAll('\n', lineBreak) + end);
  });

  it.each([
    ['{}', '{\n\t\t"host": "tb.example",\n\t\t"port": 1883,', '"use_ssl": false\n\t},'],
    ['{\n\t}', '{\n\t\t"host": "tb.example",\n\t\t"port": 1883,', '"use_ssl": false\n\t},'],
  ])('keys to the empty section %j', (empty, start, end) => {
    const merged = merge(`{\n\t"thingsboard": ${empty},\n\t"telemetry": {}\n}`);
    expect(merged).toContain(`\t"thingsboard": ${start}`);
    expect(merged).toContain(end);
  });

  it('keys to an empty section of a one-line file on the same line', () => {
    const merged = merge('{ "thingsboard": {}, "telemetry": {} }');
    expect(merged).toMatch(
      /^\{ "thingsboard": \{"host":"tb\.example",.*\}, "telemetry": \{\}, "provisioning": \{.*\} \}$/,
    );
    expect(merged).not.toContain('\n');
  });

  it('a missing section telemetry with the default values, and a complete section thingsboard', () => {
    const merged = merge('{"logging":{}}');
    expect(JSON.parse(merged)).toMatchObject({
      logging: {},
      thingsboard: { keep_alive_seconds: 60, qos_level: 1 },
      telemetry: DEFAULT_TELEMETRY,
    });
    expect(cameraProblems(Buffer.from(merged))).toEqual([]);
  });

  it('a limited indentation, even if the neighbours have a longer one', () => {
    const far = ' '.repeat(100_000);
    const text = `{\n${far}"thingsboard": {},\n${far}"telemetry": {}\n}`;
    const merged = merge(text);
    expect(carriesCredentials(Buffer.from(merged), credentials())).toBe(true);
    expect(merged.length - text.length).toBeLessThan(10_000);
  });

  it('keys below a root property without indentation', () => {
    const merged = merge('{\n"thingsboard": {},\n"telemetry": {}\n}');
    expect(merged).toContain('{\n"thingsboard": {\n  "host": "tb.example",');
    expect(merged).toContain('\n"provisioning": {\n  "provisioned_at"');
  });

  it.each(['\r\n', '\n', '\r'])('keys with the line end %j of the neighbours', (lineEnd) => {
    const text = ['{', '  "thingsboard": {', '    "qos_level": 1', '  },', '', '  "telemetry": {}', '}'].join(lineEnd);
    const lines = merge(text).split(lineEnd);
    expect(lines.slice(2, 5)).toEqual(['    "qos_level": 1,', '    "host": "tb.example",', '    "port": 1883,']);
    expect(lines.slice(9, 12)).toEqual(['', '  "telemetry": {},', expect.stringMatching(/^ {2}"provisioning": \{/)]);
  });

  it('the value in place of a value of another type', () => {
    const merged = merge(
      '{"thingsboard":{"host":{"a":[1]},"port":"1883","access_token":null,"use_ssl":[]},"telemetry":{}}',
    );
    expect(merged).toContain(
      `{"thingsboard":{"host":"tb.example","port":1883,"access_token":"${TOKEN}","use_ssl":false,`,
    );
  });

  it('escapes where JSON needs them', () => {
    const token = '"\\\n\u2028é\ud83d';
    const merged = mergeCredentials(Buffer.from('{}'), credentials({ login: accessToken(token) }));
    expect(JSON.parse(merged.toString()).thingsboard.access_token).toBe(token);
  });
});

describe('merging', () => {
  it.each([
    BEFORE,
    '{}',
    '{"a":1}',
    '{\r\n\t"thingsboard": {}\r\n}',
    '\uFEFF{"thingsboard":{"host":"x"}}',
    freshConfig(credentials()).toString(),
  ])('twice gives the same text: %j', (text) => {
    const once = merge(text);
    expect(merge(once)).toBe(once);
  });

  it('changes nothing in a new file with the same credentials', () => {
    const fresh = freshConfig(credentials());
    expect(mergeCredentials(fresh, credentials())).toEqual(fresh);
  });

  it('does so at 64 levels and at 1 MiB', () => {
    const deep = `{"a":${'['.repeat(63)}${']'.repeat(63)}}`;
    expect(merge(deep)).toContain('['.repeat(63));
    const large = `{"a":"${'x'.repeat(1024 * 1024 - 8)}"}`;
    expect(merge(large)).toContain(large.slice(1, -1));
  });

  it('repairs a text with comments, and keeps every other byte', () => {
    const plain = '{\n  "telemetry": {"n": 9007199254740993},\n  "thingsboard": {"host": "old"}\n}\n';
    const commented = plain.replace('{\n', '{\n  // hall 3\n').replace('}\n}', '},\n}');
    expect(merge(commented)).toBe(merge(plain));
  });

  it.each([
    ['', 'is empty'],
    ['{"a":1,,}', 'is not valid JSON'],
    [`{"a":${'['.repeat(64)}${']'.repeat(64)}}`, 'is nested deeper than 64 levels'],
    [`{"a":"${'x'.repeat(1024 * 1024)}"}`, 'is larger than 1048576 bytes'],
    ['{"telemetry":null}', 'has a value other than an object in telemetry'],
    ['{"thingsboard":{},"thingsboard":1}', 'has a value other than an object in thingsboard'],
  ])('refuses an unusable text: %#', async (text, why) => {
    const failure = await failureOf(() => merge(text));
    expect(failure.code).toBe('CONFIG_UNREADABLE');
    expect(failure.message).toContain(why);
    expect(everyWordOf(failure)).not.toContain(TOKEN);
  });
});
