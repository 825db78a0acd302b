import { getEventListeners } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { deviceNameFor } from '../../src/device/deviceName.ts';
import { nameFromCommand } from '../../src/device/nameCommand.ts';
import { failureOf, put, scratchFolder } from '../config/scratch.ts';
import { isRoot } from '../support/unprivileged.ts';
import { until } from '../support/until.ts';

describe('a name from a program', () => {
  async function program(script: string, mode = 0o755): Promise<string> {
    return put(join(await scratchFolder(), 'name'), `#!/bin/sh\n${script}\n`, mode);
  }
  const named = (command: string, options: Parameters<typeof deviceNameFor>[1] = {}) =>
    deviceNameFor({ source: 'command', prefix: 'cam', command }, options);

  it('is the line that it prints, with hyphens for other characters', async () => {
    expect(await named(await program('echo "Hall 7/B"; echo noise >&2'))).toBe('cam-Hall-7-B');
  });

  it('runs without a shell, arguments, key and secret, and as the given user', async () => {
    vi.stubEnv('THERMAL_DEVICE_SECRET', 'hidden');
    onTestFinished(() => void vi.unstubAllEnvs());
    const command = await program('echo "$# $(printenv THERMAL_DEVICE_SECRET || echo none) $(id -u)"');
    const owner = isRoot ? { uid: 65_534, gid: 65_534 } : undefined;
    expect(await named(command, { owner })).toBe(`cam-0-none-${isRoot ? 65_534 : process.geteuid?.()}`);
  });

  it('gets the variable of a proxy, unless it holds a login', async () => {
    vi.stubEnv('https_proxy', 'http://user:hidden-word@proxy:1');
    vi.stubEnv('ALL_PROXY', 'http://proxy:1');
    onTestFinished(() => void vi.unstubAllEnvs());
    const command = await program('echo "$(printenv https_proxy || echo none) $ALL_PROXY"');
    expect(await named(command)).toBe('cam-none-http-proxy-1');
  });

  it('has between 1 and 1024 bytes with the end of its line', async () => {
    const printing = (letters: number) => program(`printf '%0${letters}d\\n' 0`);
    expect(await nameFromCommand(await printing(1023))).toHaveLength(1023);
    expect((await failureOf(async () => nameFromCommand(await program('true')))).message).toContain('exactly one line');
    const command = await printing(1024);
    expect((await failureOf(() => nameFromCommand(command))).message).toContain('exactly one line');
  });

  it.each([
    ['fails', 'echo a; echo broken >&2; exit 3', 'ended with status 3: broken'],
    ['prints a carriage return between two lines', "printf 'a\\rb'", 'exactly one line'],
    ['prints nothing', 'true', 'exactly one line'],
    ['prints two lines', 'echo a; echo b', 'exactly one line'],
    ['prints only characters that a name may not have', 'echo ...', 'exactly one line'],
    ['never stops printing', 'exec yes', 'exactly one line'],
  ])('is refused when the program %s', async (_what, script, message) => {
    const command = await program(script);
    const failure = await failureOf(() => named(command));
    expect([failure.code, failure.message]).toEqual(['PROVISION_JSON_INVALID', expect.stringContaining(message)]);
    expect(failure.message).toContain(command);
  });

  it('says no more than the status of a program that says nothing itself', async () => {
    const command = await program('exit 3');
    expect((await failureOf(() => named(command))).message).toMatch(/ended with status 3$/);
  });

  it.each([
    ['is absent', async () => '/nowhere/name', 'ENOENT'],
    ['may not be run', () => program('echo a', 0o644), 'EACCES'],
  ])('is refused when the program %s', async (_what, make, message) => {
    const command = await make();
    expect((await failureOf(() => named(command))).message).toContain(message);
  });

  it('is refused when the program takes too long, and its child processes end', async () => {
    const command = await program('sleep 60 & echo $! > "$0.pid"; wait');
    const failure = await failureOf(() => nameFromCommand(command, { timeoutMs: 100 }));
    expect(failure.message).toContain('has not ended after 0.1 s');
    const pid = Number(await readFile(`${command}.pid`, 'utf8'));
    await until(() => !existsSync(`/proc/${pid}`));
  });

  it('ends with the run', async () => {
    const command = await program('exec sleep 60');
    const stop = new AbortController();
    const name = named(command, { signal: stop.signal });
    stop.abort(new Error('stopped'));
    await expect(name).rejects.toThrow('stopped');
    expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
  });

  it('is not begun by a run that has ended', async () => {
    const command = await program('touch "$0.ran"; echo a');
    const signal = AbortSignal.abort(new Error('stopped'));
    await expect(nameFromCommand(command, { signal })).rejects.toThrow('stopped');
    expect(existsSync(`${command}.ran`)).toBe(false);
  });
});
