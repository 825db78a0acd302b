import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { PROVISION_STATES } from '../../machines/provision.states.ts';
import { FAILURES } from '../../src/failures/catalogue.ts';
import type { AtEnd } from '../support/atEnd.ts';
import { makeDeviceFolder, makeFolder } from '../support/deviceFolder.ts';
import { provisionedProblems } from '../support/provisionedDevice.ts';
import { startServer, watchEvents } from '../support/server.ts';
import { codeBlocks, ROOT, readPage, rowsUnder } from './markdown.ts';

const page = readPage('docs/library.md');

/** A folder with an installed `thermal-provision`: the package's package.json and the built bundle. */
async function programFolder(atEnd: AtEnd): Promise<string> {
  const folder = await makeFolder(atEnd);
  const installed = join(folder, 'node_modules/thermal-provision');
  await mkdir(installed, { recursive: true });
  await cp(join(ROOT, 'package.json'), join(installed, 'package.json'));
  await symlink(dirname(inject('bundle')), join(installed, 'dist'));
  return folder;
}

interface Program {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly status: number | null; readonly output: string; readonly errors: string }>;
}

async function startProgram(atEnd: AtEnd, source: string, dir: string): Promise<Program> {
  const path = join(await programFolder(atEnd), 'program.mjs');
  await writeFile(path, source);
  const child = spawn(process.execPath, [path, dir], { stdio: ['ignore', 'pipe', 'pipe'], env: {} });
  atEnd(() => void child.kill('SIGKILL'));
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const ended = new Promise<Awaited<Program['ended']>>((resolve) => {
    child.once('close', (status) => resolve({ status, output, errors }));
  });
  return { child, ended };
}

const [example = ''] = codeBlocks(page, 'js');

describe.concurrent('the example of docs/library.md', () => {
  it('provisions a device', async ({ expect, onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    const { status, output, errors } = await (await startProgram(onTestFinished, example, paths.deviceFolder)).ended;
    expect({ status, errors }).toEqual({ status: 0, errors: '' });
    expect(await provisionedProblems(paths, server)).toEqual([]);
    expect(output).toContain('1/8 detect (try 1 of ?)\n');
    expect(output).toContain('8/8 provisioned (try 1 of 1)\n');
    expect(output.trim().split('\n').at(-1)).toBe(`This camera is ${server.registry.devices()[0]?.name}`);
  });

  it("ends with a failure's status, and says what to do", async ({ expect, onTestFinished }) => {
    const dir = await makeFolder(onTestFinished);
    await writeFile(join(dir, 'provision.txt'), '');
    const { status, errors } = await (await startProgram(onTestFinished, example, dir)).ended;
    const { exitStatus, hint } = FAILURES.PROVISION_JSON_MISSING;
    expect(status).toBe(exitStatus);
    expect(errors).toContain('PROVISION_JSON_MISSING: ');
    expect(errors).toContain(hint);
  });

  it('is interrupted by its own SIGTERM handler, and resumes', async ({ expect, onTestFinished }) => {
    const watch = watchEvents();
    const slow = { on: 'request', nth: 1, action: 'delay', ms: 3000 } as const;
    const server = await startServer(onTestFinished, { faults: [slow], onEvent: watch.onEvent });
    const provisioning = { timeout_seconds: 5 };
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port, provisioning });
    const program = await startProgram(onTestFinished, example, paths.deviceFolder);
    watch.when('commit', () => program.child.kill('SIGTERM'));
    const cut = await program.ended;
    expect(cut.status).toBe(75);
    expect(cut.output).toContain('Interrupted; the next start resumes the run');

    const { status } = await (await startProgram(onTestFinished, example, paths.deviceFolder)).ended;
    expect(status).toBe(0);
    expect(await provisionedProblems(paths, server)).toEqual([]);
    expect(server.registry.counts.provisionRequests).toBe(1);
  });
});

const SILENT = `
const handlers = () => process.eventNames().map((name) => String(name) + process.listenerCount(name)).join();
const before = handlers();
const { provision } = await import('thermal-provision');
const { outcome } = await provision({ dir: process.argv[2] });
console.log(outcome, handlers() === before ? 'no more handlers' : handlers());
`;

describe.concurrent('an embedding program', () => {
  it.for([true, false])(
    'gets no output and no signal handlers, and its process ends after the run (success: %s)',
    async (well, { expect, onTestFinished }) => {
      const server = await startServer(onTestFinished);
      const port = well ? server.port : 1;
      const { paths } = await makeDeviceFolder(onTestFinished, { port });
      const { status, output, errors } = await (await startProgram(onTestFinished, SILENT, paths.deviceFolder)).ended;
      const told = `${well ? 'provisioned' : 'failed'} no more handlers\n`;
      expect({ status, errors, output }).toEqual({ status: 0, errors: '', output: told });
    },
  );

  it('finds declarations without types of dependencies', async ({ expect }) => {
    const declarations = await readFile(join(dirname(inject('bundle')), 'index.d.ts'), 'utf8');
    expect(declarations).not.toMatch(/\b(import|from|require|xstate|zod)\b.*['"]/);
    for (const name of [...Object.keys(FAILURES), ...PROVISION_STATES]) expect(declarations).toContain(`| '${name}'`);
  });
});

/** The names of an interface's members in src/index.ts. */
function membersOf(name: string): string[] {
  const [, body = ''] =
    new RegExp(`^export interface ${name} \\{\\n(.*?)^\\}`, 'ms').exec(readPage('src/index.ts')) ?? [];
  return [...body.matchAll(/^ {2}readonly (\w+)/gm)].map(([, member = '']) => member);
}

it('explains every option and every outcome', () => {
  expect(rowsUnder(page, 'option').map(([name]) => name)).toEqual(membersOf('ProvisionOptions'));
  const outcomes = [...readPage('src/index.ts').matchAll(/^export type ProvisionResult = (.*);$/gm)].flatMap(
    ([, union = '']) => [...union.matchAll(/'(\w+)'/g)].map(([, outcome]) => outcome),
  );
  expect(outcomes).toHaveLength(4);
  expect(
    rowsUnder(page, 'outcome')
      .map(([outcome]) => outcome)
      .toSorted(),
  ).toEqual([...outcomes, 'failed'].toSorted());
});
