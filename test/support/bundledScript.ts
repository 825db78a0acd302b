import { join } from 'node:path';
import { build } from 'esbuild';

const REPOSITORY = join(import.meta.dirname, '../..');
const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/**
 * Makes a TypeScript program, whose imports are relative to the project's root, one that Node runs by itself.
 * @param folder where to put it
 * @returns its path
 */
export async function bundledScript(folder: string, source: string): Promise<string> {
  const outfile = join(folder, 'script.mjs');
  await build({
    stdin: { contents: source, resolveDir: REPOSITORY, loader: 'ts' },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: { js: REQUIRE },
    logLevel: 'silent',
  });
  return outfile;
}
