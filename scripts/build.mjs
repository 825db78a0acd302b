// Builds the shipped bundle, one build with splitting (docs/architecture.md, "What a start loads"):
// npm run build, or node scripts/build.mjs [--device] [[--outdir] FOLDER]
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { writeDeclarations } from './declarations.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path) => readFile(`${root}${path}`, 'utf8');

/** Replaced modules. The build fails when nothing imports one of them. */
const ALIAS = {
  // Security: with DEBUG=* in the environment MQTT.js would print keys and tokens.
  debug: 'scripts/alias/debug.cjs',
  // MQTT.js and winston contain three copies of Node's streams: 160 kB, and 12 ms of a run.
  'readable-stream': 'scripts/alias/readableStream.cjs',
  'readable-stream/lib/_stream_writable.js': 'scripts/alias/writableStream.cjs',
};

// CommonJS libraries call require() for Node's own modules; an ES module has no require().
const REQUIRE =
  'const require=(id)=>{const found=process.getBuiltinModule(id);' +
  'if(found)return found;throw new Error(id+" is not in the bundle")};';

// --device: the program of the Debian package, without simulator, demo and library (scripts/packageDeb.mjs).
const { values, positionals } = parseArgs({
  options: { outdir: { type: 'string' }, device: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const outdir = resolve(values.outdir ?? positionals[0] ?? `${root}dist`);
await rm(outdir, { recursive: true, force: true });

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: values.device ? { main: 'src/deviceMain.ts' } : { main: 'src/main.ts', index: 'src/index.ts' },
  outdir,
  bundle: true,
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  // jsonc-parser's CommonJS build loads its parts by computed names, which a bundler can't follow.
  mainFields: ['module', 'main'],
  alias: Object.fromEntries(Object.entries(ALIAS).map(([name, path]) => [name, `./${path}`])),
  minify: true,
  legalComments: 'linked',
  metafile: true,
  define: {
    AGENT_VERSION: JSON.stringify(JSON.parse(await read('package.json')).version),
    // As text: esbuild would put an object into a part that every start of the program loads.
    CHART_PICTURES: JSON.stringify(
      JSON.stringify({
        provision: await read('state-diagrams/provision.svg'),
        telemetry: await read('state-diagrams/telemetry.svg'),
      }),
    ),
    // Removes winston's code for development.
    'process.env.NODE_ENV': '"production"',
  },
  banner: { js: REQUIRE },
  logLevel: 'warning',
});

const unused = Object.keys(ALIAS).filter((name) => !(ALIAS[name] in metafile.inputs));
if (unused.length > 0) throw new Error(`nothing imports ${unused.join(', ')}: remove the alias, or correct its name`);

await chmod(`${outdir}/main.js`, 0o755);
if (values.device) await writeFile(`${outdir}/inputs.json`, JSON.stringify(Object.keys(metafile.inputs).sort()));
else await writeDeclarations(outdir);
const bytes = Object.values(metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
console.log(`built main.js and its parts: ${(bytes / 1024).toFixed(0)} kB`);
