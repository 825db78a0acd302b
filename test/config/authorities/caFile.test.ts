import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MAX_CA_BYTES } from '../../../src/config/authorities/caFile.ts';
import { readCaFile } from '../../../src/config/provision/provisionJson.ts';
import { asOrdinaryUser, failureOf, makeFifo, put, scratchFolder } from '../scratch.ts';
import { CERTIFICATE } from './certificate.ts';

const BROKEN = '-----BEGIN CERTIFICATE-----\nMIIBAAAA\n-----END CERTIFICATE-----\n';

describe('readCaFile', () => {
  it.each([
    ['one certificate', CERTIFICATE],
    ['text around it', `# The CA of example.com é\n${CERTIFICATE}\n# end\n`],
    ['a broken one before it', BROKEN + CERTIFICATE],
    ['CRLF line ends', CERTIFICATE.replaceAll('\n', '\r\n')],
  ])('returns the text of a bundle with %s', async (_what, text) => {
    const folder = await scratchFolder();
    await put(join(folder, 'ca.pem'), text);
    expect(await readCaFile(folder, 'ca.pem', 'provisioning')).toBe(text);
  });

  it('accepts a path relative to the device folder and an absolute path', async () => {
    const folder = await scratchFolder();
    await mkdir(join(folder, 'tls'));
    const path = await put(join(folder, 'tls', 'ca.pem'), CERTIFICATE);
    expect(await readCaFile(folder, 'tls/ca.pem', 'provisioning')).toBe(CERTIFICATE);
    expect(await readCaFile('/', path, 'provisioning')).toBe(CERTIFICATE);
  });

  it.each([
    ['nothing', ''],
    ['text', 'hello'],
    ['a broken certificate', BROKEN],
    ['a key', CERTIFICATE.replaceAll('CERTIFICATE', 'PRIVATE KEY')],
  ])('refuses a file that holds %s', async (_what, text) => {
    const folder = await scratchFolder();
    await put(join(folder, 'ca.pem'), text);
    const failure = await failureOf(() => readCaFile(folder, 'ca.pem', 'provisioning'));
    expect(failure.code).toBe('CA_FILE_UNUSABLE');
    expect(failure.message).toBe(`The CA file ${folder}/ca.pem can't be used: it holds no PEM certificate`);
  });

  it('refuses a file above the limit, a folder, a FIFO and a missing file', async () => {
    const folder = await scratchFolder();
    await put(join(folder, 'large.pem'), CERTIFICATE.padEnd(MAX_CA_BYTES + 1));
    makeFifo(join(folder, 'fifo.pem'));
    const message = async (name: string) => (await failureOf(() => readCaFile(folder, name, 'provisioning'))).message;
    expect(await message('large.pem')).toContain('larger than 1048576 bytes');
    expect(await message('.')).toContain('not a plain file');
    expect(await message('fifo.pem')).toContain('not a plain file');
    expect(await message('ca.pem')).toContain('does not exist');
    expect(await message('x'.repeat(300))).toContain('could not be read');
  });

  it('refuses a file without read permission', async () => {
    const folder = await scratchFolder();
    await put(join(folder, 'ca.pem'), CERTIFICATE, 0o000);
    const failure = await asOrdinaryUser(() => failureOf(() => readCaFile(folder, 'ca.pem', 'provisioning')));
    expect(failure.message).toContain('no permission to read it');
  });
});
