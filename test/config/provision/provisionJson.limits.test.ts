import { describe, expect, it } from 'vitest';
import { parse, problemsOf, required, withDevice, withProvisioning } from './provisionJsonTexts.ts';

describe('the limits of each setting', () => {
  const at = (path: string, value: unknown) => {
    const [section, key] = path.split('.');
    const content =
      section === 'device' ? withDevice({ [String(key)]: value }) : withProvisioning({ [String(key)]: value });
    return content;
  };
  const long = (length: number, letter = 'a') => letter.repeat(length);

  it.each([
    ['provisioning.device_key', 'k', long(256)],
    ['provisioning.device_secret', 's', long(256)],
    ['provisioning.port', 1, 65535],
    ['provisioning.timeout_seconds', 1, 300],
    ['provisioning.timeout_seconds', 1.5, 299.5],
    ['provisioning.max_retries', 0, 10],
    ['provisioning.device_name_prefix', 'a', `a${long(56, '-')}`],
    ['device.name', 'a', long(64)],
    ['device.type', '', 'thermal camera'],
    ['device.profile', '', 'thermal camera'],
    ['provisioning.host', 'localhost', '192.168.1.9'],
    ['provisioning.host', '::1', 'fe80::1%eth0'],
    ['provisioning.host', `${long(63)}.example`, 'tb_core.local.'],
    ['provisioning.host', 'xn--bcher-kva.example', '2001:db8::7'],
    ['provisioning.host', 'a', `${`${long(61)}.`.repeat(4)}abcde`],
    ['provisioning.host', '4.example', 'a.4b'],
    ['provisioning.scrub', true, false],
  ])('accepts %s at %j and %j', (path, low, high) => {
    expect(parse(at(path, low)).settings).toBeDefined();
    expect(parse(at(path, high)).settings).toBeDefined();
  });

  it('removes the secret only if provisioning.scrub is true', () => {
    expect(parse(withProvisioning({ scrub: true })).settings.scrub).toBe(true);
    expect(parse(withProvisioning({ scrub: false })).settings).not.toHaveProperty('scrub');
    expect(parse(withProvisioning({})).settings).not.toHaveProperty('scrub');
  });

  it('accepts provisioning.ca_file with 1 and 1024 characters', () => {
    for (const path of ['c', long(1024)]) {
      expect(parse(withProvisioning({ use_ssl: true, ca_file: path })).settings.caFile).toBe(path);
    }
  });

  const text = (length: number) => `a string of ${length} characters`;
  it.each<[string, unknown, string]>([
    ['provisioning.device_key', '', 'an empty string'],
    ['provisioning.device_key', long(257), text(257)],
    ['provisioning.device_key', 12, 'a number'],
    ['provisioning.device_key', true, 'a boolean'],
    ['provisioning.device_secret', null, 'null'],
    ['provisioning.device_secret', ['x'], 'a list'],
    ['provisioning.device_secret', {}, 'an object'],
    ['provisioning.device_secret', long(257), text(257)],
    ['provisioning.host', '', 'an empty string'],
    ['provisioning.host', 'mqtt://tb.example', 'a URL with a scheme'],
    ['provisioning.host', 'mqtts://tb.example:8883', 'a URL with a scheme for TLS'],
    ['provisioning.host', 'tb.example:1883', 'a host with a port'],
    ['provisioning.host', 'tb.example:', 'a host with a port'],
    ['provisioning.host', 'tb.example/mqtt', 'a host with a path'],
    ['provisioning.host', '[::1]', 'an address in brackets'],
    ['provisioning.host', '[::1]:1883', 'an address in brackets'],
    ['provisioning.host', ' tb.example', 'a string with white space'],
    ['provisioning.host', 'tb..example', text(11)],
    ['provisioning.host', '4711', text(4)],
    ['provisioning.host', 'http://mqtts://tb', 'a URL with a scheme'],
    ['provisioning.host', 'http:// mqtts://tb', 'a URL with a scheme'],
    ['provisioning.host', 'xmqtts://tb', 'a URL with a scheme'],
    ['provisioning.host', 'tb:1883/mqtt', 'a host with a path'],
    ['provisioning.host', '-tb.example', text(11)],
    ['provisioning.host', 'bücher.example', text(14)],
    ['provisioning.host', '192.168.1.300', text(13)],
    ['provisioning.host', '.', text(1)],
    ['provisioning.host', `${long(64)}.example`, text(72)],
    ['provisioning.host', Array.from({ length: 64 }, () => 'abc').join('.'), text(255)],
    ['provisioning.host', 5, '5'],
    ['provisioning.port', 0, '0'],
    ['provisioning.port', 65536, '65536'],
    ['provisioning.port', 1883.5, '1883.5'],
    ['provisioning.port', '1883', text(4)],
    ['provisioning.port', 12345678, 'a number'],
    ['provisioning.port', null, 'null'],
    ['provisioning.use_ssl', 'true', text(4)],
    ['provisioning.use_ssl', 1, '1'],
    ['provisioning.ca_file', '', 'an empty string'],
    ['provisioning.ca_file', 'a\0b', text(3)],
    ['provisioning.ca_file', long(1025), text(1025)],
    ['provisioning.timeout_seconds', 0.5, '0.5'],
    ['provisioning.timeout_seconds', 301, '301'],
    ['provisioning.max_retries', -1, '-1'],
    ['provisioning.max_retries', 11, '11'],
    ['provisioning.max_retries', 2.5, '2.5'],
    ['provisioning.max_retries', false, 'false'],
    ['provisioning.device_name_prefix', 'Cam', text(3)],
    ['provisioning.device_name_prefix', '9cam', text(4)],
    ['provisioning.device_name_prefix', `a${long(57, '-')}`, text(58)],
    ['device.name', '', 'an empty string'],
    ['device.name', long(65), text(65)],
    ['device.name', 'cam 1', text(5)],
    ['device.name', 'cam\n', text(4)],
    ['device.name', '{', text(1)],
    ['device.name', 'cam-{serial', text(11)],
    ['device.name', '{Serial}', text(8)],
    ['device.name', '{imei}', text(6)],
    ['device.name', '{mac}/', text(6)],
    ['device.name', `{mac}${long(252)}`, text(257)],
    ['device.name_source', 'imei', text(4)],
    ['device.name_source', 'command:name', text(12)],
    ['device.name_source', 'command:', text(8)],
    ['device.name_source', 'command:/a\n', text(11)],
    ['device.gateway', 'true', text(4)],
    ['device.type', 7, '7'],
    ['device.profile', null, 'null'],
    ['device.type', long(257), text(257)],
    ['device.credentials', 'lwm2m', text(5)],
    ['device.credentials', 'x509', '"x509" without TLS'],
    ['provisioning.board_secret_file', '', 'an empty string'],
    ['provisioning.board_secret_file', 'a\0b', text(3)],
    ['provisioning.board_secret_file', long(1025), text(1025)],
    ['provisioning.token_generation', 0, '0'],
    ['provisioning.token_generation', 1_000_001, 'a number'],
    ['provisioning.token_generation', 1.5, '1.5'],
    ['device.credentials', 'password', text(8)],
  ])('refuses %s %j', async (path, value, found) => {
    const problems = await problemsOf(at(path, value));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`- ${path}: found ${found}, expected `);
  });

  it.each([
    'provisioning.device_key',
    'provisioning.provisionDeviceKey',
    'provision_device_key',
    'provisioning.device_secret',
    'provisioning.provisionDeviceSecret',
    'provision_device_secret',
    'provisioning.host',
    'provisioning.serverUrl',
    'server_url',
    'provisioning.port',
    'provisioning.serverPort',
    'server_port',
    'provisioning.use_ssl',
    'provisioning.useSsl',
    'use_ssl',
    'provisioning.timeout_seconds',
    'provisioning.timeoutSeconds',
    'timeout_seconds',
    'provisioning.device_name_prefix',
    'provisioning.deviceNamePrefix',
    'device_name_prefix',
    'device.device_name_prefix',
  ])('names a wrong type in the spelling that the file uses: %s', async (path) => {
    const [section, key] = path.split('.');
    const base = { provisioning: required };
    const content =
      key === undefined
        ? { ...base, [String(section)]: [] }
        : section === 'device'
          ? withDevice({ [key]: [] })
          : withProvisioning({ [key]: [] });
    expect(await problemsOf(content)).toEqual([expect.stringContaining(`- ${path}: found a list, expected `)]);
  });
});
