// Debian 13 in a folder, for the boot test: built once with mmdebstrap, kept in the system's temporary folder for a week.
//   node scripts/bootImage.mjs   prints the folder; use it as the lower layer of an overlay, never write to it
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SUITE = 'trixie';
const PACKAGES = ['systemd', 'systemd-sysv', 'dbus', 'nodejs', 'libnss-systemd', 'ca-certificates'];
/** What nobody reads in a test would take a third of the time to unpack. */
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

/** The container's root must belong to root all the way up, and other users must be able to enter it. */
function build(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode: 0o755 });
  const root = join(folder, 'root');
  try {
    execFileSync('mmdebstrap', ['--quiet', ...recipe, SUITE, root], {
      stdio: ['ignore', 'inherit', 'inherit'],
      timeout: BUILD_LIMIT_MS,
    });
    // Each board that boots from it gets a machine-id of its own; a missing file would mean a first boot with presets.
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
    // Somebody else was quicker: theirs is as good.
    rmSync(own, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return join(folder, 'root');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(bootImage());
