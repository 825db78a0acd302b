import { stat } from 'node:fs/promises';
import { formatDistanceStrict } from 'date-fns/formatDistanceStrict';
import type { DevicePaths } from '../device/paths.ts';
import { type Checked, passed, warning } from './check.ts';

const EARLIEST = Date.UTC(2024, 0, 1);
const LATEST = Date.UTC(2040, 0, 1);
/** File systems round times, and a time server makes small corrections. */
const TOLERANCE_MS = 60_000;
const HINT = 'Check date and NTP (timedatectl). With a wrong clock, TLS certificates are refused.';

/** Checks that the clock is plausible: boards without a battery start in the past. @param now ms since the epoch */
export async function checkClock(paths: DevicePaths, now: number): Promise<Checked<never>> {
  const time = new Date(now).toISOString();
  if (now < EARLIEST) return { findings: [warning(`the clock shows ${time}; it was never set`, HINT)] };
  if (now > LATEST) return { findings: [warning(`the clock shows ${time}; it is far ahead`, HINT)] };
  const newest = await newestFile(paths);
  if (newest !== undefined && newest.time > now + TOLERANCE_MS) {
    const distance = formatDistanceStrict(newest.time, now);
    return { findings: [warning(`the clock shows ${time}, but ${newest.path} is ${distance} newer`, HINT)] };
  }
  return { findings: [passed(`the clock shows ${time}`)] };
}

async function newestFile(paths: DevicePaths): Promise<{ readonly path: string; readonly time: number } | undefined> {
  const files = await Promise.all(
    Object.values(paths).map((path: string) =>
      stat(path).then(
        ({ mtimeMs }) => ({ path, time: mtimeMs }),
        () => undefined,
      ),
    ),
  );
  return files.filter((file) => file !== undefined).sort((a, b) => b.time - a.time)[0];
}
