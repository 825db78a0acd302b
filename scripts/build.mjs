// The shipped bundle: the program and the library, split so that each command loads only its own parts
// (docs/architecture.md, "Start-up").
import { chmod, readFile, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { writeDeclarations } from './declarations.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));

async function chartPictures() {
  const picture = (chart) => readFile(new URL(`../state-diagrams/${chart}.svg`, import.meta.url), 'utf8');
  return { provision: await picture('provision'), telemetry: await picture('telemetry') };
}

// Tests build into a folder of their own (test/support/buildBundle.ts): node scripts/build.mjs [--outdir] FOLDER
const { values, positionals } = parseArgs({ options: { outdir: { type: 'string' } }, allowPositionals: true });
const outdir = values.outdir ?? positionals[0] ?? `${root}dist`;
await rm(outdir, { recursive: true, force: true });
const result = await build({
  absWorkingDir: root,
  entryPoints: { main: 'src/main.ts', index: 'src/index.ts' },
  outdir,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  // jsonc-parser's CommonJS build loads its parts by computed names, which no bundler can follow.
  mainFields: ['module', 'main'],
  target: 'node20.19',
  minify: true,
  keepNames: true,
  legalComments: 'linked',
  metafile: true,
  // The pages of `report` and `--inspect` bring the charts along.
  define: { AGENT_VERSION: JSON.stringify(version), CHART_PICTURES: JSON.stringify(await chartPictures()) },
  // CommonJS dependencies inside an ESM bundle still call require() for Node's own modules.
  banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
  chunkNames: 'chunks/[name]-[hash]',
  logLevel: 'warning',
});
await chmod(`${outdir}/main.js`, 0o755);
await writeDeclarations(outdir);
const bytes = Object.values(result.metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
console.log(`built main.js and its parts: ${(bytes / 1024).toFixed(0)} kB`);
