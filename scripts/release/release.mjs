// Makes the files of a release in dist-release/: packages, their SBOM, SHA256SUMS. Publishes nothing.
// npm run release [-- [--check] [PACKAGE...]]
// With --check they are made twice in temporary folders, compared, and removed.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makePackage, PACKAGE_NAMES, textIn } from './packages.mjs';
import { problemsOfPackage, problemsOfSources } from './problems.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const FOLDER = `${root}dist-release`;
const SUMS = 'SHA256SUMS';
/** A build of --check in which this differs must give the same bytes. */
const OTHER_MACHINE = { umask: 0o077, env: { TZ: 'Asia/Tokyo', LC_ALL: 'C' } };
const USAGE = 64;

const problems = [];
const sha256 = (content) => createHash('sha256').update(content).digest('hex');

/**
 * Makes the packages, each with its SBOM beside it, into a folder.
 * @returns name of the file → its SHA-256, sorted by name
 */
async function makeFiles(names, version, folder, { umask = 0o022, env = {} } = {}) {
  process.umask(umask);
  const sums = {};
  for (const name of names) {
    const made = join(folder, name);
    const file = await makePackage(root, name, made, env);
    const path = join(folder, file);
    await rename(join(made, file), path);
    await rm(made, { recursive: true });
    const bill = textIn(path, 'sbom.cdx.json');
    await writeFile(`${path}.cdx.json`, bill);
    problems.push(...(await problemsOfPackage(path, bill, version)).map((problem) => `${file}: ${problem}`));
    sums[file] = sha256(await readFile(path));
    sums[`${file}.cdx.json`] = sha256(bill);
  }
  const sorted = Object.entries(sums).sort(([a], [b]) => (a < b ? -1 : 1));
  await writeFile(join(folder, SUMS), sorted.map(([file, sum]) => `${sum}  ${file}\n`).join(''));
  return sorted;
}

/** Makes all files twice, as on two machines. The usual build comes last, because it leaves dist/ behind. */
async function compareTwoBuilds(names, version) {
  const folder = await mkdtemp(join(tmpdir(), 'thermal-release-'));
  try {
    const other = new Map(await makeFiles(names, version, join(folder, 'other'), OTHER_MACHINE));
    const usual = await makeFiles(names, version, join(folder, 'usual'));
    const changed = usual.filter(([file, sum]) => other.get(file) !== sum);
    problems.push(...changed.map(([file]) => `${file}: a second build has other bytes`));
    return usual;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Uncommitted changes: nobody could make the same files again. Without git nothing can be said. */
function uncommitted() {
  try {
    return execFileSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' }).trim();
  } catch {
    return '';
  }
}

const { values, positionals } = parseArgs({
  options: { check: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => !PACKAGE_NAMES.includes(name));
if (unknown.length > 0) {
  console.error(`There is no package ${unknown.join(', ')}. The packages are: ${PACKAGE_NAMES.join(', ')}.`);
  process.exit(USAGE);
}
const names = positionals.length > 0 ? positionals : PACKAGE_NAMES;

const { version, problems: disagreements } = await problemsOfSources(root);
problems.push(...disagreements);
if (!values.check && uncommitted() !== '') problems.push('There are changes that are not committed: commit them first');

let files = [];
if (values.check) {
  files = await compareTwoBuilds(names, version);
} else if (problems.length === 0) {
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER);
  files = await makeFiles(names, version, FOLDER);
}
for (const [file, sum] of files) console.log(`${sum}  ${file}`);
for (const problem of problems) console.error(`Not releasable: ${problem}.`);
if (problems.length > 0) process.exitCode = 1;
else if (values.check)
  console.log(`${version} can be released: the versions agree, and a second build has the same bytes.`);
else console.log(`The files of ${version} are in dist-release/.`);
