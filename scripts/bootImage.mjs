// Debian 13 in a folder, for the boot test. mmdebstrap builds it; the system's temporary folder keeps it for a week.
//   node scripts/bootImage.mjs   prints the folder; use it only as the lower layer of an overlay, never write to it
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SUITE = 'trixie';
const PACKAGES = ['systemd', 'systemd-sysv', 'dbus', 'nodejs', 'libnss-systemd', 'ca-certificates'];
/** Files that no test needs; unpacking them would take a third of the time. */
const LEFT_OUT = ['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/locale/*', '/usr/share/info/*'];
const BUILD_LIMIT_MS = 5 * 60 * 1000;
const KEPT_MS = 7 * 24 * 3600 * 1000;

const recipe = [
  '--variant=minbase',
  `--include=${PACKAGES.join(',')}`,
  '--aptopt=Acquire::Languages "none"',
  '--aptopt=Acquire::Retries "3"',
  ...LEFT_OUT.map((path) => `--dpkgopt=path-exclude=${path}`),
];

/** All parent folders of the container's root must be owned by root, and other users must be able to enter them. */
function build(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode: 0o755 });
  const root = join(folder, 'root');
  try {
    execFileSync('mmdebstrap', ['--quiet', ...recipe, SUITE, root], {
      stdio: ['ignore', 'inherit', 'inherit'],
      timeout: BUILD_LIMIT_MS,
    });
    // Each board gets its own machine-id. Without this file systemd would apply presets, as at a first boot.
    writeFileSync(join(root, 'etc/machine-id'), '');
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/**
 * @returns the image's root folder
 * @throws when it can't be built within five minutes
 */
export function bootImage() {
  const digest = createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 12);
  const folder = join(tmpdir(), `thermal-boot-image-${SUITE}-${digest}`);
  if (existsSync(folder)) {
    if (Date.now() - statSync(folder).mtimeMs < KEPT_MS) return join(folder, 'root');
    rmSync(folder, { recursive: true, force: true });
  }
  const own = `${folder}.${process.pid}`;
  build(own);
  try {
    renameSync(own, folder);
  } catch (error) {
    // Another process has built the same image in the meantime.
    rmSync(own, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return join(folder, 'root');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(bootImage());
