import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { ROOT, readPage } from '../docs/markdown.ts';
import { BUILDS_LIMIT_MS, evaluate, runNode } from './scripts.ts';

const SBOM = 'scripts/sbom/sbom.mjs';
const BILL = 'scripts/sbom/billOfMaterials.mjs';
const { version } = JSON.parse(readPage('package.json'));
const lock = z
  .object({ packages: z.record(z.string(), z.object({ version: z.string(), integrity: z.string().optional() })) })
  .parse(JSON.parse(readPage('package-lock.json')));

const componentSchema = z.object({
  'bom-ref': z.string(),
  name: z.string(),
  group: z.string().optional(),
  version: z.string(),
  purl: z.string(),
  cpe: z.string().optional(),
  hashes: z.array(z.object({ alg: z.string(), content: z.string() })),
  licenses: z.array(z.object({ license: z.object({ id: z.string(), text: z.object({ content: z.string() }) }) })),
});
const billSchema = z.object({
  specVersion: z.literal('1.6'),
  serialNumber: z.string(),
  metadata: z.object({ timestamp: z.string(), component: z.object({ name: z.string(), version: z.string() }) }),
  components: z.array(componentSchema),
  dependencies: z.array(z.object({ ref: z.string(), dependsOn: z.array(z.string()).default([]) })),
});
type Bill = z.infer<typeof billSchema>;

const parsed = (text: string): Bill => billSchema.parse(JSON.parse(text));
const folders = (bill: Bill): readonly string[] => bill.components.map((component) => component['bom-ref']);
const usedBy = (bill: Bill, ref: string) => bill.dependencies.find((one) => one.ref === ref)?.dependsOn;

let folder = '';
let npm = '';
let deb = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thermal-sbom-test-'));
  expect(await runNode([SBOM, '--outdir', join(folder, 'one')])).toMatchObject({ status: 0, stderr: '' });
  const read = (name: string) => readFile(join(folder, 'one', `thermal-provision-${version}-${name}.cdx.json`), 'utf8');
  [npm, deb] = await Promise.all([read('npm'), read('deb')]);
  return () => rm(folder, { recursive: true, force: true });
}, BUILDS_LIMIT_MS);

describe('the SBOM of a bundle', () => {
  it('has the libraries of the bundle, and none that is replaced, or only a tool', () => {
    const device = folders(parsed(deb));
    const everything = folders(parsed(npm));
    expect(everything).toEqual(expect.arrayContaining([...device]));
    for (const name of [
      'mqtt',
      'xstate',
      'zod',
      'winston',
      'commander',
      '@clack/core',
      'mqtt/node_modules/lru-cache',
    ]) {
      expect(device).toContain(`node_modules/${name}`);
    }
    for (const name of ['debug', 'readable-stream', 'esbuild', 'vitest', 'typescript', '@types/node']) {
      expect(everything).not.toContain(`node_modules/${name}`);
    }
    expect(everything.filter((one) => !one.startsWith('node_modules/'))).toEqual([]);
  });

  it('has versions and digests of package-lock.json, addresses of npm, and texts of the licences', () => {
    for (const component of parsed(npm).components) {
      const locked = lock.packages[component['bom-ref']];
      expect(component.version).toBe(locked?.version);
      const sha512 = Buffer.from(locked?.integrity?.replace('sha512-', '') ?? '', 'base64').toString('hex');
      expect(component.hashes).toEqual([{ alg: 'SHA-512', content: sha512 }]);
      expect(component.licenses[0]?.license.text.content).toMatch(/Permission|Redistribution|Apache License/);
    }
    const core = parsed(npm).components.find(({ purl }) => purl.startsWith('pkg:npm/%40clack/core@'));
    expect(core).toMatchObject({ group: '@clack', name: 'core' });
  });

  it('says which library needs which', () => {
    const bill = parsed(deb);
    expect(bill.metadata.component).toMatchObject({ name: 'thermal-provision', version });
    expect(usedBy(bill, `pkg:generic/thermal-provision@${version}`)).toContain('node_modules/mqtt');
    expect(usedBy(bill, 'node_modules/mqtt')).toContain('node_modules/mqtt-packet');
    expect(usedBy(bill, 'node_modules/xstate')).toEqual([]);
  });

  it('is the same on every machine', { timeout: BUILDS_LIMIT_MS }, async () => {
    const other = join(folder, 'other/place');
    await runNode([SBOM, '--outdir', other], { TZ: 'Asia/Tokyo', LC_ALL: 'et_EE.UTF-8' });
    const again = await Promise.all((await readdir(other)).sort().map((name) => readFile(join(other, name), 'utf8')));
    expect(again).toEqual([deb, npm]);
  });
});

it('the SBOM has the time of SOURCE_DATE_EPOCH, and a number made from its content', async () => {
  const made = async (SOURCE_DATE_EPOCH: string) => {
    const root = JSON.stringify(ROOT);
    const expression = `script.billOfMaterials(${root}, { inputs: {}, outputs: {} })`;
    return parsed(String(await evaluate(BILL, expression, undefined, { SOURCE_DATE_EPOCH })));
  };
  const bill = await made('1800000000');
  expect(bill.metadata.timestamp).toBe('2027-01-15T08:00:00.000Z');
  expect(bill.serialNumber).toMatch(/^urn:uuid:[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  expect((await made('1800000000')).serialNumber).toBe(bill.serialNumber);
  expect((await made('1800000001')).serialNumber).not.toBe(bill.serialNumber);
});

it("the SBOM of a package with a Node of its own has Node's version, CPE, digest and licence", async () => {
  const text = await evaluate(
    BILL,
    'script.billOfMaterials(input.root, input.metafile, { node: { ...input.node, binary: Buffer.from("node") } })',
    { root: ROOT, metafile: { inputs: {}, outputs: {} }, node: { version: '24.1.0', licence: 'MIT …' } },
  );
  const bill = parsed(String(text));
  const sha256 = '545ea538461003efdc8c81c244531b003f6f26cfccf6c0073b3239fdedf49446';
  expect(bill.components).toMatchObject([
    {
      name: 'node',
      version: '24.1.0',
      cpe: 'cpe:2.3:a:nodejs:node.js:24.1.0:*:*:*:*:*:*:*',
      hashes: [{ alg: 'SHA-256', content: sha256 }],
      licenses: [{ license: { id: 'MIT', text: { content: 'MIT …' } } }],
    },
  ]);
  expect(usedBy(bill, `pkg:generic/thermal-provision@${version}`)).toEqual(folders(bill));
  await writeFile(join(folder, 'node.cdx.json'), String(text));
  expect(await runNode([SBOM, '--check', join(folder, 'node.cdx.json')])).toMatchObject({ status: 0, stderr: '' });
});

describe('the check of an SBOM', () => {
  const anyLibrary = '"name": "xstate"';
  it.each([
    ['a licence that is not allowed', '"id": "ISC"', '"id": "GPL-3.0-only"', 'licence GPL-3.0-only is not in the list'],
    ['no licence', /"licenses": \[\n {8}\{[^{]*\{[^{]*\{[^}]*\}[^}]*\}[^}]*\}\n {6}\],/, '', 'licence (none) is not'],
    ['a licence that SPDX does not have', '"id": "MIT"', '"id": "Unlike-MIT"', 'not CycloneDX 1.6: /components/0'],
    [
      'a field that CycloneDX does not have',
      anyLibrary,
      `"colour": "red", ${anyLibrary}`,
      'not CycloneDX 1.6: /components/',
    ],
    ['no text of the licence', /"text": \{[^}]*\}/, '"url": "https://example.com"', 'has no text of its licence'],
    ['no hash', /"hashes": \[[^\]]*\],/, '', 'has no hash'],
    [
      'a library that nothing imports',
      /("dependsOn": \[\n) +"node_modules\/@clack\/prompts",/,
      '$1',
      'graph leads to it',
    ],
  ])('refuses %s', async (_what, right, wrong, message) => {
    const file = join(folder, 'spoiled.cdx.json');
    await writeFile(file, deb.replace(right, wrong));
    const { status, stderr } = await runNode([SBOM, '--check', file]);
    expect(stderr).toContain(message);
    expect(stderr.replaceAll(/^.*spoiled\.cdx\.json: .*\n/gm, '')).toBe('');
    expect(status).toBe(1);
  });
});

describe('the libraries of a bundle', () => {
  const LIBRARIES = 'scripts/sbom/libraries.mjs';
  const metafile = {
    inputs: {
      'src/main.ts': { imports: [{ path: 'node_modules/a/index.js' }, { path: 'node:fs', external: true }] },
      'node_modules/a/index.js': { imports: [{ path: 'node_modules/b/index.js' }] },
      'node_modules/b/index.js': { imports: [] },
    },
    outputs: {
      'main.js': {
        inputs: { 'node_modules/a/index.js': { bytesInOutput: 1 }, 'node_modules/b/index.js': { bytesInOutput: 0 } },
      },
    },
  };

  /** A project with an installed package `a`. */
  async function project(manifest: object, locked: object): Promise<string> {
    const root = `${await mkdtemp(join(folder, 'project-'))}/`;
    await mkdir(`${root}node_modules/a`, { recursive: true });
    await writeFile(`${root}node_modules/a/package.json`, JSON.stringify(manifest));
    await writeFile(`${root}package-lock.json`, JSON.stringify({ packages: { 'node_modules/a': locked } }));
    return root;
  }
  const librariesOf = async (manifest: object, locked: object) =>
    evaluate(LIBRARIES, 'script.librariesOf(input.root, input.metafile)', {
      root: await project(manifest, locked),
      metafile,
    });

  it('are those with a byte in the output', async () => {
    const found = await librariesOf({ name: 'a', version: '1.0.0', license: 'MIT' }, { version: '1.0.0' });
    expect(found).toMatchObject({
      libraries: [{ folder: 'node_modules/a', imports: [] }],
      imported: ['node_modules/a'],
    });
  });

  it.each([
    ['is not the one of package-lock.json', { version: '1.0.1', license: 'MIT' }, 'is 1.0.1, but 1.0.0'],
    ['names no licence', { version: '1.0.0' }, 'node_modules/a names no licence'],
  ])('are refused when one %s', async (_what, manifest, message) => {
    await expect(librariesOf({ name: 'a', ...manifest }, { version: '1.0.0' })).rejects.toThrow(message);
  });
});
