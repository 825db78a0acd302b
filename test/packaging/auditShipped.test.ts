import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import { beforeAll, expect, it, type TestContext } from 'vitest';
import * as z from 'zod';
import { BUILDS_LIMIT_MS, runNode } from './scripts.ts';

const SCRIPT = 'scripts/sbom/auditShipped.mjs';
const LONG = { timeout: BUILDS_LIMIT_MS };
const questionSchema = z.record(z.string(), z.array(z.string()));
type Question = z.infer<typeof questionSchema>;

let sbom = '';
beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'thermal-audit-test-'));
  sbom = join(folder, 'sbom.cdx.json');
  const [npm, name, version] = ['pkg:npm/', 'lru-cache', '10.4.3'];
  const components = [
    { purl: `${npm}${name}@${version}`, name, version },
    { purl: `${npm}${name}@11.2.0`, name, version: '11.2.0' },
    { purl: `${npm}%40clack/core@1.6.0`, group: '@clack', name: 'core', version: '1.6.0' },
    { purl: 'pkg:generic/node@24.1.0', name: 'node', version: '24.1.0' },
  ];
  await writeFile(sbom, JSON.stringify({ components }));
  return () => rm(folder, { recursive: true, force: true });
});

/** A registry that answers `npm audit` with these advisories, or not at all. @returns its URL and what it was asked */
async function startRegistry(onTestFinished: TestContext['onTestFinished'], advisories: object | undefined) {
  const asked: Question[] = [];
  const server = createServer(async (request, response) => {
    if (request.method !== 'POST' || advisories === undefined) {
      response.writeHead(request.method === 'POST' ? 405 : 404).end('{}');
      return;
    }
    asked.push(questionSchema.parse(await json(request.pipe(createGunzip()))));
    response.end(JSON.stringify(advisories));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, asked };
}

const audit = (url: string, ...files: readonly string[]) =>
  runNode([SCRIPT, ...files], { npm_config_registry: url, npm_config_fetch_retries: '0' });

it('asks for the libraries of the bundles, and for nothing else', LONG, async ({ onTestFinished }) => {
  const { url, asked } = await startRegistry(onTestFinished, {});
  const { status, stdout } = await audit(url);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^No known vulnerability in the \d\d shipped libraries\.$/m);
  const [question] = asked;
  expect(Object.keys(question ?? {})).toEqual(expect.arrayContaining(['mqtt', 'lru-cache', '@clack/core']));
  for (const tool of ['esbuild', 'vitest', 'typescript', 'debug']) expect(question).not.toHaveProperty(tool);
});

it('names what is vulnerable, in which versions, with its advisory, and ends with 1', async ({ onTestFinished }) => {
  const advisory = { id: 1, url: 'https://example.com/1', title: 'Reads too much', severity: 'high' };
  const { url, asked } = await startRegistry(onTestFinished, {
    'lru-cache': [{ ...advisory, vulnerable_versions: '<11', cwe: [], cvss: { score: 0 } }],
  });
  const { status, stderr } = await audit(url, sbom);
  expect(asked).toEqual([{ 'lru-cache': ['10.4.3', '11.2.0'], '@clack/core': ['1.6.0'] }]);
  expect(stderr.split('\n')).toEqual([
    'Not checked, because npm does not know its vulnerabilities: node 24.1.0',
    'lru-cache 10.4.3: high: Reads too much (https://example.com/1)',
    '',
  ]);
  expect(status).toBe(1);
});

it('says that it could not check, and ends with 69', async ({ onTestFinished }) => {
  const { url } = await startRegistry(onTestFinished, undefined);
  const { status, stdout, stderr } = await audit(url, sbom);
  expect(stderr).toMatch(/^Could not check the 3 shipped libraries: 405 /m);
  expect(stdout).toBe('');
  expect(status).toBe(69);
});
