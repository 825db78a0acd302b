import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openUnblocked } from '../../src/files/unblockedOutput.ts';

async function makeFifo(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'thermal-unblocked-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'fifo');
  execFileSync('mkfifo', [path]);
  return path;
}

it('writes as much as the reader can take, and never waits', async () => {
  const path = await makeFifo();
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const output = openUnblocked(path);
  if (output === undefined) throw new Error('not opened');
  const block = Buffer.alloc(65_536, 'x');
  let taken = 0;
  for (let last = -1; last !== 0; taken += last) last = output.write(block);
  expect(taken).toBeGreaterThan(0);
  expect(output.write(block)).toBe(0);
  const read = readSync(reader, Buffer.alloc(65_536));
  expect(output.write(block)).toBe(read);
  closeSync(reader);
  expect(() => output.write(block)).toThrow('EPIPE');
  output.close();
});

it('does not open an output without a reader', async () => {
  expect(openUnblocked(await makeFifo())).toBe(undefined);
  expect(openUnblocked('/nowhere/at/all')).toBe(undefined);
});
