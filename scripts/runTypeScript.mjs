// Runs TypeScript programs of the project in their own processes, with their dependencies from node_modules.
import { spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Builds dist/ unless `--agent` names another build. The build prints to standard error. */
export function buildAgentUnlessGiven(args) {
  if (args.some((argument) => /^--agent(=|$)/.test(argument))) return;
  const { status } = spawnSync(process.execPath, [`${root}scripts/build.mjs`], { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error('the agent could not be built');
}

/**
 * @param entry path below the project's root
 * @param nodeOptions e.g. --expose-gc
 * @returns the program's exit status
 */
export async function runTypeScript(entry, args = [], nodeOptions = []) {
  // Below node_modules, so that Node finds the packages that are not in the bundle. As deep as the rooms of src/, so that
  // their paths to files of the project are right.
  const program = `${root}node_modules/.cache/program-${process.pid}.mjs`;
  try {
    await build({
      absWorkingDir: root,
      entryPoints: [entry],
      outfile: program,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20.19',
      packages: 'external',
      logLevel: 'warning',
    });
    const { status } = spawnSync(process.execPath, [...nodeOptions, program, ...args], { cwd: root, stdio: 'inherit' });
    return status ?? 1;
  } finally {
    await rm(program, { force: true });
  }
}
