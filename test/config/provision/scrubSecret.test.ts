import { chown, mkdir, readFile, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readProvisionJson } from '../../../src/config/provision/provisionJson.ts';
import { requireScrubbable, scrubSecret } from '../../../src/config/provision/scrubSecret.ts';
import { settingsDigest } from '../../../src/config/provision/settingsDigest.ts';
import { asOrdinaryUser, failureOf, put, scratchFolder } from '../scratch.ts';
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

  const TEXT = JSON.stringify({ device_key: KEY, device_secret: SECRET, host: HOST, scrub: true });
  const written = async (text = TEXT): Promise<string> =>
    put(join(await scratchFolder(), 'provision.json'), text, 0o640);

  it.each(['', '\uFEFF'])('changes nothing else, neither the mode nor the byte order mark %j', async (mark) => {
    const path = await written(`${mark}${TEXT}`);
    const digest = settingsDigest((await readProvisionJson(path)).settings);
    expect(await scrubSecret(path, undefined, digest)).toBe(true);
    expect(await readFile(path, 'utf8')).toBe(`${mark}${TEXT.replace(`"device_secret":"${SECRET}",`, '')}`);
    expect((await stat(path)).mode & 0o777).toBe(0o640);
  });

  it('leaves a file that is for the next provisioning as it is', async () => {
    const path = await written();
    expect(await scrubSecret(path, undefined, 'digest-of-this-run')).toBe(false);
    expect(await readFile(path, 'utf8')).toBe(TEXT);
  });

  it.each(['{', '[]', ''])('leaves a file that is not a JSON object as it is: %j', async (text) => {
    const path = await written(text);
    expect(await scrubSecret(path, undefined, 'digest')).toBe(false);
    expect(await readFile(path, 'utf8')).toBe(text);
  });

  it('follows no link and needs no file', async () => {
    const path = await written();
    const digest = settingsDigest((await readProvisionJson(path)).settings);
    const link = join(await scratchFolder(), 'provision.json');
    expect(await scrubSecret(link, undefined, digest)).toBe(false);
    await symlink(path, link);
    expect(await scrubSecret(link, undefined, digest)).toBe(false);
    expect(await readFile(path, 'utf8')).toBe(TEXT);
  });

  describe('is possible', () => {
    it('in a plain file, whose size, owner and mode the new file needs', async () => {
      const path = await written();
      const { uid, gid } = await stat(path);
      const planned = { bytes: TEXT.length, attributes: { mode: 0o640, owner: { uid, gid } } };
      expect(await requireScrubbable(path, path, null)).toEqual(planned);
    });

    it('only in the device folder', async () => {
      const [used, own] = [await written(), join(await scratchFolder(), 'provision.json')];
      const failure = await failureOf(() => requireScrubbable(used, own, null));
      expect(failure.code).toBe('PROVISION_JSON_INVALID');
      expect(failure.message).toContain(`${used} sets provisioning.scrub, but is outside the device folder`);
    });

    it('not in a link, a folder or an absent file', async () => {
      const path = await written();
      const link = join(await scratchFolder(), 'provision.json');
      await symlink(path, link);
      const failure = await failureOf(() => requireScrubbable(link, link, null));
      expect([failure.code, failure.message]).toEqual(['PROVISION_JSON_INVALID', expect.stringContaining(link)]);
      const folder = join(await scratchFolder(), 'provision.json');
      await mkdir(folder);
      expect((await failureOf(() => requireScrubbable(folder, folder, null))).code).toBe('PROVISION_JSON_INVALID');
      const absent = `${path}.absent`;
      const unreadable = await failureOf(() => requireScrubbable(absent, absent, null));
      expect(unreadable).toMatchObject({ code: 'DISK_ERROR', message: expect.stringContaining(`look at ${absent}`) });
    });

    it("not in another user's file, except for root", async (context) => {
      if (process.geteuid?.() !== 0) context.skip('only root can give files away');
      const path = await written();
      await chown(path, 1234, 1234);
      expect((await requireScrubbable(path, path, null)).attributes.owner).toEqual({ uid: 1234, gid: 1234 });
      const failure = await failureOf(() => asOrdinaryUser(() => requireScrubbable(path, path, null)));
      expect(failure.code).toBe('FILE_NOT_PERMITTED');
      expect(failure.message).toContain(path);
      expect(failure.message).toContain('1234');
      await chown(path, 65_534, 65_534);
      expect(await asOrdinaryUser(() => requireScrubbable(path, path, null))).toMatchObject({ bytes: TEXT.length });
    });
  });
});
