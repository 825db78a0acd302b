import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, inject, it } from 'vitest';
import type { AtEnd } from '../../support/atEnd.ts';
import { makeFolder } from '../../support/deviceFolder.ts';
import { failedDocument, statusDocument } from '../../support/fleetDocuments.ts';
import { giveToUnprivileged, unprivileged } from '../../support/unprivileged.ts';

/** Starts the shipped program. */
function start(atEnd: AtEnd, args: readonly string[], nodeOptions: readonly string[] = []): ChildProcess {
  const child = spawn(process.execPath, [...nodeOptions, inject('bundle'), 'fleet', ...args], {
    env: { FORCE_COLOR: '1' },
    stdio: ['pipe', 'pipe', 'pipe'],
    ...unprivileged,
  });
  atEnd(() => void child.kill('SIGKILL'));
  return child;
}

/** Runs it to its end. @param input for standard input */
async function ask(atEnd: AtEnd, args: readonly string[], input = '', nodeOptions: readonly string[] = []) {
  const child = start(atEnd, args, nodeOptions);
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  const ended = once(child, 'exit');
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('no pipes');
  const [output, errors, [status]] = await Promise.all([text(stdout), text(stderr), ended]);
  return { output, errors, status };
}

const line = (value: unknown): string => `${JSON.stringify(value)}\n`;

describe.concurrent('fleet', () => {
  it('reads standard input without an argument, and ends as status does', async ({ expect, onTestFinished }) => {
    const done = await ask(onTestFinished, [], line(statusDocument('cam-1')));
    expect(done).toEqual({ output: expect.stringMatching(/^fleet: 1 camera\n {2}done {2}1\n/), errors: '', status: 0 });
    const degraded = line(failedDocument('cam-2', {}, { status: 'degraded' }));
    expect((await ask(onTestFinished, ['-'], degraded)).status).toBe(2);
    expect(
      (await ask(onTestFinished, ['--format', 'json', '-'], degraded + line(failedDocument('cam-3')))).status,
    ).toBe(1);
    expect((await ask(onTestFinished, [])).status).toBe(1);
  });

  it('counts folders without permission, and reads the others', async ({ expect, onTestFinished }) => {
    const folder = await makeFolder(onTestFinished);
    for (const name of ['closed', 'device']) await mkdir(join(folder, name, 'provision-state'), { recursive: true });
    await writeFile(join(folder, 'cam.json'), line(statusDocument('cam-1')));
    await writeFile(join(folder, 'secret.json'), line(statusDocument('cam-2')));
    // A copy that this user can't write: the camera itself can.
    await mkdir(join(folder, 'read-only'));
    await writeFile(join(folder, 'read-only', 'provision.txt'), '');
    await giveToUnprivileged(folder);
    await chmod(join(folder, 'read-only'), 0o555);
    for (const name of ['closed', 'device/provision-state', 'secret.json']) await chmod(join(folder, name), 0);
    onTestFinished(() => chmod(join(folder, 'closed'), 0o700));
    onTestFinished(() => chmod(join(folder, 'device/provision-state'), 0o700));
    const { output, status } = await ask(onTestFinished, [folder]);
    expect(status).toBe(1);
    expect(output).toMatch(/^fleet: 2 cameras\n {2}not started {2}1\n {2}done {9}1\n/);
    expect(output).toMatch(
      /^not counted, unreadable: 3\n.*closed: no permission\n.*device:\s+no permission to read .*\n.*secret\.json: no permission\n/m,
    );
  });

  it('writes a page or a document, and replaces only an earlier one', async ({ expect, onTestFinished }) => {
    const folder = await makeFolder(onTestFinished);
    await writeFile(join(folder, 'provision.json'), '{\n  "provisioning": {}\n}\n');
    await giveToUnprivileged(folder);
    const input = line(statusDocument('cam-1'));
    for (const format of ['html', 'json']) {
      const out = join(folder, `fleet.${format}`);
      const made = await ask(onTestFinished, ['--format', format, '--out', out], input);
      expect(made).toEqual({ output: `${out}\n`, errors: '', status: 0 });
      if (format === 'html')
        expect((await ask(onTestFinished, ['--format', format, '--out', out], input)).status).toBe(0);
      expect(await readFile(out, 'utf8')).toContain('cam-1');
      const refused = await ask(onTestFinished, ['--format', format, '--out', join(folder, 'provision.json')], input);
      expect(refused).toMatchObject({ status: 64, errors: expect.stringContaining('it was not overwritten') });
    }
  });

  it('ends quietly when nobody reads its output', async ({ expect, onTestFinished }) => {
    const child = start(onTestFinished, ['--format', 'json']);
    child.stdout?.destroy();
    child.stdin?.end(Array.from({ length: 500 }, (_none, index) => line(statusDocument(`cam-${index}`))).join(''));
    const { stderr } = child;
    if (stderr === null) throw new Error('no pipe');
    const [errors, [status, signal]] = await Promise.all([text(stderr), once(child, 'exit')]);
    expect({ errors, status, signal }).toEqual({ errors: '', status: 0, signal: null });
  });

  it('keeps no document in memory: 20 MB of documents need a small heap', async ({ expect, onTestFinished }) => {
    const documents = Array.from({ length: 2000 }, (_none, index) =>
      line(statusDocument(`cam-${index}`, { warnings: ['w'.repeat(10_000)] })),
    );
    const { status, output, errors } = await ask(onTestFinished, [], documents.join(''), ['--max-old-space-size=24']);
    expect({ status, errors }).toEqual({ status: 0, errors: '' });
    expect(output).toMatch(/^fleet: 2000 cameras\n/);
  });
});
