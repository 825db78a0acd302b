import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { devicePaths } from '../../src/device/paths.ts';
import type { DeviceFiles } from '../../src/status/deviceFiles.ts';
import { present } from '../../src/status/part.ts';
import { planReset } from '../../src/status/resetPlan.ts';
import { makeFolder } from '../support/deviceFolder.ts';
import { CONFIG, type Found, filesWith, GRANTED, problem, runIn, STORED } from '../support/statusFiles.ts';

const WRITING = { granted: GRANTED, furthestStep: 6, backupName: 'b', backup: 'b' };
const HAS_GRANT = { ...STORED, granted: 'cam-1', fingerprint: '00000001' };
const BROKEN = { ...CONFIG, deviceId: null, problems: ['is not valid JSON'] };

const REFUSED: Readonly<Record<string, readonly [DeviceFiles, RegExp]>> = {
  'whose backup must still be restored': [
    filesWith({ snapshot: runIn('restore', WRITING), credentials: HAS_GRANT, config: BROKEN }),
    /backup must still be restored/,
  ],
  'whose token the camera already uses': [
    filesWith({ credentials: HAS_GRANT, config: { ...CONFIG, fingerprint: '00000001' } }),
    /already holds the new credentials of this run/,
  ],
  'that has written the configuration': [
    filesWith({ snapshot: runIn('write', WRITING), config: { ...CONFIG, runId: 'run-1' } }),
    /already holds the new credentials of this run/,
  ],
  'that failed in its last step': [
    filesWith({ snapshot: runIn('failed', { ...WRITING, furthestStep: 7 }), config: { ...CONFIG, runId: 'run-1' } }),
    /Only the last steps are left/,
  ],
  'that is provisioned, only the clean-up is left': [
    filesWith({ snapshot: runIn('provisioned', WRITING), credentials: HAS_GRANT }),
    /only the clean-up is left/,
  ],
  "in write, with a configuration that can't be read": [
    filesWith({ snapshot: runIn('write', WRITING), credentials: HAS_GRANT, config: problem('CONFIG_UNREADABLE') }),
    /must still repair it/,
  ],
  'in write, with a configuration that is missing but has a backup': [
    filesWith({ snapshot: runIn('write', WRITING), credentials: HAS_GRANT, config: present(null) }),
    /must still repair it/,
  ],
  'in write, with a broken configuration and no backup': [
    filesWith({ snapshot: runIn('write', { ...WRITING, backup: null }), credentials: HAS_GRANT, config: BROKEN }),
    /must still repair it/,
  ],
  "whose snapshot can't be read": [filesWith({ snapshot: problem('FILE_NOT_PERMITTED') }), /the message of FILE_/],
  "whose credentials can't be read": [
    filesWith({ snapshot: runIn('request'), credentials: problem('DISK_ERROR') }),
    /the message of DISK_ERROR/,
  ],
  "whose snapshot is damaged, and the configuration can't be read": [
    filesWith({ snapshot: problem('SNAPSHOT_DAMAGED'), config: problem('CONFIG_UNREADABLE') }),
    /the message of CONFIG_UNREADABLE/,
  ],
};

const ALLOWED: Readonly<Record<string, readonly [DeviceFiles, RegExp]>> = {
  'that has sent nothing': [
    filesWith({ requested: true, snapshot: runIn('prepare'), credentials: STORED }),
    /Nothing is left on tb\.example:1883/,
  ],
  'without an answer': [
    filesWith({ snapshot: runIn('request', { requestsOut: 1 }), credentials: STORED }),
    /An unused device cam-1 may be left on tb\.example:1883/,
  ],
  'with a refused probe': [
    filesWith({ snapshot: runIn('backoff', { requestsOut: 1, probed: true }), credentials: STORED }),
    /Probably nothing is left/,
  ],
  'whose credentials were issued': [
    filesWith({ snapshot: runIn('backup', { granted: GRANTED }), credentials: HAS_GRANT }),
    /The unused device cam-1 stays on tb\.example:1883/,
  ],
  'in write, before it wrote': [
    filesWith({ snapshot: runIn('write', WRITING), credentials: HAS_GRANT }),
    /The unused device cam-1 stays/,
  ],
  'in write, with no configuration before and none now': [
    filesWith({
      snapshot: runIn('write', { ...WRITING, backup: null }),
      credentials: HAS_GRANT,
      config: present(null),
    }),
    /The unused device cam-1 stays/,
  ],
  'of another board': [
    filesWith({ snapshot: runIn('request'), credentials: { ...STORED, foreign: true } }),
    /belongs to another board.*Do not delete/,
  ],
  'for the device that the camera already uses': [
    filesWith({
      snapshot: runIn('backup', { granted: GRANTED }),
      credentials: HAS_GRANT,
      config: { ...CONFIG, deviceId: 'cam-1' },
    }),
    /the device that the camera already uses\. Do not delete/,
  ],
  'that failed in write': [
    filesWith({ snapshot: runIn('failed', WRITING), credentials: HAS_GRANT, config: BROKEN }),
    /The unused device cam-1 stays/,
  ],
  'of a newer agent': [
    filesWith({ snapshot: problem('SNAPSHOT_NEWER'), credentials: problem('CREDENTIALS_NEWER') }),
    /may be left on tb\.example:1883/,
  ],
  'that registered nothing': [
    filesWith({
      snapshot: runIn('failed', { requestsOut: 1 }),
      credentials: { ...STORED, registeredNothing: true },
    }),
    /^Nothing is left on tb\.example:1883: the server answered every request/,
  ],
  'with damaged files': [
    filesWith({ snapshot: problem('SNAPSHOT_DAMAGED'), credentials: problem('CREDENTIALS_DAMAGED') }),
    /may be left on tb\.example:1883/,
  ],
};

describe('giving up a run', () => {
  it.each(Object.entries(REFUSED))('%s is refused', async (_name, [files, why]) => {
    const plan = await planReset(files);
    expect(plan.kind).toBe('refused');
    if (plan.kind !== 'refused') return;
    expect(plan.why).toMatch(why);
    expect(plan.next).toMatch(/thermal-provision run --dir \/device|the hint of/);
  });

  it.each(Object.entries(ALLOWED))(
    '%s is allowed, and says what is left on the server',
    async (_name, [files, left]) => {
      const plan = await planReset(files);
      expect(plan.kind).toBe('reset');
      if (plan.kind !== 'reset') return;
      expect(plan.consequences[0]).toMatch(left);
      expect(plan.consequences[1]).toMatch(files.trigger.value === null ? /is not there/ : /provision\.txt stays/);
      expect(plan.consequences[2]).toMatch(/thermal_config\.json is not changed/);
    },
  );

  it('says which device the camera stays configured as, if there is one', async () => {
    const camera = async (config: NonNullable<Found['config']>) => {
      const plan = await planReset(filesWith({ snapshot: runIn('prepare'), credentials: STORED, config }));
      return plan.kind === 'reset' ? plan.consequences[2] : plan.kind;
    };
    expect(await camera(CONFIG)).toBe('thermal_config.json is not changed. The camera stays configured as cam-0.');
    expect(await camera(present(null))).toBe('thermal_config.json is not changed.');
  });

  it('sets aside only existing files, credentials.json last', async () => {
    const aside = async (files: DeviceFiles) => {
      const plan = await planReset(files);
      return plan.kind === 'reset' ? plan.aside.map((path) => path.split('/').at(-1)) : plan.kind;
    };
    expect(await aside(filesWith({ snapshot: runIn('request'), credentials: STORED }))).toEqual([
      'snapshot.json',
      'credentials.json',
    ]);
    expect(await aside(filesWith({ snapshot: runIn('failed') }))).toEqual(['snapshot.json']);
    expect(await aside(filesWith({ credentials: STORED }))).toEqual(['credentials.json']);
  });

  it('does nothing if no run is known, or the last run succeeded', async () => {
    expect((await planReset(filesWith())).kind).toBe('nothing');
    expect((await planReset(filesWith({ snapshot: runIn('provisioned') }))).kind).toBe('nothing');
  });

  it('is allowed in write while a broken configuration equals the backup', async ({ onTestFinished }) => {
    const paths = devicePaths(await makeFolder(onTestFinished));
    const files = filesWith({ snapshot: runIn('write', WRITING), credentials: HAS_GRANT, config: BROKEN }, { paths });
    await writeFile(paths.thermalConfig, 'odd');
    await writeFile(join(paths.deviceFolder, 'b'), 'odd');
    expect((await planReset(files)).kind).toBe('reset');
    await writeFile(paths.thermalConfig, 'odder');
    expect((await planReset(files)).kind).toBe('refused');
  });

  it('has another version as soon as the run has changed its files', async () => {
    const version = async (files: DeviceFiles) => {
      const plan = await planReset(files);
      return plan.kind === 'reset' ? plan.version : plan.kind;
    };
    const snapshot = runIn('request');
    const before = await version(filesWith({ snapshot, credentials: STORED }));
    expect(await version(filesWith({ snapshot, credentials: STORED }))).toBe(before);
    expect(await version(filesWith({ snapshot: { ...snapshot, seq: 8 }, credentials: STORED }))).not.toBe(before);
    expect(await version(filesWith({ snapshot, credentials: HAS_GRANT }))).not.toBe(before);
  });
});
