import { execFileSync, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { put, scratchFolder } from '../config/scratch.ts';
import { bundledScript } from '../support/bundledScript.ts';

describe('the order that makes it durable', () => {
  const hasStrace = spawnSync('strace', ['-V']).error === undefined;

  /** The system calls on the folder, by name and path. */
  async function tracedCalls(folder: string, statement: string): Promise<string[]> {
    const source = `import { durableRemove, durableRename, durableReplace } from './src/files/durable.ts';\n${statement}`;
    const script = await bundledScript(await scratchFolder(), source);
    const trace = join(await scratchFolder(), 'trace');
    const calls = 'trace=openat,write,pwrite64,fsync,fchmod,rename,unlink,close';
    execFileSync('strace', ['-f', '-y', '-o', trace, '-e', calls, process.execPath, script, folder]);
    return (await readFile(trace, 'utf8')).split('\n').flatMap((line) => {
      const [, call, rest = ''] = /^\d+\s+(\w+)\((.*)$/.exec(line) ?? [];
      const named = [...rest.matchAll(/[<"](\/[^>"]*)[>"]/g)].map(([, name = '']) => name);
      const touched = named.filter((name) => name === folder || name.startsWith(`${folder}/`));
      if (call === undefined || touched.length === 0) return [];
      return [[call, ...new Set(touched.map((name) => name.slice(folder.length) || '/'))].join(' ')];
    });
  }

  it.runIf(hasStrace)('replaces: content, mode, fsync, rename, fsync of the folder (only with strace)', async () => {
    const folder = await scratchFolder();
    await put(join(folder, 'file.json'), 'old');
    const calls = await tracedCalls(
      folder,
      "await durableReplace(process.argv[2] + '/file.json', Buffer.from('new'), { mode: 0o640 });",
    );
    expect(calls).toEqual([
      'openat /file.json.tmp',
      'write /file.json.tmp',
      'fchmod /file.json.tmp',
      'fsync /file.json.tmp',
      'close /file.json.tmp',
      'rename /file.json.tmp /file.json',
      'openat /',
      'fsync /',
      'close /',
    ]);
  });

  it.runIf(hasStrace)('renames and removes: the fsync of the folder comes last (only with strace)', async () => {
    const folder = await scratchFolder();
    await put(join(folder, 'file.json'), 'old');
    const statement = `const folder = process.argv[2];
      await durableRename(folder + '/file.json', folder + '/other');
      await durableRemove(folder + '/other');`;
    const sync = ['openat /', 'fsync /', 'close /'];
    expect(await tracedCalls(folder, statement)).toEqual([
      'rename /file.json /other',
      ...sync,
      'unlink /other',
      ...sync,
    ]);
  });
});
