import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { createDeviceProgram } from '../../src/cli/deviceProgram.ts';
import { createProgram } from '../../src/cli/program.ts';
import { readPage, relativeLinks } from '../docs/markdown.ts';
import { buildPackage, type Entry, entriesOf, hasProgram, outputOf } from './debianPackage.ts';

const { version } = JSON.parse(readPage('package.json'));
const isBuildable = await hasProgram('dpkg-deb');
if (!isBuildable) console.log('SKIPPED: the tests of the Debian package, dpkg-deb is not installed');

describe.skipIf(!isBuildable)('the Debian package', () => {
  let deb = '';
  let again = '';
  let unpacked = '';
  let entries: readonly Entry[] = [];
  const read = (path: string) => readFile(join(unpacked, path));
  const unzipped = async (path: string) => gunzipSync(await read(path)).toString('utf8');

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'thermal-deb-test-'));
    [deb, again] = await Promise.all([
      buildPackage(join(folder, 'one')),
      buildPackage(join(folder, 'other/place'), { umask: '077', zone: 'Asia/Tokyo' }),
    ]);
    unpacked = join(folder, 'unpacked');
    await outputOf('dpkg-deb', '--raw-extract', deb, unpacked);
    entries = await entriesOf(deb);
    return () => rm(folder, { recursive: true, force: true });
  });

  it('is identical for every folder, umask and time zone of the build', async () => {
    expect((await readFile(deb)).equals(await readFile(again))).toBe(true);
  });

  it('is for all architectures, needs a Node that can run it, and has the version of package.json', async () => {
    const field = (name: string) => outputOf('dpkg-deb', '--field', deb, name);
    expect(await field('Architecture')).toBe('all\n');
    expect(await field('Version')).toBe(`${version}\n`);
    const { engines } = JSON.parse(readPage('package.json'));
    // Debian's field can't exclude versions. No release of Debian has a Node version that package.json excludes.
    const [, least] = /^\^([\d.]+) \|\| >=/.exec(engines.node) ?? [];
    expect(await field('Depends')).toContain(`nodejs (>= ${least})`);
  });

  it('is owned by root, writable only for root, and has no configuration file of dpkg', async () => {
    expect(new Set(entries.map(({ owner }) => owner))).toEqual(new Set(['root/root']));
    const modes = new Set(entries.map(({ mode }) => mode));
    expect(modes).toEqual(new Set(['drwxr-xr-x', '-rw-r--r--', '-rwxr-xr-x', 'lrwxrwxrwx']));
    expect(entries.filter(({ mode }) => mode === '-rwxr-xr-x').map(({ path }) => path)).toEqual([
      'usr/share/thermal-provision/main.js',
      'usr/share/thermal-provision/thingsboard/setup-profile.sh',
    ]);
    expect(entries.filter(({ path }) => /^(etc|var)\//.test(path))).toEqual([]);
    await expect(read('DEBIAN/conffiles')).rejects.toThrow('ENOENT');
  });

  it('has checksums of all its files', async () => {
    const sums = (await read('DEBIAN/md5sums')).toString().trimEnd().split('\n');
    const files = entries.filter(({ mode }) => mode.startsWith('-')).map(({ path }) => path);
    expect(sums.map((line) => line.slice(34)).sort()).toEqual([...files].sort());
    await outputOf('sh', '-c', `cd '${unpacked}' && md5sum --quiet --check DEBIAN/md5sums`);
  });

  it('runs from its unpacked folder, with only the commands of a device', async () => {
    const main = join(unpacked, 'usr/share/thermal-provision/main.js');
    expect(await outputOf(process.execPath, main, '--version')).toBe(`${version}\n`);
    const help = await outputOf(process.execPath, main, '--help');
    for (const command of createProgram().commands) {
      const isIn = !['simulate', 'demo'].includes(command.name());
      expect(new RegExp(`^  ${command.name()} `, 'm').test(help)).toBe(isIn);
    }
    expect(help).not.toContain('demo');
    await expect(outputOf(process.execPath, main, 'demo')).rejects.toMatchObject({ code: 64 });
  });

  it('has no simulator, demo, library or source', async () => {
    const program = entries.filter(({ path }) => path.startsWith('usr/share/thermal-provision/'));
    for (const { path } of program) expect(path).not.toMatch(/\.ts$|\.map$|index\.js|simulat|demo|node_modules/i);
    const scripts = program.filter(({ path }) => path.endsWith('.js'));
    const texts = await Promise.all(scripts.map(({ path }) => read(path).then(String)));
    expect(texts.filter((text) => /Provisions a thermal camera/.test(text))).toHaveLength(1);
    // A fault of the simulator, and the last line of the demo.
    expect(texts.filter((text) => /silenceThenPubackAndClose|Devices on the server/.test(text))).toHaveLength(0);
  });

  it("starts with Debian's Node, with any PATH", async () => {
    expect((await read('usr/share/thermal-provision/main.js')).toString()).toMatch(/^#!\/usr\/bin\/node\n/);
  });

  it('names every included library with its licence', async () => {
    const text = (await read('usr/share/doc/thermal-provision/copyright')).toString();
    for (const name of ['mqtt', 'xstate', 'winston', 'zod', 'commander', 'jsonc-parser', 'date-fns', 'ws']) {
      expect(text).toMatch(new RegExp(`^${name} \\d\\S* \\((MIT|ISC|BSD)`, 'm'));
    }
    expect(text.match(/Permission is hereby granted/g)?.length).toBeGreaterThan(20);
  });

  it('has the bill of materials of its bundle', async () => {
    const { components } = JSON.parse((await read('usr/share/thermal-provision/sbom.cdx.json')).toString());
    const inCopyright = (await read('usr/share/doc/thermal-provision/copyright')).toString().match(/^-{78}\n.*$/gm);
    expect(components).toHaveLength(inCopyright?.length ?? 0);
    for (const { group, name, version: shipped, licenses } of components) {
      const whole = group === undefined ? name : `${group}/${name}`;
      expect(inCopyright).toContain(`${'-'.repeat(78)}\n${whole} ${shipped} (${licenses[0].license.id})`);
    }
  });

  it('has a manual page with every command, option and exit status', async () => {
    const page = (await unzipped('usr/share/man/man1/thermal-provision.1.gz')).replaceAll('\\-', '-');
    expect(page).toContain(`"thermal-provision ${version}"`);
    const commands = createDeviceProgram().commands;
    for (const command of [...commands, ...commands.flatMap((it) => it.commands)]) {
      expect(page).toContain(`\n.SS ${command.name()}\n`);
      for (const { flags } of command.options) expect(page).toContain(`\n.B ${flags}\n`);
    }
    expect(page).toMatch(/^ {2}69 {2}UNAVAILABLE/m);
    expect(page).not.toMatch(/@[A-Z]+@|undefined/);
  });

  it('has a changelog with every release of CHANGELOG.md, and this version is the newest', async () => {
    const text = await unzipped('usr/share/doc/thermal-provision/changelog.gz');
    const releases = readPage('CHANGELOG.md')
      .split(/^## /m)
      .filter((section) => /^\[\d/.test(section));
    const heads = [...text.matchAll(/^thermal-provision \((.+)\) stable; urgency=medium$/gm)].map(([, one]) => one);
    expect(heads).toEqual(releases.map((section) => /^\[(.+)\]/.exec(section)?.[1]));
    expect(heads[0]).toBe(version);
    expect(text.match(/^ {2}\* [A-Z][a-z]+: /gm)?.length).toBe(releases.join('').match(/^- /gm)?.length);
    for (const section of releases) {
      const [date = ''] = /\d{4}-\d\d-\d\d/.exec(section) ?? [];
      expect(text).toContain(`>  ${new Date(`${date}T12:00:00Z`).toUTCString().replace('GMT', '+0000')}\n`);
    }
    expect(text.split('\n').filter((line) => line.length > 80 && !line.startsWith(' -- '))).toEqual([]);
    expect(text).not.toMatch(/Unreleased|[`\]]/);
  });

  it('has documents with links to documents of the package', async () => {
    const folder = 'usr/share/doc/thermal-provision/';
    const inside = entries.map(({ path }) => path).filter((path) => path.startsWith(folder));
    const pages = inside.filter((path) => path.endsWith('.md'));
    expect(pages.length).toBeGreaterThan(5);
    for (const path of pages) {
      const links = relativeLinks((await read(path)).toString()).map((link) => link.split('#')[0]);
      expect(inside.map((one) => one.slice(folder.length))).toEqual(
        expect.arrayContaining(links.filter((link) => link !== '')),
      );
    }
  });
});
