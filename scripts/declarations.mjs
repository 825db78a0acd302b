// Writes the package's type declarations: those of src/index.ts, which uses no type of a dependency.
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { loadTypeScript } from './loadTypeScript.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Replaces the import of a type that is derived from a table with the written-out type. */
function writeOut(declarations, type, description, names) {
  const imported = new RegExp(`^import .*\\b${type}\\b.* from '[^']+';$`, 'm');
  const union = names.map((name) => `\n    | '${name}'`).join('');
  return declarations.replace(imported, `/** ${description} */\nexport type ${type} =${union};`);
}

/** Writes `index.d.ts`, and the same as `index.d.cts` for CommonJS, into a folder, with the names of all failure codes and states. */
export async function writeDeclarations(outdir) {
  // `npm run check` checks the types; this only emits the declarations, file by file.
  const options = '--declaration --emitDeclarationOnly --noCheck --noResolve --allowImportingTsExtensions';
  const target = ['--module', 'nodenext', '--target', 'es2023', '--types', 'node', '--stripInternal'];
  const args = ['--ignoreConfig', ...options.split(' '), ...target, '--outDir', outdir, `${root}src/index.ts`];
  await promisify(execFile)(process.execPath, [`${root}node_modules/typescript/bin/tsc`, ...args]);
  const { FAILURES, PROVISION_STATES } = await loadTypeScript(
    `export { FAILURES } from './src/failures/catalogue.ts';
     export { PROVISION_STATES } from './machines/provision.states.ts';`,
  );
  const path = `${outdir}/index.d.ts`;
  let text = await readFile(path, 'utf8');
  text = writeOut(text, 'FailureCode', 'Stable: docs/failures.md has an entry for each.', Object.keys(FAILURES));
  text = writeOut(
    text,
    'ProvisionState',
    'A state of the chart (docs/architecture.md, "The chart").',
    PROVISION_STATES,
  );
  const foreign = /^(import|export) .*\bfrom\b.*$|\bimport\(.*$/m.exec(text);
  if (foreign !== null) throw new Error(`index.d.ts must not import anything, but has: ${foreign[0]}`);
  for (const each of [path, `${outdir}/index.d.cts`]) await writeFile(each, text);
}
