/**
 * Vitest's set-up file: what the bundle puts in the place of libraries (scripts/bundleParts.mjs) is what the unbundled
 * tests get, too.
 */
import Module, { createRequire } from 'node:module';
import stream from 'node:stream';

const require = createRequire(import.meta.url);

/** @param users packages that load the module, each maybe a copy of its own */
function replace(module: string, exports: unknown, users: readonly string[]): void {
  for (const user of users) {
    const path = createRequire(require.resolve(user)).resolve(module);
    const replacement = new Module(path);
    replacement.exports = exports;
    replacement.loaded = true;
    require.cache[path] = replacement;
  }
}

replace('readable-stream', stream, ['mqtt', 'winston', 'aedes', 'bl']);
replace('readable-stream/lib/_stream_writable.js', stream.Writable, ['winston-transport']);
replace('worker-timers', { clearInterval, setInterval }, ['mqtt']);
