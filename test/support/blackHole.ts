import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { onTestFinished } from 'vitest';
import { wait } from '../simulator/mqttClients.ts';
import type { AtEnd } from './atEnd.ts';

const LISTENER = `
  const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    process.stdout.write(String(server.address().port));
  });`;

/**
 * A port whose listener never accepts and whose queue is full: the kernel drops every further SYN, as a firewall does.
 * The listener ends with the test.
 */
export async function startBlackHole(atEnd: AtEnd = onTestFinished): Promise<number> {
  const listener = spawn(process.execPath, ['-e', LISTENER], { stdio: ['ignore', 'pipe', 'inherit'] });
  atEnd(() => void listener.kill('SIGKILL'));
  const [port] = await once(listener.stdout, 'data');
  listener.kill('SIGSTOP');
  // The process may still accept connections until SIGSTOP takes effect: open more than the queue holds.
  for (let i = 0; i < 16; i += 1) {
    const filler = connect({ port: Number(port), host: '127.0.0.1' });
    filler.on('error', () => {});
    atEnd(() => void filler.destroy());
  }
  await wait(50);
  return Number(port);
}
