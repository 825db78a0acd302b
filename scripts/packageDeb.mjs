// Builds the Debian package, reproducible and for all architectures: npm run package:deb [-- --outdir FOLDER]
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, copyFile, lutimes, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { debianChangelog } from './deb/changelog.mjs';
import { copyright } from './deb/copyright.mjs';
import { manPage } from './deb/manPage.mjs';
import { billOfMaterials } from './sbom/billOfMaterials.mjs';
import { librariesOf } from './sbom/libraries.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const NAME = 'thermal-provision';
const PROGRAM = `usr/share/${NAME}`;
const SERVER_SCRIPT = `${PROGRAM}/thingsboard/setup-profile.sh`;
const DOCS = `usr/share/doc/${NAME}`;
/** Pages for developers, and pictures of README.md. All other pages in docs/ are for operators. */
const DOCS_LEFT_OUT = ['library.md', 'certificate.md', 'releasing.md', 'pictures'];
const BUILD_LIMIT_MS = 120_000;

// --deb-version: the same program with another version, for tests of upgrades.
const { values } = parseArgs({
  options: { outdir: { type: 'string', default: `${root}dist-deb` }, 'deb-version': { type: 'string' } },
});

/** Runs a program with a time limit. @returns its standard output */
const run = (command, args, env = {}) =>
  execFileSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    timeout: BUILD_LIMIT_MS,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });

async function put(stage, path, content) {
  await mkdir(dirname(join(stage, path)), { recursive: true });
  await writeFile(join(stage, path), content);
}

async function copy(stage, from, to) {
  await mkdir(dirname(join(stage, to)), { recursive: true });
  await copyFile(join(root, from), join(stage, to));
}

const compressed = (text) => gzipSync(text, { level: 9 });

/** Adds the device's program. @returns esbuild's metafile of it */
async function addProgram(stage, version) {
  const folder = join(stage, PROGRAM);
  const list = join(stage, 'metafile.json');
  run(process.execPath, ['scripts/build.mjs', '--device', '--outdir', folder, '--metafile', list]);
  const metafile = JSON.parse(await readFile(list, 'utf8'));
  await rm(list);
  const main = await readFile(join(folder, 'main.js'), 'utf8');
  await writeFile(join(folder, 'main.js'), main.replace(/^#!.*/, '#!/usr/bin/node'));
  await writeFile(join(folder, 'package.json'), `${JSON.stringify({ name: NAME, version, type: 'module' })}\n`);
  await mkdir(join(stage, 'usr/bin'), { recursive: true });
  await symlink(`../share/${NAME}/main.js`, join(stage, 'usr/bin', NAME));
  return metafile;
}

async function addUnits(stage) {
  for (const entry of await readdir(`${root}packaging/systemd`, { withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const { name } = entry;
    const to = name.endsWith('.sysusers')
      ? `usr/lib/sysusers.d/${name.replace('.sysusers', '.conf')}`
      : `usr/lib/systemd/system/${name}`;
    await copy(stage, `packaging/systemd/${name}`, to);
  }
}

/** The script that prepares a server, with its parts. */
async function addServerScript(stage) {
  for (const name of await readdir(`${root}packaging/thingsboard`)) {
    await copy(stage, `packaging/thingsboard/${name}`, `${PROGRAM}/thingsboard/${name}`);
  }
}

/** What an operator copies and adapts. Not among the documents, which small images leave out. */
async function addExamples(stage) {
  for (const folder of ['systemd/examples', 'prometheus', 'grafana']) {
    for (const name of await readdir(`${root}packaging/${folder}`)) {
      await copy(stage, `packaging/${folder}/${name}`, `${PROGRAM}/examples/${name}`);
    }
  }
}

/** All entries below a folder, sorted, because the order of a file system is not reproducible. */
async function entriesBelow(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .map((entry) => ({ entry, path: join(entry.parentPath, entry.name) }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Sets reproducible modes and times, independent of umask and clock. */
async function settle(stage, seconds) {
  for (const { entry, path } of [...(await entriesBelow(stage)), { entry: undefined, path: stage }]) {
    const programs = [`${PROGRAM}/main.js`, SERVER_SCRIPT].map((name) => join(stage, name));
    const isScript = path.startsWith(join(stage, 'DEBIAN/p')) || programs.includes(path);
    if (entry?.isSymbolicLink() !== true) await chmod(path, entry?.isFile() === true && !isScript ? 0o644 : 0o755);
    await lutimes(path, seconds, seconds);
  }
}

/** Adds dpkg's files: control, checksums and the maintainer scripts. */
async function addControl(stage, parts) {
  const entries = await entriesBelow(stage);
  const sums = [];
  let kilobytes = 0;
  for (const { entry, path } of entries) {
    const content = entry.isFile() ? await readFile(path) : Buffer.alloc(0);
    kilobytes += Math.max(1, Math.ceil(content.length / 1024));
    const sum = createHash('md5').update(content).digest('hex');
    if (entry.isFile()) sums.push(`${sum}  ${relative(stage, path)}\n`);
  }
  const known = { ...parts, INSTALLED_SIZE: kilobytes };
  const control = await readFile(`${root}packaging/debian/control.in`, 'utf8');
  await put(
    stage,
    'DEBIAN/control',
    control.replaceAll(/@([A-Z_]+)@/g, (_all, name) => known[name]),
  );
  await put(stage, 'DEBIAN/md5sums', sums.join(''));
  for (const script of ['postinst', 'prerm', 'postrm']) {
    await copy(stage, `packaging/debian/${script}`, `DEBIAN/${script}`);
  }
}

const { version } = JSON.parse(await readFile(`${root}package.json`, 'utf8'));
const newest = await debianChangelog(root);
if (newest.version !== version) throw new Error(`CHANGELOG.md: ${newest.version}, package.json: ${version}`);
const { seconds } = newest;
const debVersion = values['deb-version'] ?? version;

const stage = await mkdtemp(join(tmpdir(), 'thermal-deb-'));
try {
  const metafile = await addProgram(stage, version);
  await put(stage, `${PROGRAM}/sbom.cdx.json`, await billOfMaterials(root, metafile));
  await addUnits(stage);
  await addServerScript(stage);
  await addExamples(stage);
  for (const name of await readdir(`${root}docs`)) {
    if (!DOCS_LEFT_OUT.includes(name)) await copy(stage, `docs/${name}`, `${DOCS}/${name}`);
  }
  await put(stage, `${DOCS}/copyright`, copyright((await librariesOf(root, metafile)).libraries));
  await put(stage, `${DOCS}/changelog.gz`, compressed(newest.text));
  const date = new Date(seconds * 1000).toISOString().slice(0, 10);
  await put(stage, `usr/share/man/man1/${NAME}.1.gz`, compressed(await manPage({ version, date })));
  await addControl(stage, { VERSION: debVersion });
  await settle(stage, seconds);

  await mkdir(values.outdir, { recursive: true });
  const deb = join(values.outdir, `${NAME}_${debVersion}_all.deb`);
  // One thread: with more threads xz's output depends on the machine.
  const how = ['--root-owner-group', '--threads-max=1', '-Zxz', '-z9', '--build'];
  run('dpkg-deb', [...how, stage, deb], { SOURCE_DATE_EPOCH: String(seconds) });
  const bytes = (await readFile(deb)).length;
  console.log(
    `${deb}: ${bytes} bytes, ${Object.keys(metafile.inputs).filter((it) => it.startsWith('src/')).length} own sources in it`,
  );
} finally {
  await rm(stage, { recursive: true, force: true });
}
