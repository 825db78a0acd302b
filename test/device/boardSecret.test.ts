import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Binding, drawDerived, readBoardSecret } from '../../src/device/boardSecret.ts';
import { Secret } from '../../src/secret.ts';
import { asOrdinaryUser, makeFifo, put, scratchFolder } from '../config/scratch.ts';

/** The bytes 0 to 31. */
const SECRET = Uint8Array.from({ length: 32 }, (_, index) => index);
const BINDING: Binding = {
  host: 'tb.example.com',
  deviceKey: new Secret('profile-key'),
  deviceName: 'thermal-camera-00A1F3',
  generation: 1,
};
const derived = (secret: Uint8Array, what: string, change: Partial<Binding> = {}): string =>
  drawDerived(secret, { ...BINDING, ...change })(what).reveal();

describe('the derivation', () => {
  // Computed with `openssl kdf HKDF` and with Python's hmac. Devices in the field depend on these values.
  it.each([
    ['token', {}, 'R0WcuuzKJOcVMsiUD46k'],
    ['token', { host: 'TB.Example.com' }, 'R0WcuuzKJOcVMsiUD46k'],
    ['token', { generation: 2 }, '32MbCSQpSomFk46yZ6jS'],
    ['user name', {}, '2NIKIKQHNuRECyYFQepo'],
    ['password', {}, 'HrOzyPKhGwuzKZvFnuOM'],
  ])('never changes: %s with %j', (what, change, expected) => {
    expect(derived(SECRET, what, change)).toBe(expected);
  });

  it('takes the bytes of the file as they are, and escapes a key as JSON does', () => {
    const change = { host: 'fe80::1', deviceKey: new Secret('k"\\é\u2028'), deviceName: 'hall-7' };
    expect(derived(Buffer.from('secret of a board\n'), 'token', change)).toBe('kiIYd1adwd1VeKw9eo3j');
  });

  it('gives other credentials for each secret, server, key, name and generation', () => {
    const changes: readonly Partial<Binding>[] = [
      {},
      { host: 'tb2.example.com' },
      { deviceKey: new Secret('other-key') },
      { deviceName: 'thermal-camera-00A1F4' },
      { generation: 2 },
    ];
    const other = SECRET.with(31, 0);
    const tokens = changes.flatMap((change) => [derived(SECRET, 'token', change), derived(other, 'token', change)]);
    expect(new Set(tokens).size).toBe(2 * changes.length);
  });

  it('gives 20 letters and digits, and every one of them occurs', () => {
    const tokens = Array.from({ length: 200 }, (_, index) => derived(SECRET, 'token', { generation: index }));
    for (const token of tokens) expect(token).toMatch(/^[A-Za-z0-9]{20}$/);
    expect(new Set(tokens.join('')).size).toBe(62);
  });
});

const FROM = 'provisioning.board_secret_file';

describe('the file of the board secret', () => {
  it.each([16, 4096])('may have %i bytes, and is read as it is', async (size) => {
    const folder = await scratchFolder();
    const bytes = Buffer.alloc(size, 'ab\n');
    await put(join(folder, 'secret'), bytes, 0o400);
    expect(await readBoardSecret({ path: 'secret', from: FROM }, folder)).toEqual(bytes);
    expect(await readBoardSecret({ path: join(folder, 'secret'), from: FROM }, '/elsewhere')).toEqual(bytes);
  });

  it.each([
    ['of no bytes', Buffer.alloc(0), 'it has 0 bytes, and 16 are needed'],
    ['of 15 bytes', Buffer.from('fifteen-bytes!!'), 'it has 15 bytes, and 16 are needed'],
    ['of 4097 bytes', Buffer.alloc(4097, 'ab'), 'it has more than 4096 bytes'],
    ['of zeros', Buffer.alloc(32), 'all its bytes are alike, as in fuses never written'],
    ['of ones', Buffer.alloc(32, 0xff), 'all its bytes are alike, as in fuses never written'],
  ])('can not be one %s', async (_what, bytes, why) => {
    const folder = await scratchFolder();
    const path = await put(join(folder, 'secret'), bytes);
    await expect(readBoardSecret({ path: 'secret', from: FROM }, folder)).rejects.toMatchObject({
      code: 'BOARD_SECRET_UNUSABLE',
      message: `The board secret ${path} can't be used: ${why}`,
      hint: expect.stringContaining(FROM),
    });
  });

  it('must be a plain file that is there', async () => {
    const folder = await scratchFolder();
    await mkdir(join(folder, 'folder'));
    await makeFifo(join(folder, 'fifo'));
    const why = (path: string): Promise<string> =>
      readBoardSecret({ path, from: 'THERMAL_BOARD_SECRET_FILE' }, folder).then(
        () => 'read',
        ({ message }: Error) => message.replace(/.*used: /, ''),
      );
    expect(await why('folder')).toBe('it is not a plain file');
    expect(await why('fifo')).toBe('it is not a plain file');
    expect(await why('absent')).toBe('there is no such file');
  });

  it("must be readable for the agent's user", async () => {
    const folder = await scratchFolder();
    await put(join(folder, 'secret'), Buffer.alloc(32, 'ab'), 0o000);
    await asOrdinaryUser(async () => {
      await expect(readBoardSecret({ path: 'secret', from: FROM }, folder)).rejects.toThrow(
        /agent's user may not read/,
      );
    });
  });
});
