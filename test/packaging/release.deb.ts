import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../docs/markdown.ts';
import { hasProgram, outputOf } from './debianPackage.ts';
import { BUILDS_LIMIT_MS, evaluate, runNode } from './scripts.ts';

const RELEASE = 'scripts/release/release.mjs';
const PROBLEMS = 'scripts/release/problems.mjs';

const hasDpkg = await hasProgram('dpkg-deb');
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thermal-release-test-'));
  return () => rm(folder, { recursive: true, force: true });
});

const problemsOfSources = (root: string) => evaluate(PROBLEMS, 'script.problemsOfSources(input)', root);

describe('the sources of a release', () => {
  const SOURCES = {
    'package.json': '{"version":"1.2.3"}',
    'package-lock.json': '{"version":"1.2.3","packages":{"":{"version":"1.2.3"}}}',
    'CHANGELOG.md': '# Changelog\n\n## [1.2.3] - 2026-01-02\n\n### Added\n\n- A thing.\n',
    'docs/install.md': 'apt install ./thermal-provision_1.2.3_all.deb\nnpm pack # thermal-provision-1.2.3.tgz\n',
  };

  /** A project in which one file is different. */
  async function project(different: Readonly<Record<string, string>>): Promise<string> {
    const root = `${await mkdtemp(join(folder, 'project-'))}/`;
    await mkdir(`${root}docs`);
    await mkdir(`${root}packaging/debian`, { recursive: true });
    await cp(`${ROOT}packaging/debian/control.in`, `${root}packaging/debian/control.in`);
    for (const [name, text] of Object.entries({ ...SOURCES, ...different })) await writeFile(root + name, text);
    return root;
  }

  it('agree, with nothing unreleased', async () => {
    expect(await problemsOfSources(await project({}))).toEqual({ version: '1.2.3', problems: [] });
  });

  it.each([
    ['package-lock.json', '{"version":"1.2.2","packages":{"":{"version":"1.2.3"}}}', 'has version 1.2.2'],
    ['package-lock.json', '{"version":"1.2.3","packages":{"":{"version":"1.2.1"}}}', 'has version 1.2.1'],
    ['CHANGELOG.md', SOURCES['CHANGELOG.md'].replace('1.2.3', '1.2.4'), 'has version 1.2.4'],
    ['CHANGELOG.md', SOURCES['CHANGELOG.md'].replace('## ', '## [Unreleased]\n\n- B.\n\n## '), 'under "Unreleased"'],
    ['docs/install.md', 'apt install ./thermal-provision_1.2.0_all.deb', 'has version 1.2.0'],
    ['docs/install.md', 'apt install ./thermal-provision-standalone_1.2.0_arm64.deb', 'has version 1.2.0'],
    ['docs/install.md', 'tar xf thermal-provision-standalone-1.2.0-arm64.tar.xz', 'has version 1.2.0'],
    ['docs/install.md', 'npm install ./thermal-provision-1.2.0.tgz', 'has version 1.2.0'],
  ])('do not agree when %s says %j', async (name, text, message) => {
    const found = await problemsOfSources(await project({ [name]: text }));
    expect(found).toEqual({ version: '1.2.3', problems: [expect.stringMatching(`^${name} .*${message}`)] });
  });

  it('of this project have one version', async () => {
    const found = await problemsOfSources(ROOT);
    expect(JSON.stringify(found)).not.toContain('has version');
  });
});

describe('a package of a release', () => {
  const problemsOfPackage = (file: string, version: string) => {
    const sbom = JSON.stringify(`file://${ROOT}scripts/sbom/billOfMaterials.mjs`);
    const bill = `await (await import(${sbom})).billOfMaterials(input.root, { inputs: {}, outputs: {} })`;
    const input = { root: ROOT, file, version };
    return evaluate(PROBLEMS, `script.problemsOfPackage(input.file, ${bill}, input.version)`, input);
  };

  it('is refused when its SBOM has another version', async () => {
    expect(await problemsOfPackage('x.tgz', '0.9.9')).toEqual([expect.stringMatching(/^its SBOM has version 1/)]);
  });

  it.skipIf(!hasDpkg)('is refused when its changelog begins with another version', async () => {
    const { version } = JSON.parse(await readFile(`${ROOT}package.json`, 'utf8'));
    const stage = await mkdtemp(join(folder, 'deb-'));
    for (const [path, content] of Object.entries({
      'DEBIAN/control': 'Package: x\nVersion: 1\nArchitecture: all\nMaintainer: x <x@x>\nDescription: x\n',
      'usr/share/doc/x/changelog.gz': gzipSync('x (0.9.9) stable; urgency=medium\n'),
    })) {
      await mkdir(join(stage, path, '..'), { recursive: true });
      await writeFile(join(stage, path), content);
    }
    const deb = join(folder, 'x.deb');
    await outputOf('dpkg-deb', '--build', stage, deb);
    expect(await problemsOfPackage(deb, version)).toEqual([
      'its changelog begins with x (0.9.9) stable; urgency=medium',
    ]);
  });
});

describe('npm run release', () => {
  it('-- --check makes the package for npm twice, with the same bytes', { timeout: BUILDS_LIMIT_MS }, async () => {
    const { version } = JSON.parse(await readFile(`${ROOT}package.json`, 'utf8'));
    const { stdout, stderr } = await runNode([RELEASE, '--check', 'npm']);
    const made = [...stdout.matchAll(/^[\da-f]{64} {2}(\S+)$/gm)].map(([, name]) => name);
    expect(made).toEqual([`thermal-provision-${version}.tgz`, `thermal-provision-${version}.tgz.cdx.json`]);
    // Between two releases the changelog has unreleased entries.
    expect(stderr.replace(/^Not releasable: CHANGELOG\.md has entries under "Unreleased".*\n/m, '')).toBe('');
  });

  it('names the packages when it does not know one', async () => {
    const { status, stderr } = await runNode([RELEASE, '--check', 'rpm']);
    expect(stderr).toMatch(/^There is no package rpm\. The packages are: npm, deb\b/);
    expect(status).toBe(64);
  });
});
