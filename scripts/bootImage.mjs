// Debian in a folder, for tests. mmdebstrap builds it; the system's temporary folder keeps it for a week.
//   node scripts/bootImage.mjs [IMAGE]   prints the folder; use it only as the lower layer of an overlay, never write to it
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BOOTS = ['systemd', 'systemd-sysv', 'dbus', 'libnss-systemd', 'ca-certificates'];
/** For chroot alone, with the programs of another processor. One index is enough, which emulated programs check. */
const emulated = (arch) => ({
  suite: 'trixie',
  packages: ['nodejs', 'systemd-standalone-sysusers'],
  options: [`--arch=${arch}`, `--setup-hook=sed -i -E '/trixie-(updates|security)/d' "$1/etc/apt/sources.list"`],
});
const IMAGES = {
  'debian-13': { suite: 'trixie', packages: [...BOOTS, 'nodejs'], options: [] },
  // Its Node is too old for the agent. xz unpacks the archive.
  'debian-12': { suite: 'bookworm', packages: [...BOOTS, 'xz-utils'], options: [] },
  arm64: emulated('arm64'),
  armhf: emulated('armhf'),
};
/** Files that no test needs; unpacking them would take a third of the time. */
const LEFT_OUT = ['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/locale/*', '/usr/share/info/*'];
/** Emulation makes it slow. */
const BUILD_LIMIT_MS = 30 * 60 * 1000;
const KEPT_MS = 7 * 24 * 3600 * 1000;

const recipe = ({ packages, options }) => [
  '--variant=minbase',
  `--include=${packages.join(',')}`,
  '--aptopt=Acquire::Languages "none"',
  '--aptopt=Acquire::Retries "3"',
  ...LEFT_OUT.map((path) => `--dpkgopt=path-exclude=${path}`),
  ...options,
];

/** All parent folders of the container's root must be owned by root, and other users must be able to enter them. */
function build(folder, image) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode: 0o755 });
  const root = join(folder, 'root');
  try {
    execFileSync('mmdebstrap', ['--quiet', ...recipe(image), image.suite, root], {
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
 * @param name a key of `IMAGES`
 * @returns the image's root folder
 * @throws when it can't be built in time
 */
export function bootImage(name = 'debian-13') {
  const image = IMAGES[name];
  const digest = createHash('sha256')
    .update(JSON.stringify(recipe(image)))
    .digest('hex')
    .slice(0, 12);
  const folder = join(tmpdir(), `thermal-boot-image-${name}-${digest}`);
  if (existsSync(folder)) {
    if (Date.now() - statSync(folder).mtimeMs < KEPT_MS) return join(folder, 'root');
    rmSync(folder, { recursive: true, force: true });
  }
  const own = `${folder}.${process.pid}`;
  build(own, image);
  try {
    renameSync(own, folder);
  } catch (error) {
    // Another process has built the same image in the meantime.
    rmSync(own, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return join(folder, 'root');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(bootImage(process.argv[2]));
