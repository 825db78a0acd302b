import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readProvisionJson, settingsDigest } from '../../../src/config/provision/provisionJson.ts';
import { scrubSecret } from '../../../src/config/provision/scrubSecret.ts';
import { put, scratchFolder } from '../scratch.ts';
import { HOST, KEY, SECRET } from './provisionJsonTexts.ts';

describe('scrub', () => {
  it.each([
    { Provisioning: { device_key: KEY, 'Device-Secret': SECRET, host: HOST, scrub: true } },
    {
      serverUrl: HOST,
      provisionDeviceKey: KEY,
      provisionDeviceSecret: SECRET,
      provisionSecret: SECRET,
      scrubSecret: true,
    },
  ])('removes the secret in any spelling that is accepted: %j', async (content) => {
    const path = await put(join(await scratchFolder(), 'provision.json'), JSON.stringify(content));
    const digest = settingsDigest((await readProvisionJson(path)).settings);
    expect(await scrubSecret(path, undefined, digest)).toBe(true);
    const left = await readFile(path, 'utf8');
    expect(left).not.toContain(SECRET);
    expect(left).toContain(KEY);
    expect(await scrubSecret(path, undefined, digest)).toBe(false);
  });

  it('leaves a file without scrub as it is', async () => {
    const text = JSON.stringify({ device_key: KEY, device_secret: SECRET, host: HOST, scrub: false });
    const path = await put(join(await scratchFolder(), 'provision.json'), text);
    expect(await scrubSecret(path, undefined, settingsDigest((await readProvisionJson(path)).settings))).toBe(false);
    expect(await readFile(path, 'utf8')).toBe(text);
  });
});
