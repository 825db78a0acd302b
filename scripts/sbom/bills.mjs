// The bills of materials (SBOM) of what is shipped: made from the bundles, or read from files.
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { billOfMaterials } from './billOfMaterials.mjs';

const BUILD_LIMIT_MS = 120_000;
/** The package, and the options of its build. The standalone packages contain the bundle of the Debian package. */
const BUNDLES = { npm: [], deb: ['--device'] };

/** Builds each bundle into a folder that is removed again. @returns name of its file → SBOM */
async function billsOfBundles(root) {
  const { version } = JSON.parse(await readFile(`${root}package.json`, 'utf8'));
  const folder = await mkdtemp(join(tmpdir(), 'thermal-sbom-'));
  try {
    const bills = {};
    for (const [name, options] of Object.entries(BUNDLES)) {
      const list = join(folder, `${name}.json`);
      const args = ['scripts/build.mjs', ...options, '--outdir', join(folder, name), '--metafile', list];
      const stdio = ['ignore', 'pipe', 'inherit'];
      execFileSync(process.execPath, args, { cwd: root, timeout: BUILD_LIMIT_MS, stdio });
      const metafile = JSON.parse(await readFile(list, 'utf8'));
      bills[`thermal-provision-${version}-${name}.cdx.json`] = await billOfMaterials(root, metafile);
    }
    return bills;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * @param root the project's folder
 * @param paths files with an SBOM; if there are none, those of all bundles are made
 * @returns path, or name of the file → SBOM, JSON
 */
export async function shippedBills(root, paths) {
  if (paths.length === 0) return billsOfBundles(root);
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await readFile(path, 'utf8')])));
}
