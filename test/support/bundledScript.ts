import { join } from 'node:path';
import { build } from 'esbuild';

const REPOSITORY = join(import.meta.dirname, '../..');
const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/**
 * Bundles a TypeScript program, whose imports are relative to the project's root, into one file that Node can run.
 * @param folder folder of the bundled file
 * @returns path of the bundled file
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
