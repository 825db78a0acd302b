import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readProvisionJson } from '../../../src/config/provision/provisionJson.ts';
import { asOrdinaryUser, failureOf, makeFifo, put, scratchFolder } from '../scratch.ts';
import { HOST, withProvisioning } from './provisionJsonTexts.ts';

describe('readProvisionJson', () => {
  it('reads the file', async () => {
    const path = await put(join(await scratchFolder(), 'provision.json'), JSON.stringify(withProvisioning({})));
    expect((await readProvisionJson(path)).settings.host).toBe(HOST);
  });

  it('names the file in a problem', async () => {
    const path = await put(join(await scratchFolder(), 'provision.json'), '{}');
    expect((await failureOf(() => readProvisionJson(path))).message).toContain(`${path} has 3 problems`);
  });

  it('reports a missing file and a link to a missing file', async () => {
    const folder = await scratchFolder();
    const link = join(folder, 'link.json');
    await symlink(join(folder, 'nowhere'), link);
    const missing = join(folder, 'provision.json');
    for (const [path, more] of [
      [missing, ''],
      [link, '; perhaps meant: "link.json" (a link whose target is missing)'],
    ] as const) {
      const failure = await failureOf(() => readProvisionJson(path));
      expect(failure.code).toBe('PROVISION_JSON_MISSING');
      expect(failure.message).toBe(`There is no ${path}${more}`);
    }
  });

  it('names the files that may be meant as a missing one', async () => {
    const folder = await scratchFolder();
    const path = join(folder, 'provision.json');
    await put(join(folder, 'provision.json.txt'), '');
    await symlink('nowhere', path);
    const { message } = await failureOf(() => readProvisionJson(path));
    const meant = '"provision.json" (a link whose target is missing), "provision.json.txt"';
    expect(message).toBe(`There is no ${path}; perhaps meant: ${meant}`);
  });

  it('reports a folder, a FIFO and a folder that is a file', async () => {
    const folder = await scratchFolder();
    await mkdir(join(folder, 'folder.json'));
    makeFifo(join(folder, 'fifo.json'));
    await put(join(folder, 'file'), '');
    for (const name of ['folder.json', 'fifo.json', 'file/provision.json']) {
      const failure = await failureOf(() => readProvisionJson(join(folder, name)));
      expect(failure.code).toBe('PROVISION_JSON_UNREADABLE');
      expect(failure.message).toContain(`${join(folder, name)} is not a plain file`);
    }
  });

  it('reports a file without read permission', async () => {
    const path = await put(join(await scratchFolder(), 'provision.json'), '{}', 0o000);
    const failure = await asOrdinaryUser(() => failureOf(() => readProvisionJson(path)));
    expect(failure.code).toBe('PROVISION_JSON_UNREADABLE');
    expect(failure.message).toContain('No permission');
    expect(failure.message).toContain(path);
  });

  it("reports a path that can't be opened for another reason", async () => {
    const failure = await failureOf(() => readProvisionJson(`/${'x'.repeat(300)}`));
    expect(failure.code).toBe('DISK_ERROR');
    expect(failure.message).toContain('Could not read');
  });

  it('accepts 64 KiB and refuses one byte more', async () => {
    const text = JSON.stringify(withProvisioning({}));
    const path = await put(join(await scratchFolder(), 'provision.json'), text.padEnd(65_536));
    expect((await readProvisionJson(path)).settings.host).toBe(HOST);
    await put(path, text.padEnd(65_537));
    const failure = await failureOf(() => readProvisionJson(path));
    expect(failure.code).toBe('PROVISION_JSON_INVALID');
    expect(failure.message).toContain('larger than 65536 bytes');
  });
});
