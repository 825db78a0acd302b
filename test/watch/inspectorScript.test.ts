import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { get } from './pageRequest.ts';

const SCRIPT = join(import.meta.dirname, '../../scripts/inspector.mjs');

/** Starts `npm run inspector` on a free port. @returns the printed address */
async function startInspector(): Promise<URL> {
  const child = spawn(process.execPath, [SCRIPT, '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill());
  const [printed] = await once(child.stdout, 'data');
  const [url] = /http:\S+/.exec(String(printed)) ?? [];
  return new URL(url ?? '');
}

function open(url: URL, path: string, origin?: string) {
  const socket = new WebSocket(`ws://${url.host}${path}`, origin === undefined ? {} : { origin });
  onTestFinished(() => socket.terminate());
  const received: string[] = [];
  socket.on('message', (data) => received.push(String(data)));
  const outcome = new Promise<string>((resolve) => {
    socket.once('open', () => resolve('open'));
    socket.once('error', () => resolve('refused'));
  });
  return { socket, received, outcome };
}

it('shows events of agents only to readers who know the printed address', async () => {
  const url = await startInspector();
  expect((await get(url.href)).body).toContain('stately.ai');
  for (const path of ['/', '/AAAAAAAAAAAAAAAAAAAAAAAA']) {
    expect(await get(new URL(path, url).href), path).toMatchObject({ status: 403 });
  }
  const agent = open(url, '/');
  const watching = open(url, url.pathname);
  const withoutToken = open(url, '/');
  expect(await Promise.all([agent, watching, withoutToken].map(({ outcome }) => outcome))).toEqual([
    'open',
    'open',
    'open',
  ]);
  agent.socket.send('{"type":"first"}');
  await expect.poll(() => watching.received).toEqual(['{"type":"first"}']);
  const late = open(url, url.pathname, url.origin);
  await expect.poll(() => late.received).toEqual(['{"type":"first"}']);
  expect(await open(url, '/AAAAAAAAAAAAAAAAAAAAAAAA').outcome).toBe('refused');
  expect(await open(url, url.pathname, 'http://evil.example').outcome).toBe('refused');
  // An answer to a ping comes after everything that was sent before it.
  withoutToken.socket.ping();
  await once(withoutToken.socket, 'pong');
  expect(withoutToken.received).toEqual([]);
});
