// What prevents a release: versions that disagree, in the sources and in the packages.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { debianChangelog } from '../deb/changelog.mjs';
import { problemsOf } from '../sbom/checkBill.mjs';
import { textIn } from './packages.mjs';

/** Files of the packages with their version, in commands of docs/install.md. */
const PACKAGE_FILE = /thermal-provision(?:-standalone)?[-_](\d+\.\d+\.\d+)[-_.](?:\w+\.)?(?:deb|tgz|tar)/g;

/**
 * @param root the project's folder
 * @returns the version of package.json, and what does not agree with it or is not decided, a line each
 */
export async function problemsOfSources(root) {
  const read = (name) => readFile(join(root, name), 'utf8');
  const { version } = JSON.parse(await read('package.json'));
  const lock = JSON.parse(await read('package-lock.json'));
  const sections = (await read('CHANGELOG.md')).split(/^## /m);
  const unreleased = sections.find((section) => section.startsWith('[Unreleased]')) ?? '';
  const named = {
    'package-lock.json': [lock.version, lock.packages[''].version],
    'CHANGELOG.md': [(await debianChangelog(root)).version],
    'docs/install.md': [...(await read('docs/install.md')).matchAll(PACKAGE_FILE)].map(([, one]) => one),
  };
  const problems = Object.entries(named).flatMap(([file, versions]) =>
    [...new Set(versions)]
      .filter((one) => one !== version)
      .map((one) => `${file} has version ${one}, but package.json has ${version}`),
  );
  if (/^- /m.test(unreleased)) problems.push('CHANGELOG.md has entries under "Unreleased": give them a version');
  return { version, problems };
}

/**
 * @param file the path of a package
 * @param bill the SBOM in it
 * @param version the version that it must have
 * @returns what is wrong with it, a line each
 */
export async function problemsOfPackage(file, bill, version) {
  const problems = (await problemsOf(bill)).map((problem) => `its SBOM: ${problem}`);
  const { metadata } = JSON.parse(bill);
  if (metadata.component.version !== version) problems.push(`its SBOM has version ${metadata.component.version}`);
  if (file.endsWith('.deb')) {
    const [newest] = textIn(file, 'changelog.gz').split('\n');
    if (!newest.includes(`(${version})`)) problems.push(`its changelog begins with ${newest}`);
  }
  return problems;
}
