// Chromium from Debian's package. Root installs it if it is missing.
import { existsSync } from 'node:fs';
import { aptInstall } from './aptInstall.mjs';

const NAMES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

const find = () => [process.env.CHROMIUM, ...NAMES].find((path) => path !== undefined && existsSync(path));

/** The path of Chromium, or the problem: why there is none. */
export function findChromium() {
  const path = find();
  if (path !== undefined) return { path };
  const why = aptInstall('chromium', 'fonts-liberation');
  const installed = find();
  return installed === undefined ? { problem: why ?? 'its package contains none' } : { path: installed };
}
