import { execFile, spawn } from 'node:child_process';
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { expect, inject, it } from 'vitest';
import { REST_USER } from '../../src/simulator/rest.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import type { AtEnd } from '../support/atEnd.ts';
import { OLD_CONFIG } from '../support/deviceFiles.ts';
import { makeDeviceFolder, makeFolder } from '../support/deviceFolder.ts';
import { provisionedProblems } from '../support/provisionedDevice.ts';
import { startServer } from '../support/server.ts';
import { missingForSetup } from '../support/setupScript.ts';
import { codeBlocks, ROOT, readPage, sectionOf } from './markdown.ts';

const LIMIT_MS = 30_000;
const missing = missingForSetup();
if (missing !== undefined) console.log(`SKIPPED: the commands that prepare a server, ${missing}`);

/** The shell commands under a heading, from all blocks with this text. */
function commands(name: string, heading: string, holding = ''): string {
  const found = codeBlocks(sectionOf(readPage(name), heading), 'sh').filter((block) => block.includes(holding));
  if (found.length === 0) throw new Error(`no commands under ${heading}`);
  return found.join('');
}

/** A folder with the shipped program as `thermal-provision`. */
async function programFolder(atEnd: AtEnd): Promise<string> {
  const folder = await makeFolder(atEnd);
  const program = join(folder, 'thermal-provision');
  await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${inject('bundle')}' "$@"\n`);
  await chmod(program, 0o755);
  return folder;
}

/** The output of a shell for these lines. As in a terminal, a failing line does not end the shell. */
async function type(folder: string, script: string, options = '-uc'): Promise<string> {
  const { stdout } = await promisify(execFile)('sh', [options, script], {
    cwd: folder,
    timeout: LIMIT_MS,
    env: { PATH: `${folder}:${process.env.PATH}`, THERMAL_BOARD_ID: 'board-1' },
  });
  return stdout;
}

it('the commands of docs/operate.md work by hand; test/proofs/boot runs those that need systemd', async ({
  onTestFinished,
}) => {
  const server = await startServer(onTestFinished);
  const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port, requested: false });
  const folder = await programFolder(onTestFinished);
  await writeFile(join(folder, 'provision.json'), await readFile(paths.provisionJson));
  const typed = (block: string): Promise<string> =>
    type(folder, block.replaceAll('/var/lib/thermal-camera', paths.deviceFolder), '-euc');
  const page = 'docs/operate.md';

  const byHand = commands(page, 'By hand');
  expect(await typed(byHand)).toMatch(/^status: done$/m);
  expect(await provisionedProblems(paths, server)).toEqual([]);
  await typed(byHand);
  expect(await provisionedProblems(paths, server, 2)).toEqual([]);

  await typed(commands(page, 'Backups').replace(/restore 2 --dir \S+/, '$& --yes'));
  expect(await readFile(paths.thermalConfig, 'utf8')).toBe(OLD_CONFIG);
  await typed(commands(page, 'A page for support').replace(/^thermal-provision inspect.*$/m, ''));
  expect(await readFile(join(folder, 'run.html'), 'utf8')).toMatch(/^<!doctype html>/i);
});

it('the commands of docs/troubleshooting.md print what a failed run needs', async ({ onTestFinished }) => {
  const server = await startServer(onTestFinished);
  const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
  await server.close();
  const folder = await programFolder(onTestFinished);
  await type(folder, `sed -i 's/"max_retries": *[0-9]*/"max_retries": 0/' '${paths.provisionJson}'`);
  await type(folder, `thermal-provision run --dir '${paths.deviceFolder}' || true`);
  const block = commands('docs/troubleshooting.md', 'Troubleshooting');
  const said = await type(folder, `${block.replaceAll('/var/lib/thermal-camera', paths.deviceFolder)}\ntrue`);
  expect(said).toMatch(/^error: +CONNECTION_REFUSED: /m);
  expect(said).toMatch(/^What to do next$/m);
  expect(said).toMatch(/^✗ TCP connection +CONNECTION_REFUSED: /m);
});

it('docs/getting-started.md provisions a camera without a server, with exactly the shown commands', async ({
  onTestFinished,
}) => {
  const folder = await programFolder(onTestFinished);
  const part = '1. Try it without a server';
  const [simulate = '', ...blocks] = codeBlocks(sectionOf(readPage('docs/getting-started.md'), part), 'sh');
  const server = spawn('sh', ['-uc', `exec ./${simulate.trim()} --port 0`], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void server.kill());
  const [first] = await createInterface(server.stdout)
    [Symbol.asyncIterator]()
    .next()
    .then(({ value }) => [value]);
  const [, port = ''] = /^listening on mqtt:\/\/127\.0\.0\.1:(\d+) /.exec(first) ?? [];
  const [shown = ''] = codeBlocks(sectionOf(readPage('docs/getting-started.md'), part), 'text');
  expect(shown.trim()).toBe(first.replace(port, '1883'));

  const said = await type(folder, blocks.join('\n').replace('"port": 1883', `"port": ${port}`));
  expect([...said.matchAll(/^status: (.*)$/gm)].map(([, word]) => word)).toEqual(['done', 'done']);
  expect(said).toContain('provision.txt.processed');
  expect(said).toContain('PROVISION_KEY_REFUSED');
  expect(await readdir(join(folder, 'camera'))).toContain('thermal_config.json');
});

it.skipIf(missing !== undefined)(
  'docs/getting-started.md prepares a server, and its files provision cameras',
  async ({ onTestFinished }) => {
    const simulator = await startSimulator({ restPort: 0 });
    onTestFinished(() => simulator.close());
    const folder = await programFolder(onTestFinished);
    const page = 'docs/getting-started.md';
    const camera = (file: string): string => `mkdir of-${file}; cp ${file} of-${file}/provision.json
    touch of-${file}/provision.txt; thermal-provision run --dir of-${file} >/dev/null`;
    const script = [
      `export THINGSBOARD_PASSWORD=${REST_USER.password}`,
      commands(page, 'Prepare the server by commands'),
      camera('provision.json'),
      camera('camera-17.json'),
      commands(page, 'See the device on the server').replace('thermal-camera-00A1F3', 'camera-17'),
      '$setup allow-again camera-17',
    ]
      .join('\n')
      .replaceAll('packaging/', `${ROOT}packaging/`)
      .replaceAll('http://tb.example.com:8080', simulator.restUrl ?? '')
      .replaceAll('tb.example.com:1883', `127.0.0.1:${simulator.port}`);
    expect(await type(folder, script, '-euc')).toMatch(/^ {2}provisionState: "provisioned"$/m);
    expect(simulator.registry.counts).toMatchObject({ successes: 2, notFound: 0, failures: 0 });
    expect(simulator.registry.find('camera-17')?.provisioned).toBe(false);
  },
);
