import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { devicePaths } from '../../src/device/paths.ts';
import { EXIT } from '../../src/failures/exit.ts';
import { RUN_TIME_LIMIT_MS } from '../../src/provision/pass.ts';
import { ROOT, readPage, rowsUnder } from '../docs/markdown.ts';
import { hasProgram, outputOf } from './debianPackage.ts';

const FOLDER = 'packaging/systemd/';
const unit = (name: string): string => readPage(`${FOLDER}${name}`);

/** All values of a setting, in order. */
const valuesOf = (text: string, key: string): string[] =>
  [...text.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value = '']) => value);

const agent = unit('thermal-provision.service');
const watcher = unit('thermal-provision.path');
const client = unit('thermal-client.service');
const [folder = ''] = valuesOf(agent, 'Environment').map((value) => value.replace('THERMAL_DIR=', ''));

describe('thermal-provision.service', () => {
  it('starts for the files that request work', () => {
    const { provisionTxt, credentials } = devicePaths(folder);
    expect(valuesOf(agent, 'ConditionPathExists')).toEqual([`|${provisionTxt}`, `|${credentials}`]);
  });

  it("has a start time limit above the run's own limit", () => {
    const [minutes] = valuesOf(agent, 'TimeoutStartSec');
    expect(Number(minutes?.replace('min', '')) * 60_000).toBeGreaterThan(RUN_TIME_LIMIT_MS);
  });

  it("is not restarted after failures that a restart can't repair, and is always restarted otherwise", () => {
    const rows = rowsUnder(readPage('docs/commands.md'), 'status', 'name');
    const permanent = rows.filter((row) => row[3] === 'no').map(([, name]) => name);
    expect(valuesOf(agent, 'RestartPreventExitStatus')).toEqual([permanent.join(' ')]);
    for (const name of permanent) expect(Object.keys(EXIT)).toContain(name);
    expect(valuesOf(agent, 'StartLimitIntervalSec')).toEqual(['0']);
  });

  it('can be started again by a later provision.txt', () => {
    expect(agent).not.toMatch(/^RemainAfterExit=/m);
    expect(agent).not.toMatch(/^SuccessExitStatus=/m);
  });
});

it('thermal-provision.path watches both files', () => {
  const { provisionTxt, provisionJson } = devicePaths(folder);
  expect(valuesOf(watcher, 'PathChanged')).toEqual([provisionTxt, provisionJson]);
});

it('thermal-client.service starts after the agent, also when the agent fails', () => {
  expect(valuesOf(client, 'After').join(' ')).toContain('thermal-provision.service');
  expect(valuesOf(client, 'Wants').join(' ')).toContain('thermal-provision.service');
  expect(valuesOf(client, 'Requires')).toEqual([]);
  expect(valuesOf(client, 'ExecStart')).toEqual(['/usr/bin/thermal-provision start --no-provision']);
});

it('thermal-client.service may write the log file that the page about operation names', () => {
  const [writable = ''] = valuesOf(client, 'ReadWritePaths');
  expect(writable).toMatch(/^-\//);
  expect(readPage('docs/operate.md')).toContain(`\`${writable.slice(1)}/client.log\``);
});

it("every unit that writes to the camera's folder has the same user", () => {
  const [user = ''] = valuesOf(agent, 'User');
  expect(valuesOf(client, 'User')).toEqual([user]);
  expect(unit('thermal-provision.sysusers')).toMatch(new RegExp(`^u ${user} - "[^"]+" ${folder}$`, 'm'));
});

const MAX_EXPOSURE = 1.5;
const services = readdirSync(ROOT + FOLDER).filter((name) => name.endsWith('.service'));
const isMeasurable = await hasProgram('systemd-analyze');
if (!isMeasurable) console.log('SKIPPED: the exposure of the services, systemd-analyze is not installed');

it.skipIf(!isMeasurable).each(services)('%s has a low exposure level', async (name) => {
  const text = await outputOf('systemd-analyze', 'security', '--offline=true', '--no-pager', `${ROOT}${FOLDER}${name}`);
  const [, exposure] = /exposure level for \S+: ([\d.]+)/.exec(text) ?? [];
  expect(Number(exposure)).toBeLessThanOrEqual(MAX_EXPOSURE);
});
