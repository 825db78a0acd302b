import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { FAILURES } from '../../src/failures/catalogue.ts';
import type { LogRecord } from '../../src/log/log.ts';
import { createStatus, openStatus } from '../../src/systemd/notify.ts';
import type { AtEnd } from '../support/atEnd.ts';
import { makeDeviceFolder, makeFolder } from '../support/deviceFolder.ts';
import { startServer } from '../support/server.ts';

const record = (message: string, changes: Partial<LogRecord> = {}): LogRecord => ({
  time: '2026-11-23T10:15:30.123Z',
  level: 'info',
  event: 'test.event',
  message,
  runId: null,
  state: null,
  attempt: null,
  details: {},
  ...changes,
});

type Done = Parameters<Parameters<typeof createStatus>[0]>[1];

/** Sends nothing. The test decides when a text counts as sent. */
function byHand() {
  const sent: string[] = [];
  const waiting: Done[] = [];
  const status = createStatus((text, done) => {
    sent.push(text);
    waiting.push(done);
  });
  return { status, sent, finish: (outcome: Parameters<Done>[0] = 'sent') => waiting.shift()?.(outcome) };
}

describe('the status of the service', () => {
  it('is the latest line above debug, with its state', () => {
    const { status, sent, finish } = byHand();
    for (const one of [
      record('Run begins'),
      record('Asked for a device', { state: 'request', level: 'warn' }),
      record('of no interest', { level: 'debug' }),
    ]) {
      status.show(one);
      finish();
    }
    expect(sent).toEqual(['Run begins', 'request: Asked for a device']);
  });

  it('is always one line of at most 300 characters', () => {
    const { status, sent } = byHand();
    status.show(record(`a\nb\0c${'🌡'.repeat(400)}`));
    expect([...(sent[0] ?? '')]).toHaveLength(300);
    expect(sent[0]).toMatch(/^a b c🌡+$/u);
  });

  it('is sent by one process at a time, and skips lines that are no longer the latest', () => {
    const { status, sent, finish } = byHand();
    for (const text of ['first', 'second', 'third']) status.show(record(text));
    expect(sent).toEqual(['first']);
    finish();
    expect(sent).toEqual(['first', 'third']);
    finish();
    expect(sent).toHaveLength(2);
  });

  it('stops after three failures in a row, or at once without systemd-notify', () => {
    const failing = byHand();
    for (const outcome of ['failed', 'failed', 'sent', 'failed', 'failed', 'failed'] as const) {
      failing.status.show(record('again'));
      failing.finish(outcome);
    }
    failing.status.show(record('once more'));
    expect(failing.sent).toHaveLength(6);

    const absent = byHand();
    absent.status.show(record('first'));
    absent.finish('impossible');
    absent.status.show(record('second'));
    expect(absent.sent).toEqual(['first']);
  });

  it('does not exist if systemd does not listen', () => {
    expect(openStatus({})).toBeUndefined();
    expect(openStatus({ NOTIFY_SOCKET: '' })).toBeUndefined();
  });
});

/** A folder with a script as `systemd-notify`. */
async function folderWith(atEnd: AtEnd, script: string): Promise<string> {
  const folder = join(await makeFolder(atEnd), 'bin');
  await mkdir(folder);
  await writeFile(join(folder, 'systemd-notify'), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, 'systemd-notify'), 0o755);
  return folder;
}

async function run(dir: string, path: string, ...command: readonly string[]) {
  const startedAt = performance.now();
  const args = command.length === 0 ? ['run'] : command;
  const child = spawn(process.execPath, [inject('bundle'), ...args, '--dir', dir], {
    stdio: 'ignore',
    env: { PATH: path, NOTIFY_SOCKET: '/run/systemd/notify', THERMAL_BOARD_ID: 'x' },
  });
  const [status] = await once(child, 'close');
  return { status, ms: performance.now() - startedAt };
}

describe.concurrent('a run under systemd', () => {
  it('shows its steps and its end, in order', async ({ expect, onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    const bin = await folderWith(onTestFinished, 'echo "$NOTIFY_SOCKET $*" >> "$(dirname "$0")/sent"');
    const { status } = await run(paths.deviceFolder, `${bin}:/usr/bin:/bin`);
    expect(status).toBe(0);
    const sent = (await readFile(join(bin, 'sent'), 'utf8')).trimEnd().split('\n');
    expect(sent[0]).toMatch(/^\/run\/systemd\/notify --status=Starting run [0-9a-f]+: /);
    expect(sent.at(-1)).toMatch(/--status=provisioned: /);
  });

  it.for([
    ['hangs', 'exec sleep 60'],
    ['fails', 'exit 1'],
    ['ignores signals', "trap '' TERM; exec sleep 60"],
  ])('is not affected when systemd-notify %s', async ([_how, script = ''], { expect, onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    const bin = await folderWith(onTestFinished, script);
    const { status, ms } = await run(paths.deviceFolder, `${bin}:/usr/bin:/bin`);
    expect(status).toBe(0);
    expect(ms).toBeLessThan(10_000);
  });

  it('ends at most a second later when systemd-notify hangs, also in normal operation', async (context) => {
    const { expect, onTestFinished } = context;
    const bin = await folderWith(onTestFinished, 'exec sleep 60');
    const dir = await makeFolder(onTestFinished);
    const { status, ms } = await run(dir, `${bin}:/usr/bin:/bin`, 'start', '--no-provision');
    expect(status).toBe(FAILURES.CONFIG_MISSING.exitStatus);
    expect(ms).toBeLessThan(10_000);
  });

  it('is not affected when systemd-notify is missing', async ({ expect, onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    expect((await run(paths.deviceFolder, '/nowhere')).status).toBe(0);
  });
});
