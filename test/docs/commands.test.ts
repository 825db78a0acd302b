import { execFile } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, inject, it } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import type { AtEnd } from '../support/atEnd.ts';
import { OLD_CONFIG } from '../support/deviceFiles.ts';
import { makeDeviceFolder, makeFolder } from '../support/deviceFolder.ts';
import { provisionedProblems } from '../support/provisionedDevice.ts';
import { startServer } from '../support/server.ts';
import { codeBlocks, readPage, sectionOf } from './markdown.ts';

const LIMIT_MS = 30_000;
const page = readPage('docs/operations.md');
const shown = ['README.md', 'docs/operations.md', 'docs/failures.md', 'docs/compatibility.md'].flatMap((name) =>
  codeBlocks(readPage(name), 'sh').flatMap((block) =>
    block
      .split('\n')
      .filter((line) => /^thermal-provision [a-z]/.test(line))
      .map((line) => ({ name, line: line.replace(/ +#.*$/, '') })),
  ),
);

it.each(shown)('$name shows a command line that the program understands: $line', ({ line }) => {
  const [, name, ...words] = line.split(' ');
  const command = createProgram().commands.find((one) => one.name() === name);
  const known = command?.options.map(({ long }) => long);
  expect(known).toEqual(expect.arrayContaining(words.filter((word) => word.startsWith('--'))));
});

/** The block of shell commands under a heading that holds a text. */
function commands(heading: string, holding: string): string {
  const [block = ''] = codeBlocks(sectionOf(page, heading), 'sh').filter((one) => one.includes(holding));
  return block;
}

/** A folder with the shipped program as `thermal-provision`. */
async function programFolder(atEnd: AtEnd): Promise<string> {
  const folder = await makeFolder(atEnd);
  const program = join(folder, 'thermal-provision');
  await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${inject('bundle')}' "$@"\n`);
  await chmod(program, 0o755);
  return folder;
}

describe('the commands of docs/operations.md', () => {
  it('do by hand what the page says; test/proofs/boot runs those that need a booted system', async ({
    onTestFinished,
  }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port, requested: false });
    const folder = await programFolder(onTestFinished);
    await writeFile(join(folder, 'provision.json'), await readFile(paths.provisionJson));
    const type = async (block: string): Promise<string> => {
      const script = block.replaceAll('/var/lib/thermal-camera', paths.deviceFolder);
      const { stdout } = await promisify(execFile)('sh', ['-euc', script], {
        cwd: folder,
        timeout: LIMIT_MS,
        env: { PATH: `${folder}:${process.env.PATH}`, THERMAL_BOARD_ID: 'board-1' },
      });
      return stdout;
    };
    const byHand = commands('Without the Debian package', 'thermal-provision run');
    expect(await type(byHand)).toMatch(/^status: done$/m);
    expect(await provisionedProblems(paths, server)).toEqual([]);
    await type(byHand);
    expect(await provisionedProblems(paths, server, 2)).toEqual([]);

    await type(commands('Backups', 'backups restore').replace(/restore 2 --dir \S+/, '$& --yes'));
    expect(await readFile(paths.thermalConfig, 'utf8')).toBe(OLD_CONFIG);
    await type(commands('A page for support', 'report').replace(/^thermal-provision inspect.*$/m, ''));
    expect(await readFile(join(folder, 'run.html'), 'utf8')).toMatch(/^<!doctype html>/i);
  });
});
