import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readProvisionJson } from '../../src/config/provision/provisionJson.ts';
import { settingsDigest } from '../../src/config/provision/settingsDigest.ts';
import { readBoardIdentity } from '../../src/device/board.ts';
import { drawDerived } from '../../src/device/boardSecret.ts';
import { prepare } from '../../src/effects/prepare.ts';
import { silentLog } from '../../src/log/log.ts';
import { type Candidate, type Credentials, readCredentials, writeCredentials } from '../../src/state/credentials.ts';
import { accessToken } from '../support/accessToken.ts';
import { deviceFolderFor } from '../support/agentRun.ts';
import { BOARD_SECRET, boardSecret, newCard } from '../support/boardSecret.ts';
import { effectCall, effectScene } from '../support/effectCall.ts';

const candidate = (nameIndex: number, more: Partial<Candidate> = {}): Candidate => ({
  nameIndex,
  name: `camera-${nameIndex}`,
  credentials: accessToken(`token-${nameIndex}`),
  runId: 'run-0',
  answered: false,
  ...more,
});

interface Stored {
  readonly candidates: readonly Candidate[];
  readonly digest?: string;
  readonly boardId?: string;
  readonly granted?: Credentials['granted'];
}

/** Calls `prepare` in run-1, on a folder with these credentials. */
async function prepared({ candidates, digest: given, boardId = 'board-1', granted = null }: Stored, nameIndex = 1) {
  const paths = await deviceFolderFor(1883);
  await mkdir(paths.stateFolder, { mode: 0o700 });
  const digest = settingsDigest((await readProvisionJson(paths.provisionJson)).settings);
  await writeCredentials(paths.credentials, {
    target: { digest: given ?? digest, host: 'tb.example', port: 1883 },
    board: await readBoardIdentity(boardId),
    candidates,
    granted,
  });
  const { dependencies, of } = await effectScene(paths);
  const delayed: string[] = [];
  const splay = async (name: string): Promise<void> => void delayed.push(name);
  const input = { runId: 'run-1', settingsDigest: digest, nameIndex, startedOver: false };
  const output = await prepare({ ...dependencies, splay }, effectCall(input));
  const stored = await readCredentials(paths.credentials, silentLog, 0);
  return { output, stored, delayed, of, stateFolder: paths.stateFolder, files: await readdir(paths.stateFolder) };
}

const answered = (nameIndex: number) => candidate(nameIndex, { answered: true });

describe('a name of an earlier run', () => {
  it.each([true, false])('is reused, and the chart learns whether its requests were answered: %s', async (given) => {
    const { output } = await prepared({ candidates: [candidate(1, { answered: given })] });
    expect(output).toMatchObject({ deviceName: 'camera-1', reused: true, answered: given, warnings: [] });
  });

  it('is the newest one', async () => {
    const { output } = await prepared({ candidates: [answered(1), candidate(2)] });
    expect(output).toMatchObject({ nameIndex: 2, deviceName: 'camera-2', answered: false });
  });

  it('keeps the earlier names when it gets a successor, whose requests are all answered: there is none', async () => {
    const { output, stored } = await prepared({ candidates: [answered(1)] }, 2);
    expect(output).toMatchObject({ nameIndex: 2, reused: false, answered: true });
    expect(stored?.candidates.map(({ nameIndex, answered }) => [nameIndex, answered])).toEqual([
      [1, true],
      [2, true],
    ]);
  });
});

describe('credentials for other settings', () => {
  it('may belong to a device: they are set aside, and a warning names it', async () => {
    const { output, stored, files } = await prepared({ candidates: [answered(1), candidate(2)], digest: 'other' });
    expect(output.warnings?.join()).toContain('an unused device camera-1, camera-2 may exist on tb.example:1883');
    expect(files.some((name) => name.startsWith('credentials.json.superseded-'))).toBe(true);
    expect(stored?.candidates).toMatchObject([{ nameIndex: 1, runId: 'run-1', answered: false }]);
  });

  it('of which the server registered none belong to no device: nobody is told to delete one', async () => {
    const { output, files } = await prepared({ candidates: [answered(1), answered(2)], digest: 'other' });
    expect(output.warnings).toEqual([]);
    expect(files).toEqual(['credentials.json']);
  });

  it('that were issued belong to a device, whatever the answers say', async () => {
    const granted = { deviceName: 'camera-1', credentials: accessToken('t'), successSeenBy: 'run-0' };
    const { output } = await prepared({ candidates: [answered(1)], digest: 'other', granted });
    expect(output.warnings).toHaveLength(1);
  });
});

it("another board's credentials are set aside, also if the server registered none of their names", async () => {
  const { output, files, of, stateFolder } = await prepared({ candidates: [answered(1)], boardId: 'board-2' });
  expect(output.warnings?.join()).toContain('belongs to another board');
  const kept = files.filter((name) => name.startsWith('credentials.json.foreign-'));
  expect(kept).toHaveLength(1);
  expect(of('credentials.foreign')).toMatchObject([{ details: { movedTo: join(stateFolder, kept.join()) } }]);
});

it.each([
  ['a name of this run', candidate(1, { runId: 'run-1' }), null, ['camera-1']],
  ['a name of an earlier run', candidate(1), null, []],
  ['a later name', candidate(2, { runId: 'run-1' }), null, []],
  [
    'issued credentials',
    candidate(1, { runId: 'run-1' }),
    { deviceName: 'camera-1', credentials: accessToken('t'), successSeenBy: 'run-1' },
    [],
  ],
])('only the first contact with the server is delayed: with %s', async (_what, first, granted, names) => {
  const { delayed } = await prepared({ candidates: [first], granted });
  expect(delayed).toEqual(names);
});

describe('a board secret', () => {
  const OTHER = 'secret of another board';

  /** Calls `prepare` in run-1 of a board with a secret. @param from the secret of the stored credentials */
  async function preparedWith(
    from: string | undefined,
    more: Partial<Candidate> & { readonly digest?: string; readonly issued?: string } = {},
  ) {
    const secretFile = await boardSecret(onTestFinished);
    const paths = await newCard(1883, secretFile, onTestFinished);
    await mkdir(paths.stateFolder, { mode: 0o700 });
    const { settings } = await readProvisionJson(paths.provisionJson);
    const settled = settingsDigest(settings);
    const { host, deviceKey } = settings;
    const derived = (secret: string): string =>
      drawDerived(Buffer.from(secret), { host, deviceKey, deviceName: 'hall-7', generation: 1 })('token').reveal();
    const { digest = settled, issued, ...change } = more;
    const token = from === undefined ? 'drawn-at-random' : derived(from);
    const granted = { deviceName: 'hall-7', credentials: accessToken(issued ?? token), successSeenBy: null };
    await writeCredentials(paths.credentials, {
      target: { digest, host: 'tb.example', port: 1883 },
      board: await readBoardIdentity('board-1'),
      candidates: [candidate(1, { name: 'hall-7', credentials: accessToken(token), ...change })],
      granted: issued === undefined ? null : granted,
    });
    const { dependencies, events } = await effectScene(paths);
    const input = { runId: 'run-1', settingsDigest: settled, nameIndex: 1, startedOver: false };
    const output = await prepare(dependencies, effectCall(input));
    const files = await readdir(paths.stateFolder);
    const fingerprint = (secret: string): string => accessToken(derived(secret)).token.fingerprint();
    return { output, events: events(), files, ours: fingerprint(BOARD_SECRET), theirs: fingerprint(OTHER) };
  }

  it('is asked for with its credentials before the first request, whoever drew them', async () => {
    for (const runId of ['run-0', 'run-1']) {
      const { output, events, ours } = await preparedWith(BOARD_SECRET, { runId, answered: true });
      expect(output).toMatchObject({ fingerprint: ours, derived: true, reused: true, answered: false, warnings: [] });
      expect(events).toEqual(['candidate.adopted']);
    }
  });

  it.each([
    ['without it', undefined],
    ['with another one', OTHER],
  ])('that a run began %s takes the place of credentials that belong to no device', async (_what, from) => {
    const { output, events, ours } = await preparedWith(from, { answered: true });
    expect(output).toMatchObject({ fingerprint: ours, derived: true, reused: true, answered: false, warnings: [] });
    expect(events).toEqual(['candidate.drawn']);
  });

  it.each([
    ['without it', undefined],
    ['with another one', OTHER],
  ])(
    'that a run began %s never replaces credentials that may have been sent, and a warning says so',
    async (_what, from) => {
      const { output, events, ours, theirs } = await preparedWith(from, { answered: false });
      expect(output).toMatchObject({ derived: false, reused: true, answered: false });
      expect(output.fingerprint).not.toBe(ours);
      if (from === OTHER) expect(output.fingerprint).toBe(theirs);
      expect(output.warnings?.join()).toContain('began without this board secret');
      expect(events).toEqual(['credentials.notDerived', 'candidate.adopted']);
    },
  );

  it('gives the credentials of a run under other settings again, so nobody is told to delete their device', async () => {
    const { output, files, ours } = await preparedWith(BOARD_SECRET, { digest: 'other port' });
    expect(output).toMatchObject({ fingerprint: ours, warnings: [] });
    expect(files).toEqual(['credentials.json']);
  });

  it('does not give what the server issued, so that is kept aside', async () => {
    const more = { digest: 'other port', issued: 'token-of-the-operator' };
    const { files } = await preparedWith(BOARD_SECRET, more);
    expect(files.some((name) => name.startsWith('credentials.json.superseded-'))).toBe(true);
  });

  it('leaves what the server issued to a run as it is', async () => {
    const { output } = await preparedWith(BOARD_SECRET, { issued: 'token-of-the-operator' });
    expect(output).toMatchObject({ warnings: [], granted: { deviceName: 'hall-7' } });
  });
});
