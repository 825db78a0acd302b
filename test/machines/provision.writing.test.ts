import { describe, expect, it } from 'vitest';
import { nameOf, SETTINGS, TRIGGER, validated, wrote } from '../support/chartAnswers.ts';
import { chartAt } from '../support/chartRun.ts';

describe('backup and write', () => {
  it("fixes the backup's name before the copy is made", async () => {
    const run = await chartAt('backup');
    const name = 'thermal_config.json.backup.20261123T100000.000Z';
    expect(run.context()).toMatchObject({ backupName: name, backup: null });
    expect(run.input('backup')).toEqual({ name });
    await run.answer('backup', (now) => ({ name: 'an older copy', made: false, at: now }));
    expect(run.input('write')).toEqual({
      runId: 'run-1',
      server: SETTINGS.server,
      deviceName: nameOf(1),
      fingerprint: 'f1',
      backup: 'an older copy',
    });
  });

  it('gives the backup a later stamp than the newest one, even when the clock was set back', async () => {
    const run = await chartAt('validate');
    const newestBackupAt = Date.UTC(2030, 0, 1);
    await run.answer('validate', (now) => ({ ...validated({})(now, {}), newestBackupAt }));
    await run.until('backup');
    expect(run.context().backupName).toBe('thermal_config.json.backup.20300101T000000.001Z');
  });

  it.each(['written', 'already'] as const)('%s → finalize', async (outcome) => {
    const run = await chartAt('write');
    await run.answer('write', wrote(outcome));
    expect(run.state()).toBe('finalize');
    expect(run.input('finalize')).toEqual({ trigger: TRIGGER });
  });

  it.each([
    ['written', 'finalize'],
    ['changed', 'backup'],
    ['unusable', 'restore'],
  ] as const)('%s → %s, and the warnings of write stay with the run', async (outcome, next) => {
    const run = await chartAt('write');
    await run.answer('write', (at) => ({ outcome, warnings: ['the settings come from the defaults'], at }));
    expect(run.state()).toBe(next);
    expect(run.context().warnings).toEqual(['the settings come from the defaults']);
  });

  it('backs up again, under a new name, when another program changed the file, three times at most', async () => {
    const run = await chartAt('write');
    const names = [run.context().backupName];
    for (const _round of [1, 2]) {
      await run.answer('write', wrote('changed'));
      expect(run.state()).toBe('backup');
      names.push(run.context().backupName);
      await run.answer('backup');
    }
    expect(new Set(names).size).toBe(3);
    await run.answer('write', (at) => ({ outcome: 'changed', warnings: ['the third copy'], at }));
    expect(run.state()).toBe('failed');
    expect(run.error()).toMatchObject({ code: 'CONFIG_KEEPS_CHANGING', exitStatus: 75 });
    expect(run.error()?.message).toContain('3');
    expect(run.context().warnings).toEqual(['the third copy']);
  });

  it.each(['written', 'changed', 'unusable'] as const)('%s records its warnings', async (outcome) => {
    const run = await chartAt('write');
    await run.answer('write', (at) => ({ outcome, at: at + 5, warnings: ['odd'] }));
    expect(run.context()).toMatchObject({ warnings: ['odd'], now: run.now() + 5 });
  });

  it('a change in the last round records its warnings', async () => {
    const run = await chartAt('write');
    for (const _round of [1, 2]) {
      await run.answer('write', wrote('changed'));
      await run.answer('backup');
    }
    await run.answer('write', (at) => ({ outcome: 'changed', at, warnings: ['odd'] }));
    expect([run.state(), run.context().warnings]).toEqual(['failed', ['odd']]);
  });

  it('succeeds in the third round', async () => {
    const run = await chartAt('write');
    for (const _round of [1, 2]) {
      await run.answer('write', wrote('changed'));
      await run.answer('backup');
    }
    await run.answer('write');
    expect(run.state()).toBe('finalize');
  });

  it('puts the backup back when the written file is not usable, and fails', async () => {
    const run = await chartAt('write');
    await run.answer('write', wrote('unusable'));
    expect(run.state()).toBe('restore');
    expect(run.input('restore')).toEqual({ backup: run.context().backupName });
    await run.answer('restore');
    expect(run.error()).toMatchObject({ code: 'CONFIG_NOT_WRITTEN', exitStatus: 74 });
  });

  it.each(['backup', 'write', 'finalize'] as const)('fails when %s fails', async (state) => {
    const run = await chartAt(state);
    await run.fail(state, 'DISK_FULL');
    expect([run.state(), run.context().error?.code]).toEqual(['failed', 'DISK_FULL']);
  });

  it("fails with restore's own failure when the backup can't be put back", async () => {
    const run = await chartAt('write');
    await run.answer('write', wrote('unusable'));
    await run.fail('restore', 'CONFIG_UNREADABLE');
    expect([run.state(), run.context().error?.code]).toEqual(['failed', 'CONFIG_UNREADABLE']);
  });
});
