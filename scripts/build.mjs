// The shipped bundle: main.js is a whole boot without work, run.js a whole run, each in one file; the other commands
// and the library are split, so that each loads only its own parts
// (docs/architecture.md, "Start-up").
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { builtinsAsNeeded, lean, loadedLater } from './bundleParts.mjs';
import { writeDeclarations } from './declarations.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));

async function chartPictures() {
  const picture = (chart) => readFile(new URL(`../state-diagrams/${chart}.svg`, import.meta.url), 'utf8');
  return { provision: await picture('provision'), telemetry: await picture('telemetry') };
}

// Tests build into a folder of their own (test/support/buildBundle.ts): node scripts/build.mjs [--outdir] FOLDER
// --device: what the Debian package holds, without simulator, demonstration and library (scripts/packageDeb.mjs).
const { values, positionals } = parseArgs({
  options: { outdir: { type: 'string' }, device: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const outdir = values.outdir ?? positionals[0] ?? `${root}dist`;
await rm(outdir, { recursive: true, force: true });
const settings = {
  absWorkingDir: root,
  outdir,
  bundle: true,
  format: 'esm',
  platform: 'node',
  // jsonc-parser's CommonJS build loads its parts by computed names, which no bundler can follow.
  mainFields: ['module', 'main'],
  target: 'node20.19',
  minify: true,
  legalComments: 'linked',
  metafile: true,
  define: {
    AGENT_VERSION: JSON.stringify(version),
    // The pages of `report` and `--inspect` bring the charts along.
    CHART_PICTURES: JSON.stringify(await chartPictures()),
    // winston would load its diagnostics for developers.
    'process.env.NODE_ENV': '"production"',
  },
  chunkNames: 'chunks/[name]-[hash]',
  logLevel: 'warning',
};
// CommonJS dependencies inside an ESM bundle still call require() for Node's own modules.
const banner = { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" };
const { device } = values;
const main = await build({
  ...settings,
  entryPoints: { main: device ? 'src/deviceMain.ts' : 'src/main.ts' },
  plugins: [loadedLater, builtinsAsNeeded],
});
const run = await build({ ...settings, entryPoints: { run: 'src/cli/runPlain.ts' }, banner, plugins: [lean] });
const commands = await build({
  ...settings,
  entryPoints: device
    ? { program: 'src/cli/deviceProgram.ts' }
    : { program: 'src/cli/program.ts', index: 'src/index.ts' },
  splitting: true,
  // For who embeds the library. main.js and run.js do without: names cost 4 MB, and nothing reads them.
  keepNames: true,
  banner,
  plugins: [lean],
});
await chmod(`${outdir}/main.js`, 0o755);
const metafiles = [main, run, commands].map(({ metafile }) => metafile);
const inputs = [...new Set(metafiles.flatMap((metafile) => Object.keys(metafile.inputs)))].sort();
if (device) await writeFile(`${outdir}/inputs.json`, JSON.stringify(inputs));
else await writeDeclarations(outdir);
const outputs = metafiles.flatMap((metafile) => Object.values(metafile.outputs));
const bytes = outputs.reduce((sum, output) => sum + output.bytes, 0);
console.log(`built main.js and its parts: ${(bytes / 1024).toFixed(0)} kB`);
