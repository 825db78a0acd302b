import { chmod, chown, mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { silentLog } from '../../src/log/log.ts';
import { type Credentials, readCredentials, registeredNothing, writeCredentials } from '../../src/state/credentials.ts';
import { asOrdinaryUser, everyWordOf, failureOf, put } from '../config/scratch.ts';
import { accessToken, tokenOf } from '../support/accessToken.ts';
import { START } from '../support/chartRun.ts';
import { makeFolder } from '../support/deviceFolder.ts';
import { recordedLog } from '../support/recordedLog.ts';
import { isRoot } from '../support/unprivileged.ts';

const TOKENS = ['token-of-the-first', 'token-of-the-second', 'token-of-the-server'] as const;
const CREDENTIALS: Credentials = {
  target: { digest: '0123456789abcdef', host: 'server.example', port: 1883 },
  board: { serial: 'ab12', machine: null },
  candidates: [
    { nameIndex: 1, name: 'camera-1', credentials: accessToken(TOKENS[0]), runId: 'run-1', answered: true },
    { nameIndex: 2, name: 'camera-2', credentials: accessToken(TOKENS[1]), runId: 'run-1', answered: false },
  ],
  granted: { deviceName: 'camera-2', credentials: accessToken(TOKENS[2]), successSeenBy: 'run-1' },
};
const SOMEBODY = 54_321;

const newPath = async (): Promise<string> => join(await makeFolder(onTestFinished), 'credentials.json');

async function written(credentials = CREDENTIALS): Promise<string> {
  const path = await newPath();
  await writeCredentials(path, credentials);
  return path;
}

/** What is on disk, with something replaced. */
async function altered(change: Record<string, unknown>): Promise<string> {
  const path = await written();
  const document: Record<string, unknown> = JSON.parse(await readFile(path, 'utf8'));
  return put(path, JSON.stringify({ ...document, ...change }), 0o600);
}

const plain = (credentials: Credentials | undefined) => ({
  ...credentials,
  candidates: credentials?.candidates.map((candidate) => ({
    ...candidate,
    credentials: tokenOf(candidate.credentials),
  })),
  granted: credentials?.granted && { ...credentials.granted, credentials: tokenOf(credentials.granted.credentials) },
});
const read = (path: string): Promise<Credentials | undefined> => readCredentials(path, silentLog, START);

describe('credentials.json', () => {
  it('is absent before a name is generated', async () => {
    expect(await read(await newPath())).toBeUndefined();
  });

  it('is read as it was written', async () => {
    expect(plain(await read(await written()))).toEqual(plain(CREDENTIALS));
    const ungranted = { ...CREDENTIALS, granted: null };
    expect(plain(await read(await written(ungranted)))).toEqual(plain(ungranted));
  });

  it('is for its owner only', async () => {
    expect((await stat(await written())).mode & 0o777).toBe(0o600);
  });

  it("returns secrets that can't be printed", async () => {
    const credentials = await read(await written());
    const shown = `${inspect(credentials, { depth: 10 })} ${JSON.stringify(credentials)}`;
    for (const token of TOKENS) expect(shown).not.toContain(token);
  });

  it('of a newer agent is refused and not changed: it may hold the only copy', async () => {
    const path = await altered({ version: 3 });
    const failure = await failureOf(() => read(path));
    expect([failure.code, failure.exitStatus]).toEqual(['CREDENTIALS_NEWER', 65]);
    expect(failure.message).toBe(`${path} was written by a newer agent: version 3, known: 2`);
    expect(await readdir(dirname(path))).toEqual(['credentials.json']);
  });

  it.each([0o644, 0o640, 0o602, 0o611])(
    'is tightened, with a warning, when others had access (mode %o)',
    async (mode) => {
      const path = await written();
      await chmod(path, mode);
      const { log, lines } = recordedLog();
      expect(plain(await readCredentials(path, log, START))).toEqual(plain(CREDENTIALS));
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      expect(lines).toMatchObject([
        { level: 'warn', event: 'credentials.tightened', details: { file: path, mode: mode.toString(8) } },
      ]);
      expect(lines[0]?.message).toContain(`mode ${mode.toString(8)}`);
    },
  );
});

it('no device can exist if the server answered every request and issued nothing', () => {
  const answered = CREDENTIALS.candidates.map((candidate) => ({ ...candidate, answered: true }));
  expect(registeredNothing({ ...CREDENTIALS, candidates: answered, granted: null })).toBe(true);
  expect(registeredNothing({ ...CREDENTIALS, candidates: answered })).toBe(false);
  expect(registeredNothing({ ...CREDENTIALS, granted: null })).toBe(false);
});

describe('credentials.json that is damaged', () => {
  const candidate = { nameIndex: 1, name: 'n', token: 't', runId: 'r' };
  it.each([
    ['another format', { format: 'other' }],
    ['no version', { version: null }],
    ['no target', { target: null }],
    ['a candidate that is null', { candidates: [null] }],
    ['a candidate that is a text', { candidates: ['token'] }],
    ['four candidates', { candidates: Array(4).fill(candidate) }],
    ['a fourth name', { candidates: [{ ...candidate, nameIndex: 4 }] }],
    ['an empty token', { candidates: [{ ...candidate, token: '' }] }],
    ['a token that is too long', { candidates: [{ ...candidate, token: 't'.repeat(1025) }] }],
    [
      'issued credentials of a name that was never asked for',
      { granted: { deviceName: 'x', token: 't', successSeenBy: null } },
    ],
    ['a token that is not a text', { granted: { deviceName: 'n', token: 7, successSeenBy: null } }],
  ])('with %s is moved aside, and what may exist on the server is said', async (_what, change) => {
    const path = await altered(change);
    const { log, lines } = recordedLog();
    expect(await readCredentials(path, log, START)).toBeUndefined();
    const aside = `${path}.damaged-20261123T100000.000Z`;
    expect(await readdir(dirname(path))).toEqual([basename(aside)]);
    const details = { file: path, movedTo: aside };
    expect(lines).toMatchObject([{ level: 'warn', event: 'credentials.damaged', details }]);
    expect(lines[0]?.message).toContain('may exist on the server');
  });

  it('as JSON is set aside, and nothing of it is logged', async () => {
    const path = await put(await newPath(), `{"token":"${TOKENS[0]}" oops`, 0o600);
    const { log, lines } = recordedLog();
    expect(await readCredentials(path, log, START)).toBeUndefined();
    expect(JSON.stringify(lines)).not.toContain(TOKENS[0]);
    expect(lines[0]?.message).toContain('not valid JSON');
  });
});

describe('credentials.json of another user', () => {
  it.skipIf(!isRoot)(
    'is refused by an ordinary user who may read it, and nothing of it is shown (made by root)',
    async () => {
      const path = await written();
      await chmod(path, 0o644);
      const failure = await asOrdinaryUser(() => failureOf(() => read(path)));
      expect([failure.code, failure.exitStatus]).toEqual(['CREDENTIALS_FOREIGN_OWNER', 77]);
      for (const token of TOKENS) expect(everyWordOf(failure)).not.toContain(token);
    },
  );

  it('is refused by an ordinary user who may not read it', async () => {
    const path = await written();
    await chmod(path, 0);
    const failure = await asOrdinaryUser(() => failureOf(() => read(path)));
    expect(failure.code).toBe('CREDENTIALS_FOREIGN_OWNER');
    expect(failure.message).toBe(`${path} can't be read: permission denied`);
  });

  it.skipIf(!isRoot)(
    'is refused by root too, unless that user owns the folder (only root can make such files)',
    async () => {
      const path = await written();
      await chown(path, SOMEBODY, SOMEBODY);
      const failure = await failureOf(() => read(path));
      expect(failure.code).toBe('CREDENTIALS_FOREIGN_OWNER');
      expect(failure.message).toContain(`owned by user ${SOMEBODY}`);
      await chown(dirname(path), SOMEBODY, SOMEBODY);
      expect(plain(await read(path))).toEqual(plain(CREDENTIALS));
    },
  );

  it('is accepted on a system without users', async () => {
    const path = await written();
    const { geteuid } = process;
    delete process.geteuid;
    try {
      expect(plain(await read(path))).toEqual(plain(CREDENTIALS));
    } finally {
      if (geteuid !== undefined) process.geteuid = geteuid;
    }
  });
});

describe('writing credentials.json', () => {
  it("fails and names the file when it can't be made durable", async () => {
    const path = join(await makeFolder(onTestFinished), 'missing', 'credentials.json');
    const failure = await failureOf(() => writeCredentials(path, CREDENTIALS));
    expect(failure.message).toContain(path);
    for (const token of TOKENS) expect(everyWordOf(failure)).not.toContain(token);
    await mkdir(dirname(path));
    await writeCredentials(path, CREDENTIALS);
  });
});
