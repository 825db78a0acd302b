import { describe, expect, it } from 'vitest';
import { settingsDigest } from '../../../src/config/provision/provisionJson.ts';
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

  it.each([
    withProvisioning({ host: 'other.example' }),
    withProvisioning({ port: 1884 }),
    withProvisioning({ device_key: 'other' }),
    withProvisioning({ device_name_prefix: 'other' }),
    withDevice({ name: 'thermal-camera' }),
    withDevice({ name_source: 'mac' }),
  ])('differs for %j', (content) => {
    expect(digest(content)).not.toBe(base);
  });
});
