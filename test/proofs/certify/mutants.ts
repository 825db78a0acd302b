/** Builds of the agent, each with one protection removed. Every suite must detect a build of these. */

import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

interface Mutant {
  /** Name of the removed protection. */
  readonly name: string;
  /** Path relative to the project. */
  readonly file: string;
  /** Must occur exactly once: no suite could detect a mutant without a change. */
  readonly find: string;
  readonly replace: string;
}

export const MUTANTS = [
  {
    name: 'no-fsync',
    file: 'src/files/durable.ts',
    find: '    if (sync) await handle.sync();\n',
    replace: '',
  },
  {
    name: 'no-folder-fsync',
    file: 'src/files/durable.ts',
    find: 'try {\n    await handle.sync();',
    replace: 'try {\n',
  },
  {
    name: 'no-barrier',
    file: 'src/effects/index.ts',
    find: '  await barrier.durable();\n',
    replace: '',
  },
  {
    // Every probe ends as if the server knew none of the names.
    name: 'no-reconcile',
    file: 'src/effects/reconcile.ts',
    find: 'of probedNewestFirst(credentials.candidates, input)',
    replace: 'of probedNewestFirst([], input)',
  },
  {
    // Each process takes its own lock, and no socket file can be made.
    name: 'no-lock',
    file: 'src/device/lock.ts',
    find: 'server.listen(name, ',
    replace: "server.listen(name + '/' + process.pid, ",
  },
  {
    name: 'backup-by-copyFile',
    file: 'src/config/thermal/backups.ts',
    find: '  await writeOwnFile(path, bytes);',
    replace: "  await (await import('node:fs/promises')).copyFile(join(folder, 'thermal_config.json'), path);",
  },
  {
    name: 'config-in-place',
    file: 'src/effects/write.ts',
    find: '  await durableReplace(existing.path, content, attributes);',
    replace: "  await (await import('node:fs/promises')).writeFile(existing.path, content, { flush: true });",
  },
  {
    name: 'one-retry-more',
    file: 'machines/provision.machine.ts',
    find: 'reportedFailure(event)?.retryable === true && context.retries < (',
    replace: 'reportedFailure(event)?.retryable === true && context.retries <= (',
  },
  {
    name: 'secret-in-log',
    file: 'src/effects/write.ts',
    find: '    token: fingerprintOf(issued.credentials),',
    replace: "    token: 'token' in issued.credentials ? issued.credentials.token.reveal() : '',",
  },
  {
    // A failed save counts as saved.
    name: 'failed-save-passes',
    file: 'src/provision/snapshotWriter.ts',
    find: 'null, 2)}\\n`));\n    written',
    replace: 'null, 2)}\\n`)).catch(() => {});\n    written',
  },
  {
    name: 'no-time-limit',
    file: 'src/thingsboard/exchange.ts',
    find: 'const deadline = failAfter(options.timeoutMs);',
    replace: 'const deadline = failAfter(600_000);',
  },
  {
    // The effect of a resumed state does not restart.
    name: 'no-reenter',
    file: 'machines/provision.machine.ts',
    find: "RESUME: { guard: 'mayResume', target: 'write', reenter: true,",
    replace: "RESUME: { guard: 'mayResume', target: 'write',",
  },
  {
    name: 'links-followed',
    file: 'src/files/note.ts',
    find: `await removeNote(path);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;`,
    replace: 'const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC;',
  },
  {
    name: 'backups-pile-up',
    file: 'src/config/thermal/backups.ts',
    find: 'own.slice(keep)',
    replace: 'own.slice(100 * keep)',
  },
  {
    // A new token at each life of the card, in spite of the board secret.
    name: 'token-not-derived',
    file: 'src/effects/prepare.ts',
    find: 'await (derive?.(name) ??\n',
    replace: 'await (\n',
  },
  {
    // A camera with a board secret asks for registration first, as any other.
    name: 'no-question-first',
    file: 'src/effects/prepare.ts',
    find: 'reused: derived || ',
    replace: 'reused: ',
  },
  {
    name: 'key-not-durable',
    file: 'src/config/thermal/clientFiles.ts',
    find: 'await durableReplace(join(deviceFolder, names.keyFile), ',
    replace:
      "await ((path: string, bytes: Uint8Array, { mode }: FileAttributes) => import('node:fs/promises').then((fs) => fs.writeFile(path, bytes, { mode })))(join(deviceFolder, names.keyFile), ",
  },
] as const satisfies readonly Mutant[];

export type MutantName = (typeof MUTANTS)[number]['name'];

/** The sources of the agent and the suites. */
const SOURCES = ['src', 'machines', 'state-diagrams', 'scripts', 'test', 'package.json', 'tsconfig.json'];

/**
 * Copies the project's sources and changes one place in the copy.
 * @param folder folder of the copy; its old content is removed
 * @param project the project's root; default: the current folder
 * @throws when the place does not occur exactly once
 */
export async function copyMutant(name: MutantName, folder: string, project = process.cwd()): Promise<void> {
  const mutant = MUTANTS.find((known) => known.name === name);
  if (mutant === undefined) throw new Error(`no mutant is named ${name}`);
  const { file, find, replace } = mutant;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const source of SOURCES) await cp(join(project, source), join(folder, source), { recursive: true });
  await symlink(resolve(project, 'node_modules'), join(folder, 'node_modules'));
  const text = await readFile(join(folder, file), 'utf8');
  const places = text.split(find).length - 1;
  if (places !== 1) throw new Error(`${name}: the place to change occurs ${places} times in ${file}`);
  await writeFile(
    join(folder, file),
    text.replace(find, () => replace),
  );
}
