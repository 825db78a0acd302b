import { X509Certificate } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
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
    ['a byte-order mark', `\ufeff${CERTIFICATE}`],
    ['a broken one before it', BROKEN + CERTIFICATE],
    ['a key before it', CERTIFICATE.replaceAll('CERTIFICATE', 'PRIVATE KEY') + CERTIFICATE],
    ['CRLF line ends', CERTIFICATE.replaceAll('\n', '\r\n')],
    ['indented lines', CERTIFICATE.replaceAll(/^/gm, '  ')],
    ['everything on one line', CERTIFICATE.replaceAll('\n', ' ')],
  ])('returns the certificate of a file with %s, in the form that OpenSSL reads', async (_what, text) => {
    const folder = await scratchFolder();
    await put(join(folder, 'ca.pem'), text);
    expect(await readCaFile(folder, 'ca.pem', 'provisioning')).toBe(CERTIFICATE);
  });

  it('returns both certificates of two files that were joined without a line end', async () => {
    const folder = await scratchFolder();
    await put(join(folder, 'ca.pem'), CERTIFICATE.trimEnd() + CERTIFICATE);
    expect(await readCaFile(folder, 'ca.pem', 'provisioning')).toBe(CERTIFICATE + CERTIFICATE);
  });

  it('accepts a path relative to the device folder and an absolute path', async () => {
    const folder = await scratchFolder();
    await mkdir(join(folder, 'tls'));
    const path = await put(join(folder, 'tls', 'ca.pem'), CERTIFICATE);
    expect(await readCaFile(folder, 'tls/ca.pem', 'provisioning')).toBe(CERTIFICATE);
    expect(await readCaFile('/', path, 'provisioning')).toBe(CERTIFICATE);
  });

  it.each([
    ['nothing', '', 'it is empty'],
    ['a line end', '\n', 'it is empty'],
    ['text', 'hello', 'it holds no PEM certificate'],
    ['a broken certificate', BROKEN, 'its certificate is damaged'],
    ['a key', CERTIFICATE.replaceAll('CERTIFICATE', 'PRIVATE KEY'), 'it holds a key, not a certificate'],
    [
      'a request',
      CERTIFICATE.replaceAll('CERTIFICATE', 'CERTIFICATE REQUEST'),
      'it holds a certificate request, not a certificate',
    ],
    ['UTF-16', Buffer.from(`\ufeff${CERTIFICATE}`, 'utf16le'), 'it is saved as UTF-16: save it as UTF-8'],
    ['DER', new X509Certificate(CERTIFICATE).raw, 'it holds a certificate in DER form, not in PEM form'],
  ])('refuses a file that holds %s, and says so', async (what, content, why) => {
    const folder = await scratchFolder();
    await writeFile(join(folder, 'ca.pem'), content);
    const failure = await failureOf(() => readCaFile(folder, 'ca.pem', 'provisioning'));
    expect(failure.code).toBe('CA_FILE_UNUSABLE');
    expect(failure.message).toBe(`The CA file ${folder}/ca.pem can't be used: ${why}`);
    if (what === 'DER') expect(failure.hint).toContain('openssl x509 -inform der');
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
