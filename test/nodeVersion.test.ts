/** An old Node gets one sentence from program and library: the bundle is tried, because only the bundle must be readable. */
import { spawnSync } from 'node:child_process';
import { cp, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { nodeProblem } from '../src/nodeVersion.ts';
import { ROOT, readPage } from './docs/markdown.ts';
import { makeFolder } from './support/deviceFolder.ts';

const RANGES = [
  { major: 20, minor: 19, alone: true },
  { major: 22, minor: 6, alone: false },
];

describe('nodeProblem', () => {
  it.each(['20.19.0', '20.20.2', '22.6.0', '22.12.0', '24.0.0', '25.0.0-nightly'])('accepts %s', (version) => {
    expect(nodeProblem(version, RANGES)).toBeUndefined();
  });

  it.each(['10.24.1', '18.19.0', '20.0.0', '20.18.9', '21.7.3', '22.0.0', '22.5.1'])('refuses %s', (version) => {
    expect(nodeProblem(version, RANGES)).toBe(
      `thermal-provision needs Node 20.19 or a later 20.x, or 22.6 or later; ${process.execPath} is Node ${version}.`,
    );
  });
});

/** Runs before the program: it reports another version of Node. */
const PRETEND = "Object.defineProperty(process.versions, 'node', { value: process.env.PRETENDED });";

const STARTS = {
  'the program': ['node_modules/thermal-provision/dist/main.js', 'run'],
  'a program that imports the library': ['import.mjs'],
  'a program that requires the library': ['require.cjs'],
};

/** A folder with an installed package and two programs that use it. */
async function programFolder(): Promise<string> {
  const folder = await makeFolder(onTestFinished);
  const installed = join(folder, 'node_modules/thermal-provision');
  await cp(join(ROOT, 'package.json'), join(installed, 'package.json'));
  await symlink(dirname(inject('bundle')), join(installed, 'dist'));
  const use = "provision({ dir: '/nowhere' }).then(({ failure }) => console.log(failure.code));\n";
  await writeFile(join(folder, 'import.mjs'), `import { provision } from 'thermal-provision';\n${use}`);
  await writeFile(join(folder, 'require.cjs'), `const { provision } = require('thermal-provision');\n${use}`);
  await writeFile(join(folder, 'pretend.cjs'), PRETEND);
  return folder;
}

describe.each(Object.entries(STARTS))('%s', (_name, [script = '', ...args]) => {
  const start = (folder: string, program: string, version?: string) => {
    const pretend = version === undefined ? [] : ['--require', './pretend.cjs'];
    const options = { cwd: folder, encoding: 'utf8', env: { PRETENDED: version }, timeout: 20_000 } as const;
    const { status, stdout, stderr } = spawnSync(program, [...pretend, script, ...args], options);
    return { status, stdout, stderr };
  };

  it('ends with 78 and one sentence on an old Node', async () => {
    const { engines } = JSON.parse(readPage('package.json'));
    const [least = ''] = /\d+\.\d+/.exec(engines.node) ?? [];
    const folder = await programFolder();
    for (const version of ['20.18.3', '22.5.1']) {
      const { status, stdout, stderr } = start(folder, process.execPath, version);
      expect({ status, stdout }).toEqual({ status: 78, stdout: '' });
      expect(stderr).toMatch(/^thermal-provision needs Node .*\.\n$/);
      expect(stderr).toContain(`Node ${least} or`);
      expect(stderr).toContain(`is Node ${version}.`);
    }
  });

  const old = process.env.NODE18 ?? '';
  if (old === '') console.log('SKIPPED: a real old Node, the variable NODE18 names none');
  it.skipIf(old === '')('ends in the same way on a real old Node', async () => {
    const { status, stderr } = start(await programFolder(), old);
    expect(status).toBe(78);
    expect(stderr).toMatch(/^thermal-provision needs Node .*\.\n$/);
  });
});

describe('a program that uses the library on this Node', () => {
  it.each(['import.mjs', 'require.cjs'])('gets it (%s)', async (script) => {
    const folder = await programFolder();
    const { stdout, stderr } = spawnSync(process.execPath, [script], { cwd: folder, encoding: 'utf8', env: {} });
    expect({ stdout, stderr }).toEqual({ stdout: 'DEVICE_FOLDER_MISSING\n', stderr: '' });
  });

  it.each([
    ['catch', "import('thermal-provision').catch(({ code, stack }) => console.log(code, stack.split('\\n').length));"],
    [
      'handle as an uncaught error',
      "process.on('uncaughtException', ({ code, stack }) => console.log(code, stack.split('\\n').length));\n" +
        "import('thermal-provision');",
    ],
  ])('can %s the refusal of an old Node, which has no stack', async (_how, source) => {
    const folder = await programFolder();
    await writeFile(join(folder, 'own.mjs'), source);
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--require', './pretend.cjs', 'own.mjs'], {
      cwd: folder,
      encoding: 'utf8',
      env: { PRETENDED: '18.19.0' },
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'NODE_UNSUPPORTED 1\n', stderr: '' });
  });
});
