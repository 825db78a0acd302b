// The package's type declarations: those of src/index.ts, which names no type of a dependency.
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { loadTypeScript } from './loadTypeScript.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const CODES = /^import .*\bFailureCode\b.* from '\.\/failures\/\w+\.ts';$/m;

/** Writes `index.d.ts` into a folder. The failure codes, which are derived from their catalogue, are put in by name. */
export async function writeDeclarations(outdir) {
  // `npm run check` looks at the types; here they are only copied out, file by file.
  const options = '--declaration --emitDeclarationOnly --noCheck --noResolve --allowImportingTsExtensions';
  const target = ['--module', 'nodenext', '--target', 'es2023', '--types', 'node', '--stripInternal'];
  const args = ['--ignoreConfig', ...options.split(' '), ...target, '--outDir', outdir, `${root}src/index.ts`];
  await promisify(execFile)(process.execPath, [`${root}node_modules/typescript/bin/tsc`, ...args]);
  const { FAILURES } = await loadTypeScript(`export { FAILURES } from './src/failures/catalogue.ts';`);
  const codes = Object.keys(FAILURES).map((code) => `'${code}'`);
  const path = `${outdir}/index.d.ts`;
  const text = (await readFile(path, 'utf8')).replace(
    CODES,
    `/** Stable: docs/failures.md has an entry for each. */\nexport type FailureCode =\n    | ${codes.join('\n    | ')};`,
  );
  const foreign = /^(import|export) .*\bfrom\b.*$|\bimport\(.*$/m.exec(text);
  if (foreign !== null) throw new Error(`index.d.ts must stand by itself, but has: ${foreign[0]}`);
  await writeFile(path, text);
}
