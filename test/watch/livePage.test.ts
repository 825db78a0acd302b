import { request } from 'node:http';
import { connect } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { createActor } from 'xstate';
import { telemetryMachine } from '../../machines/telemetry.machine.ts';
import { inspectOnPage } from '../../src/watch/livePage.ts';
import { get } from './pageRequest.ts';
import { watchedRun } from './watchedRun.ts';

/** Reads the events of a page until they end. */
function listen(url: string): { readonly text: () => string; readonly ended: Promise<void> } {
  let text = '';
  const ended = new Promise<void>((resolve, reject) => {
    const asked = request(`${url}events`, (response) => {
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString('utf8');
      });
      response.on('end', resolve);
      response.on('error', () => resolve());
    });
    asked.on('error', reject);
    asked.end();
  });
  return { text: () => text, ended };
}

async function openPage() {
  const inspector = await inspectOnPage('1.2.3');
  onTestFinished(() => inspector.close());
  return inspector;
}

it('shows a run live until its end', async () => {
  const inspector = await openPage();
  const before = await get(inspector.url);
  expect(before.status).toBe(200);
  expect(before.body).toContain('Waiting for the first actor');
  const reader = listen(inspector.url);
  await expect.poll(reader.text).toContain('data:');
  const { run } = await watchedRun(inspector);
  expect(run.outcome).toBe('provisioned');
  await reader.ended;
  const messages = reader.text().split('\n\n');
  expect(messages.some((message) => message.startsWith('event: end'))).toBe(true);
  const last: unknown = JSON.parse(messages.findLast((message) => message.startsWith('data:'))?.slice(6) ?? '""');
  expect(last).toContain('The chart of provision is in provisioned.');
  expect(last).toContain('id="provision-state-provisioned" class="state final" data-mark="done"');
  expect(last).toContain('xstate.done.actor.request');
  expect(last).toContain(run.deviceName);
});

it('shows several actors', async () => {
  const inspector = await openPage();
  await watchedRun({ ...inspector, close: async () => {} });
  const telemetry = createActor(telemetryMachine, { input: { spread: 1 }, inspect: inspector.observe });
  telemetry.start();
  onTestFinished(() => void telemetry.stop());
  await expect.poll(async () => (await get(inspector.url)).body).toContain('The chart of telemetry is in');
  expect((await get(inspector.url)).body).toContain('The chart of provision is in provisioned.');
});

it('loads nothing from elsewhere', async () => {
  const { url } = await openPage();
  const { headers, body } = await get(url);
  const policy = String(headers['content-security-policy']);
  expect(policy).toMatch(
    /^default-src 'none'; script-src 'sha256-[^ ]+'; style-src 'sha256-[^ ]+'; connect-src 'self'/,
  );
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toContain('unsafe');
  expect(body).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
});

it('does not delay a run when a reader stalls or disconnects', async () => {
  const inspector = await openPage();
  const { port, pathname } = new URL(inspector.url);
  const stalled = connect(Number(port), '127.0.0.1');
  const gone = connect(Number(port), '127.0.0.1');
  for (const socket of [stalled, gone]) {
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {});
    socket.write(`GET ${pathname}events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  }
  await new Promise((resolve) => gone.once('data', resolve));
  stalled.pause();
  const { run, runMs, closeMs } = await watchedRun(inspector, () => gone.destroy());
  expect(run.outcome).toBe('provisioned');
  expect(runMs).toBeLessThan(5000);
  expect(closeMs).toBeLessThan(2000);
});
