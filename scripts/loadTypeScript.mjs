// Imports TypeScript sources into a script, because Node 20 can't.
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Bundles TypeScript code, with imports relative to the project's root, and imports the result. */
export async function loadTypeScript(contents) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root, loader: 'ts' },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    mainFields: ['module', 'main'],
    logLevel: 'warning',
  });
  // Without a name of its own an error would print the whole address with each line of its stack.
  const text = `${outputFiles[0].text}\n//# sourceURL=${import.meta.url}/bundle.mjs\n`;
  return import(`data:text/javascript;base64,${Buffer.from(text).toString('base64')}`);
}
