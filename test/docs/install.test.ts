import { describe, expect, it } from 'vitest';
import { devicePaths } from '../../src/device/paths.ts';
import { RUN_TIME_LIMIT_MS } from '../../src/provision/pass.ts';
import { codeBlocks, readPage, rowsUnder, sectionOf } from './markdown.ts';

const [unit = ''] = codeBlocks(sectionOf(readPage('docs/install.md'), 'Without the Debian package'), 'ini');

describe('the unit of docs/install.md', () => {
  it("has a start time limit above the run's own limit", () => {
    const [, minutes] = /^TimeoutStartSec=(\d+)min$/m.exec(unit) ?? [];
    expect(Number(minutes) * 60_000).toBeGreaterThan(RUN_TIME_LIMIT_MS);
  });

  it('starts for the files that request work', () => {
    const [, folder = ''] = /^Environment=THERMAL_DIR=(.*)$/m.exec(unit) ?? [];
    const paths = devicePaths(folder);
    const conditions = [...unit.matchAll(/^ConditionPathExists=\|(.*)$/gm)].map(([, path]) => path);
    expect(conditions).toEqual([paths.provisionTxt, paths.credentials]);
  });

  it("is not restarted after failures that a restart can't repair", () => {
    const rows = rowsUnder(readPage('docs/commands.md'), 'status', 'name');
    const permanent = rows.filter((row) => row[3] === 'no').map(([, name]) => name);
    const [, prevented] = /^RestartPreventExitStatus=(.*)$/m.exec(unit) ?? [];
    expect(prevented?.split(' ')).toEqual(permanent);
  });
});
