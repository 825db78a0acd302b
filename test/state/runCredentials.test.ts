import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../../src/log/log.ts';
import { type Credentials, type IssuedCredentials, writeCredentials } from '../../src/state/credentials.ts';
import { issuedCredentials, issuedSummary, storedCredentials } from '../../src/state/runCredentials.ts';
import { systemClock } from '../../src/time/clock.ts';
import { failureOf, scratchFolder } from '../config/scratch.ts';
import { accessToken } from '../support/accessToken.ts';

const ISSUED: IssuedCredentials = { deviceName: 'hall-7', credentials: accessToken('a-token'), successSeenBy: 'run-1' };

async function readerOf(granted: IssuedCredentials | null) {
  const credentials: Credentials = {
    target: { digest: 'digest', host: 'tb.example', port: 1883 },
    board: { serial: null, machine: null },
    candidates: [],
    granted,
  };
  const path = join(await scratchFolder(), 'state', 'credentials.json');
  await mkdir(dirname(path), { mode: 0o700 });
  await writeCredentials(path, credentials);
  return { paths: { credentials: path }, log: silentLog, clock: systemClock() };
}

describe('issuedSummary', () => {
  it('counts a SUCCESS only for the run that received it: a later run must prove the credentials itself', () => {
    expect(issuedSummary(ISSUED, 'run-1').successSeen).toBe(true);
    expect(issuedSummary(ISSUED, 'run-2').successSeen).toBe(false);
    expect(issuedSummary({ ...ISSUED, successSeenBy: null }, 'run-1').successSeen).toBe(false);
    expect(issuedSummary({ ...ISSUED, successSeenBy: null }, null).successSeen).toBe(false);
  });

  it('holds no token', () => {
    expect(JSON.stringify(issuedSummary(ISSUED, 'run-1'))).not.toContain('a-token');
  });
});

describe('the credentials of a run', () => {
  it('are lost when credentials.json is gone', async () => {
    const reader = await readerOf(ISSUED);
    await rm(reader.paths.credentials);
    for (const read of [storedCredentials, issuedCredentials]) {
      const failure = await failureOf(() => read(reader));
      expect(failure.code).toBe('CREDENTIALS_LOST');
      expect(failure.message).toBe(`${reader.paths.credentials} disappeared or became unusable during the run`);
    }
  });

  it('are lost when credentials.json has no issued ones', async () => {
    const reader = await readerOf(null);
    const failure = await failureOf(() => issuedCredentials(reader));
    expect(failure.code).toBe('CREDENTIALS_LOST');
    expect(failure.message).toBe(`${reader.paths.credentials} no longer holds issued credentials`);
    expect(await storedCredentials(reader)).toMatchObject({ granted: null });
  });
});
