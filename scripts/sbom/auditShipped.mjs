// Asks npm's registry for known vulnerabilities of exactly the shipped libraries: npm run audit:shipped [-- SBOM...].
// `npm audit` in the project would name all packages of the lock file: most of them are tools.
// Ends with 0: none known, 1: some known, 69: the registry gave no answer, so nothing is known.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shippedBills } from './bills.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const LIMIT_MS = 120_000;
const UNAVAILABLE = 69;

/** package.json and package-lock.json of a project that has exactly these packages. A name can be there twice. */
function projectOf(packages) {
  const project = { name: 'shipped-libraries', version: '0.0.0', private: true, dependencies: {} };
  const locked = {};
  for (const [index, { name, version }] of packages.entries()) {
    project.dependencies[`library-${index}`] = `npm:${name}@${version}`;
    locked[`node_modules/library-${index}`] = { name, version };
  }
  const lock = { ...project, lockfileVersion: 3, requires: true, packages: { '': project, ...locked } };
  return { 'package.json': project, 'package-lock.json': lock };
}

/** npm's report, or why there is none. */
function audit(packages) {
  const folder = mkdtempSync(join(tmpdir(), 'thermal-audit-'));
  try {
    for (const [name, content] of Object.entries(projectOf(packages))) {
      writeFileSync(join(folder, name), JSON.stringify(content));
    }
    const args = ['audit', '--json', '--package-lock-only'];
    const { stdout, error } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8', timeout: LIMIT_MS });
    if (error !== undefined) return { why: error.message };
    const report = JSON.parse(stdout);
    return report.auditReportVersion === undefined ? { why: report.message ?? report.error?.summary } : { report };
  } catch (error) {
    return { why: `npm audit printed no JSON: ${error.message}` };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const components = Object.values(await shippedBills(root, process.argv.slice(2))).flatMap(
  (bill) => JSON.parse(bill).components,
);
const ofNpm = components.filter(({ purl }) => purl.startsWith('pkg:npm/'));
const packages = [
  ...new Map(
    ofNpm.map(({ group, name, version, purl }) => [purl, { name: group ? `${group}/${name}` : name, version }]),
  ).values(),
];
for (const { name, version } of components.filter((one) => !ofNpm.includes(one))) {
  console.error(`Not checked, because npm does not know its vulnerabilities: ${name} ${version}`);
}
const { report, why } = audit(packages);
if (report === undefined) {
  console.error(`Could not check the ${packages.length} shipped libraries: ${why ?? 'npm gave no reason'}.`);
  console.error('Try again where the registry of npm answers to "npm audit".');
  process.exitCode = UNAVAILABLE;
} else {
  for (const { name, severity, via, nodes } of Object.values(report.vulnerabilities)) {
    const versions = nodes.map((node) => packages[Number(node.split('-').at(-1))].version).join(', ');
    const advisories = via.map(({ title, url }) => `${title} (${url})`).join('; ');
    console.error(`${name} ${versions}: ${severity}: ${advisories}`);
    process.exitCode = 1;
  }
  if (process.exitCode === undefined)
    console.log(`No known vulnerability in the ${packages.length} shipped libraries.`);
}
