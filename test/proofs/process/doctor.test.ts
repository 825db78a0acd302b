import { createHash } from 'node:crypto';
import { chmod, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { FAILURES } from '../../../src/failures/catalogue.ts';
import { type AgentEnd, runAgentProcess } from '../../support/agentProcess.ts';
import type { AtEnd } from '../../support/atEnd.ts';
import { OLD_TOKEN } from '../../support/deviceFiles.ts';
import { interruptedRun } from '../../support/interruptedRun.ts';
import { expectNoSecrets } from '../../support/runChecks.ts';
import { DAY_MS, inFolder, NOT_HERE, overTls, SITUATIONS, type Situation } from './doctorSituations.ts';

const documentSchema = z.object({
  checks: z.array(
    z.object({
      check: z.string(),
      code: z.string().nullable(),
      hint: z.string().nullable(),
      message: z.string(),
      verdict: z.enum(['passed', 'warning', 'failed', 'skipped']),
    }),
  ),
  exitStatus: z.int(),
  plan: z.object({ deviceName: z.string(), diff: z.string(), file: z.string() }).nullable(),
});

/** Names, modes, times and contents of all entries of a folder. */
async function contentOf(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const lines = entries.map(async (entry) => {
    const path = join(entry.parentPath, entry.name);
    const stats = await stat(path).catch(() => undefined);
    const bytes = entry.isFile() ? await readFile(path) : '';
    return [path, stats?.mode, stats?.mtimeMs, createHash('sha256').update(bytes).digest('hex')].join(' ');
  });
  return (await Promise.all(lines)).sort();
}

it('every failure code is foretold by doctor, or listed as one that is not shown here', () => {
  const answered = [...SITUATIONS.map(([code]) => code), ...NOT_HERE];
  expect(answered.toSorted()).toEqual(Object.keys(FAILURES).toSorted());
});

const doctor = (atEnd: AtEnd, { paths, user }: Situation, ...more: readonly string[]): Promise<AgentEnd> =>
  runAgentProcess(atEnd, paths.deviceFolder, {
    command: ['doctor', ...more],
    ...(user === undefined ? {} : { user }),
  });

const parsed = (end: AgentEnd) => documentSchema.parse(JSON.parse(end.output));

describe.concurrent('doctor', () => {
  it.for(SITUATIONS)('predicts %s and changes nothing, here or on the server', async ([code, lay], context) => {
    const { expect, onTestFinished } = context;
    const situation = await lay(onTestFinished);
    const { paths, server, user } = situation;
    const devicesBefore = server?.registry.size;
    const before = await contentOf(paths.deviceFolder);
    const end = await doctor(onTestFinished, situation, '--plan', '--format', 'json');

    const { checks, exitStatus } = parsed(end);
    const failures = checks.filter(({ verdict }) => verdict === 'failed');
    expect(failures[0]?.code).toBe(code);
    expect(failures[0]?.hint).not.toBe(null);
    expect([end.status, exitStatus]).toEqual([FAILURES[code].exitStatus, FAILURES[code].exitStatus]);
    expect(await contentOf(paths.deviceFolder)).toEqual(before);
    expect(server?.registry.size).toBe(devicesBefore);
    if (server !== undefined) await expectNoSecrets(paths, [end], [server]);

    const run = await runAgentProcess(onTestFinished, paths.deviceFolder, user === undefined ? {} : { user });
    expect(run.log.findLast(({ event }) => event === 'run.failed')?.code).toBe(code);
    expect(run.status).toBe(end.status);
  });

  it('finds no problem where a run then succeeds, and predicts the new configuration', async (context) => {
    const { expect, onTestFinished } = context;
    const situation = await overTls({})(onTestFinished);
    const { paths, server } = situation;
    await chmod(paths.provisionJson, 0o600);
    await chmod(paths.thermalConfig, 0o600);
    const end = await doctor(onTestFinished, situation, '--plan');

    expect(end.status).toBe(0);
    // In a container without a volume, `storage` warns.
    expect(end.output.replace(/^! storage +What is written may not last/m, '')).not.toMatch(/^[!✗–]/m);
    expect(end.output).toMatch(/^✓ TLS +TLSv1\.3, certificate of .*, issued by .*, valid \d{4}-\d\d-\d\d to \d{4}/m);
    expect(end.output).toMatch(/^✓ MQTT CONNECT +the user "provision" is accepted/m);
    expect(end.output).toContain(`Next: thermal-provision run --dir ${paths.deviceFolder}`);
    expect(end.output).toMatch(/^-.*"access_token": "\[masked 1\]"/m);
    expect(end.output).toMatch(/^\+.*"access_token": "\[the new access token\]"/m);
    // Standard output is not a terminal.
    expect(end.output).not.toContain('\x1b');
    expect(end.output).not.toContain(OLD_TOKEN);
    expect(end.output).toMatch(/^✓ provisioning key +key and secret are right/m);
    expect(server?.registry.size).toBe(0);
    expect((await runAgentProcess(onTestFinished, paths.deviceFolder)).status).toBe(0);
  });

  it('checks everything that does not depend on a failed check', async ({ expect, onTestFinished }) => {
    const situation = await inFolder(({ paths }) => writeFile(paths.provisionJson, '{"provisioning":{"port":"1"}}'))(
      onTestFinished,
    );
    const { checks } = parsed(await doctor(onTestFinished, situation, '--format', 'json'));
    const of = (verdict: string): string[] => checks.filter((one) => one.verdict === verdict).map(({ check }) => check);
    expect(of('failed')).toEqual(['provision.json']);
    expect(of('skipped')).toEqual([
      ...[
        'board secret',
        'authorities',
        'proxy',
        'name resolution',
        'TCP connection',
        'TLS',
        'MQTT CONNECT',
        'provisioning key',
      ],
      'new configuration',
    ]);
    expect(of('passed')).toEqual(
      expect.arrayContaining(['device folder', 'thermal_config.json', 'free space', 'clock']),
    );
    const [problem] = checks.filter(({ verdict }) => verdict === 'failed');
    for (const key of ['device_key', 'device_secret', 'host', 'port']) expect(problem?.message).toContain(key);
  });

  it('names a missing folder', async ({ expect, onTestFinished }) => {
    const end = await runAgentProcess(onTestFinished, '/nowhere/at/all', { command: ['doctor'] });
    expect(end.status).toBe(66);
    expect(end.output).toMatch(/^✗ device folder +DEVICE_FOLDER_MISSING: .*\/nowhere\/at\/all/m);
  });

  it('warns of problems that a run would survive', async ({ expect, onTestFinished }) => {
    const run = await interruptedRun(onTestFinished);
    const { paths } = run;
    await writeFile(paths.snapshot, '{');
    await rm(paths.provisionTxt);
    await chmod(paths.credentials, 0o644);
    await chmod(paths.stateFolder, 0o755);
    await writeFile(paths.thermalConfig, '{"access_token": ');
    await rm(paths.provisionJson);
    await writeFile(join(paths.deviceFolder, 'provision.json.real'), run.provisionJson, { mode: 0o644 });
    await symlink('provision.json.real', paths.provisionJson);
    const before = await contentOf(paths.deviceFolder);
    const end = await doctor(onTestFinished, run);

    expect(end.status).toBe(0);
    for (const title of ['state folder', 'provision.txt', 'snapshot.json', 'TLS']) {
      expect(end.output).toMatch(new RegExp(`^! ${title.replace('.', '\\.')}`, 'm'));
    }
    expect(end.output).toContain(`unfinished run: ${run.deviceName} for 127.0.0.1:`);
    expect(end.output).toContain(`chmod 600 ${paths.credentials}`);
    expect(end.output).toContain('other users can read the secret in it');
    expect(end.output).toContain('is not valid JSON');
    expect(end.output).toContain(`the device name would be ${run.deviceName}; all other values are defaults`);
    expect(end.output).toContain(`Next: touch ${paths.provisionTxt}`);
    expect(await contentOf(paths.deviceFolder)).toEqual(before);
    await expectNoSecrets(paths, [end], [run.server]);
  });
  it('shows a certificate that expires soon', async ({ expect, onTestFinished }) => {
    const expiresSoon = overTls({ notAfter: new Date(Date.now() + 3 * DAY_MS) });
    const end = await doctor(onTestFinished, await expiresSoon(onTestFinished));
    expect(end.status).toBe(0);
    expect(end.output).toMatch(/the certificate of .* expires in [23] days/);
  });
});
