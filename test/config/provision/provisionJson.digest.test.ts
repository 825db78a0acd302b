import { describe, expect, it } from 'vitest';
import { settingsDigest } from '../../../src/config/provision/settingsDigest.ts';
import { HOST, KEY, parse, SECRET, withDevice, withProvisioning } from './provisionJsonTexts.ts';

describe('settingsDigest', () => {
  const digest = (content: unknown) => settingsDigest(parse(content).settings);
  const base = digest(withProvisioning({}));

  it('is the same for the same target in any form, with any secret and limits', () => {
    expect(base).toMatch(/^[0-9a-f]{16}$/);
    expect(
      digest(withProvisioning({ device_secret: 'other', timeout_seconds: 5, max_retries: 0, use_ssl: false })),
    ).toBe(base);
    expect(digest(withProvisioning({ host: HOST.toUpperCase(), port: 1883 }))).toBe(base);
    expect(digest({ server_url: HOST, provision_device_key: KEY, provision_device_secret: SECRET })).toBe(base);
  });

  it('differs for two fixed names, and is the same for one name in any spelling', () => {
    const named = digest(withDevice({ name: 'cam-1' }));
    expect(digest(withDevice({ name: 'cam-2' }))).not.toBe(named);
    expect(digest({ ...withProvisioning({}), deviceName: 'cam-1' })).toBe(named);
  });

  it('differs for two programs and for two texts with parts', () => {
    const digests = [
      { name_source: 'command:/opt/a' },
      { name_source: 'command:/opt/b' },
      { name_source: 'command:/opt/b', device_name_prefix: 'x' },
      { name: 'a-{mac}' },
      { name: 'b-{mac}' },
    ].map((device) => digest(withDevice(device)));
    expect(new Set(digests).size).toBe(digests.length);
  });

  it('is that of version 1.0.0', () => {
    expect(base).toBe('56250ad4a73a49ce');
    expect(digest(withDevice({ name: 'cam-1', name_source: 'mac' }))).toBe('4c3ed110ca94125c');
    expect(digest({ ...withProvisioning({ use_ssl: true, device_name_prefix: 'x' }), site: 7 })).toBe(
      '91d1655594526e8d',
    );
  });

  it.each([
    withProvisioning({ host: 'other.example' }),
    withProvisioning({ port: 1884 }),
    withProvisioning({ device_key: 'other' }),
    withProvisioning({ device_name_prefix: 'other' }),
    withDevice({ name: 'thermal-camera' }),
    withDevice({ name_source: 'mac' }),
    withDevice({ name_source: 'serial' }),
    withDevice({ name_source: 'command:/opt/name' }),
    withDevice({ name: '{random}' }),
  ])('differs for %j', (content) => {
    expect(digest(content)).not.toBe(base);
  });
});
