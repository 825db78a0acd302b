/**
 * Preloaded into the agent under test (node --import). It acts at an exact file-system call, like another program, a
 * signal or a failing disk. The calls themselves stay real.
 */
import crypto from 'node:crypto';
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import type { Act, Intrusion } from './intrusion.ts';

const intrusions: readonly Intrusion[] = JSON.parse(process.env.INTRUSIONS ?? '[]');
const seen = new Map<Intrusion, number>();

/** The event loop delivers signals: the call must last until the signal is delivered. */
const SIGNAL_DELIVERY_MS = 60;

async function perform(act: Act): Promise<void> {
  switch (act.do) {
    case 'signal':
      process.kill(process.pid, act.signal);
      await new Promise((resolve) => setTimeout(resolve, SIGNAL_DELIVERY_MS));
      return;
    case 'write':
      writeFileSync(act.path, act.text);
      return;
    case 'append':
      appendFileSync(act.path, act.text);
      return;
    case 'remove':
      rmSync(act.path);
      return;
    case 'fail':
      throw Object.assign(new Error(`${act.errno}: injected by the test`), { code: act.errno });
  }
}

/** The intrusions for this call. */
function striking(call: Intrusion['call'], paths: readonly unknown[]): readonly Intrusion[] {
  return intrusions.filter((intrusion) => {
    const fits = paths.some((path) => typeof path === 'string' && path.endsWith(intrusion.path));
    if (intrusion.call !== call || !fits) return false;
    const count = (seen.get(intrusion) ?? 0) + 1;
    seen.set(intrusion, count);
    return intrusion.lasting === true ? count >= (intrusion.nth ?? 1) : count === (intrusion.nth ?? 1);
  });
}

async function around<T>(call: Intrusion['call'], paths: readonly unknown[], work: () => Promise<T>): Promise<T> {
  const now = striking(call, paths);
  for (const { act, after } of now) if (after !== true) await perform(act);
  const result = await work();
  for (const { act, after } of now) if (after === true) await perform(act);
  return result;
}

/** Wraps fsync, which is a method of the handle that `open` returns. */
function watchSync(handle: unknown, path: unknown): void {
  if (typeof handle !== 'object' || handle === null) return;
  const sync: unknown = Reflect.get(handle, 'sync');
  if (typeof sync !== 'function') return;
  Reflect.set(handle, 'sync', () => around('sync', [path], async () => Reflect.apply(sync, handle, [])));
}

for (const call of ['open', 'rename', 'unlink', 'stat', 'lstat', 'readdir', 'statfs'] as const) {
  const original: unknown = Reflect.get(promises, call);
  if (typeof original !== 'function') throw new Error(`node:fs/promises has no ${call}`);
  Reflect.set(promises, call, (...args: readonly unknown[]) =>
    around(call, args, async () => {
      const result: unknown = await Reflect.apply(original, promises, args);
      if (call === 'open') watchSync(result, args[0]);
      return result;
    }),
  );
}
if (process.env.BROKEN_RANDOM === '1') {
  Reflect.set(crypto, 'randomInt', () => {
    throw new TypeError('the random source is broken');
  });
}
syncBuiltinESMExports();
