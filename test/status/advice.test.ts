import { describe, expect, it } from 'vitest';
import { assess } from '../../src/status/assessment.ts';
import type { DeviceFiles } from '../../src/status/deviceFiles.ts';
import { present } from '../../src/status/part.ts';
import { CONFIG, type Found, filesWith, GRANTED, problem, runIn, SERVER, STORED } from '../support/statusFiles.ts';

const DONE = { granted: GRANTED, furthestStep: 8 };

describe('a storage that the next run could not write to', () => {
  const provisioned = { snapshot: runIn('provisioned', DONE), config: { ...CONFIG, deviceId: 'cam-1' } };
  const failed = { ...runIn('failed'), error: { code: 'DISK_FULL', message: 'm', hint: 'h' } };

  const assessed = (found: Found, holder: number | null = null) => {
    const { word, errors, next, unfinished } = assess(filesWith(found, { storage: problem('DISK_FULL'), holder }));
    return { word, codes: errors.map(({ code }) => code), next: next?.text, unfinished };
  };

  it.each<[what: string, found: Found, others: readonly string[]]>([
    ['a first run', {}, []],
    ['an interrupted run', { snapshot: runIn('request'), credentials: STORED }, ['INTERRUPTED']],
    ['another provisioning', provisioned, []],
    ['a run that has failed for this reason', { snapshot: failed }, []],
  ])('is the first error while provision.txt asks for %s', (_what, found, others) => {
    expect(assessed({ requested: true, ...found })).toEqual({
      word: 'error',
      codes: ['DISK_FULL', ...others],
      next: 'Do what the hint says, then start the agent',
      unfinished: true,
    });
  });

  it('does not matter while nothing asks for a run, or while the agent is running', () => {
    expect(assessed(provisioned)).toMatchObject({ word: 'done', codes: [] });
    expect(assessed({ requested: true }, 7)).toMatchObject({ word: 'running', codes: [] });
  });
});

describe('the advice of status', () => {
  it('advice about a provisioned device never leads to a second device', () => {
    const removed = filesWith({ snapshot: runIn('provisioned', DONE), config: present(null) });
    const mismatch = filesWith({ snapshot: runIn('provisioned', DONE) });
    expect(assess(removed).errors[0]).toMatchObject({
      message: expect.stringMatching(
        /^There is no \/device\/thermal_config\.json, though the device was provisioned on 2026-/,
      ),
      hint: expect.stringMatching(/^Restore a backup\. .* delete the device on the server before/),
    });
    expect(assess(mismatch).errors[0]).toMatchObject({
      message: 'thermal_config.json names the device cam-0, but the last run provisioned cam-1',
      hint: expect.stringMatching(/restore a backup that names cam-1\. Another provisioning can register another/),
    });
  });

  it('an unchanged provision.json, or the end of a run, says nothing about new settings', () => {
    const { target } = filesWith();
    const other = present({ ...SERVER, name: { source: 'random', prefix: 'p' } as const, digest: 'x' });
    const noKey = present({ ...SERVER, name: { source: 'random', prefix: 'p' } as const, digest: undefined });
    const note = (snapshot: ReturnType<typeof runIn>, given: DeviceFiles['target']) =>
      assess(filesWith({ requested: true, snapshot, credentials: STORED }, { target: given })).errors[0]?.message;
    for (const message of [
      note(runIn('request'), target),
      note(runIn('request'), noKey),
      note(runIn('request', { settings: null }), other),
      note(runIn('finalize', { furthestStep: 7 }), other),
      note(runIn('restore', { furthestStep: 6 }), other),
    ]) {
      expect(message).toMatch(/^The run was interrupted and no agent is running: it stopped in [a-z]+$/);
    }
  });

  it('a changed provision.json says that a new run begins', () => {
    const target = {
      host: 'other',
      port: 1,
      useSsl: false,
      name: { source: 'random', prefix: 'p' } as const,
      digest: 'x',
    };
    const files = filesWith(
      { requested: true, snapshot: runIn('request'), credentials: STORED },
      { target: present(target) },
    );
    expect(assess(files).errors[0]?.message).toContain('provision.json was changed since then');
  });
});
