// Builds the packages for cameras, reproducible:
//   npm run package:deb [-- --outdir FOLDER]   for all architectures, with the system's Node
//   npm run package:standalone [-- --arch amd64|arm64] [--format deb|tar] [--outdir FOLDER]   with a Node of its own
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, copyFile, lutimes, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { debianChangelog } from './deb/changelog.mjs';
import { copyright } from './deb/copyright.mjs';
import { manPage } from './deb/manPage.mjs';
import { addNode, NODE_DEPENDS, NODE_VERSION, NODES } from './deb/node.mjs';
import { billOfMaterials } from './sbom/billOfMaterials.mjs';
import { librariesOf } from './sbom/libraries.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const NAME = 'thermal-provision';
const PROGRAM = `usr/share/${NAME}`;
/** Folder of the standalone package's Node. */
const OWN = `usr/lib/${NAME}`;
const SCRIPTS = [`${PROGRAM}/main.js`, `${PROGRAM}/thingsboard/setup-profile.sh`, `${OWN}/node`, `${OWN}/uninstall.sh`];
/** Pages for developers, and pictures of README.md. All other pages in docs/ are for operators. */
const DOCS_LEFT_OUT = ['library.md', 'certificate.md', 'releasing.md', 'pictures'];
/** xz needs more than a minute for Node, on a crowded machine many. */
const BUILD_LIMIT_MS = 30 * 60 * 1000;

// --deb-version: the same program with another version, for tests of upgrades.
// --level: of xz. 0 is quick, for tests.
const { values } = parseArgs({
  options: {
    outdir: { type: 'string', default: `${root}dist-deb` },
    standalone: { type: 'boolean', default: false },
    arch: { type: 'string', default: process.arch === 'arm64' ? 'arm64' : 'amd64' },
    format: { type: 'string', default: 'deb' },
    'deb-version': { type: 'string' },
    level: { type: 'string', default: '9' },
  },
});
if (!Object.hasOwn(NODES, values.arch)) throw new Error(`--arch is one of ${Object.keys(NODES).join(', ')}`);
if (!['deb', 'tar'].includes(values.format)) throw new Error('--format is deb or tar');

/** What differs between the two packages. */
const STANDALONE = `${NAME}-standalone`;
const kind = values.standalone
  ? {
      package: STANDALONE,
      other: NAME,
      architecture: values.arch,
      node: `/${OWN}/node`,
      depends: NODE_DEPENDS,
      more: ` .\n This package brings a Node of its own (${NODE_VERSION}), for systems without a\n recent one.\n`,
    }
  : {
      package: NAME,
      other: STANDALONE,
      architecture: 'all',
      node: '/usr/bin/node',
      depends: 'nodejs (>= 20.19)',
      more: '',
    };
const DOCS = `usr/share/doc/${kind.package}`;
const NODE_LICENCE = `${DOCS}/node-licence.txt`;

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
  await writeFile(join(folder, 'main.js'), main.replace(/^#!.*/, `#!${kind.node}`));
  await writeFile(join(folder, 'package.json'), `${JSON.stringify({ name: NAME, version, type: 'module' })}\n`);
  await mkdir(join(stage, 'usr/bin'), { recursive: true });
  await symlink(`../share/${NAME}/main.js`, join(stage, 'usr/bin', NAME));
  return metafile;
}

/** Adds Node and its licence. @returns both, for the bill of materials */
async function addOwnNode(stage) {
  const licence = await addNode(values.arch, join(stage, OWN));
  await put(stage, NODE_LICENCE, licence);
  return { version: NODE_VERSION, binary: await readFile(join(stage, OWN, 'node')), licence };
}

/** What the copyright file says about it. */
const NODE_COPYRIGHT = `
${'-'.repeat(78)}
node ${NODE_VERSION} (MIT)

The program /${OWN}/node is Node, from npm's package ${NODES[values.arch].npm}, without its symbols.
Copyright Node.js contributors. Its licence and those of its libraries: /${NODE_LICENCE}
`;

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
    const isScript = /^(DEBIAN\/p|install\.sh)/.test(relative(stage, path)) || SCRIPTS.includes(relative(stage, path));
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
    control.replaceAll(/@([A-Z_]+)@/g, (_all, name) => known[name]).replaceAll(/^\S+: ?\n/gm, ''),
  );
  await put(stage, 'DEBIAN/md5sums', sums.join(''));
  for (const script of ['postinst', 'prerm', 'postrm']) {
    await copy(stage, `packaging/debian/${script}`, `DEBIAN/${script}`);
  }
}

/** Builds the Debian package. @returns its path */
async function buildDeb(stage, debVersion, seconds) {
  if (values.standalone) {
    await copy(stage, 'packaging/debian/standalone.lintian-overrides', `usr/share/lintian/overrides/${kind.package}`);
  }
  await addControl(stage, {
    PACKAGE: kind.package,
    VERSION: debVersion,
    ARCHITECTURE: kind.architecture,
    NODE_DEPENDS: kind.depends,
    OTHER: kind.other,
    PROVIDES: values.standalone ? `${NAME} (= ${debVersion})` : '',
    MORE: kind.more,
  });
  await settle(stage, seconds);
  const deb = join(values.outdir, `${kind.package}_${debVersion}_${kind.architecture}.deb`);
  // One thread: with more threads xz's output depends on the machine.
  const how = ['--root-owner-group', '--threads-max=1', '-Zxz', `-z${values.level}`, '--build'];
  run('dpkg-deb', [...how, stage, deb], { SOURCE_DATE_EPOCH: String(seconds) });
  return deb;
}

/** Builds the archive for systems without dpkg, which has a script that copies it. @returns its path */
async function buildTar(stage, seconds) {
  await copy(stage, 'packaging/tar/uninstall.sh', `${OWN}/uninstall.sh`);
  await put(stage, `${OWN}/files`, '');
  const paths = (await entriesBelow(stage)).map(({ entry, path }) => ({ entry, path: relative(stage, path) }));
  const files = paths.filter(({ entry }) => !entry.isDirectory()).map(({ path }) => path);
  const folders = paths.filter(({ entry, path }) => entry.isDirectory() && path.includes(NAME));
  const list = [...files, ...folders.map(({ path }) => `${path}/`).reverse()];
  await put(stage, `${OWN}/files`, `${list.join('\n')}\n`);
  await copy(stage, 'packaging/tar/install.sh', 'install.sh');
  await settle(stage, seconds);
  const archive = join(values.outdir, `${kind.package}_${version}_${kind.architecture}.tar.xz`);
  const how = ['--sort=name', '--format=gnu', '--owner=0', '--group=0', '--numeric-owner', `--mtime=@${seconds}`];
  const small = `--use-compress-program=xz -T1 -${values.level}`;
  run('tar', ['--create', ...how, small, '--file', archive, '--directory', dirname(stage), basename(stage)]);
  return archive;
}

const { version } = JSON.parse(await readFile(`${root}package.json`, 'utf8'));
const newest = await debianChangelog(root);
if (newest.version !== version) throw new Error(`CHANGELOG.md: ${newest.version}, package.json: ${version}`);
const { seconds } = newest;
const debVersion = values['deb-version'] ?? version;

const folder = await mkdtemp(join(tmpdir(), 'thermal-deb-'));
const stage = join(folder, `${kind.package}-${version}`);
try {
  const metafile = await addProgram(stage, version);
  const node = values.standalone ? await addOwnNode(stage) : undefined;
  await put(stage, `${PROGRAM}/sbom.cdx.json`, await billOfMaterials(root, metafile, { node }));
  await addUnits(stage);
  await addServerScript(stage);
  await addExamples(stage);
  for (const name of await readdir(`${root}docs`)) {
    if (!DOCS_LEFT_OUT.includes(name)) await copy(stage, `docs/${name}`, `${DOCS}/${name}`);
  }
  const { libraries } = await librariesOf(root, metafile);
  const licences = copyright(libraries, values.format === 'deb');
  await put(stage, `${DOCS}/copyright`, licences + (node === undefined ? '' : NODE_COPYRIGHT));
  await put(stage, `${DOCS}/changelog.gz`, compressed(newest.text));
  const date = new Date(seconds * 1000).toISOString().slice(0, 10);
  await put(stage, `usr/share/man/man1/${NAME}.1.gz`, compressed(await manPage({ version, date })));
  await mkdir(values.outdir, { recursive: true });
  const built =
    values.standalone && values.format === 'tar'
      ? await buildTar(stage, seconds)
      : await buildDeb(stage, debVersion, seconds);
  const bytes = (await readFile(built)).length;
  const own = Object.keys(metafile.inputs).filter((it) => it.startsWith('src/'));
  console.log(`${built}: ${bytes} bytes, ${own.length} own sources in it`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
