// Builds the shipped bundle, one build with splitting (docs/architecture.md, "What a start loads"):
// npm run build, or node scripts/build.mjs [--device] [--sbom] [[--outdir] FOLDER] [--metafile FILE]
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
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

// CommonJS libraries call require() for Node's own modules; an ES module has no require(). Each call of theirs goes
// through a function of esbuild, which is in one file: the build removes this line from the others.
const REQUIRE =
  'const require=(id)=>{const found=process.getBuiltinModule(id);' +
  'if(found)return found;throw new Error(id+" is not in the bundle")};';

// --device: the program of the Debian package, without simulator, demo and library (scripts/packageDeb.mjs).
// --sbom: with its bill of materials. --metafile: where to write what is in the bundle, as esbuild says it.
const { values, positionals } = parseArgs({
  options: {
    outdir: { type: 'string' },
    device: { type: 'boolean', default: false },
    sbom: { type: 'boolean', default: false },
    metafile: { type: 'string' },
  },
  allowPositionals: true,
});
const outdir = resolve(values.outdir ?? positionals[0] ?? `${root}dist`);
await rm(outdir, { recursive: true, force: true });

const { engines, version } = JSON.parse(await read('package.json'));

/** `engines.node` as src/nodeVersion.ts needs it. Any other form than `^20.19 || >=22.6` ends the build. */
const nodeRanges = engines.node.split(' || ').map((range) => {
  const [, sign, major, minor] = /^(\^|>=)(\d+)\.(\d+)$/.exec(range);
  return { major: Number(major), minor: Number(minor), alone: sign === '^' };
});

/** What the first files load: name of the file in chunks/ and source. */
const loaded = {};

const loadFromChunks = {
  name: 'load from chunks/',
  setup: ({ onResolve }) =>
    onResolve({ filter: /\.ts$/ }, ({ kind, path, resolveDir }) => {
      if (kind !== 'dynamic-import') return undefined;
      const name = `chunks/${basename(path, '.ts')}`;
      loaded[name] = join(resolveDir, path);
      return { path: `./${name}.js`, external: true };
    }),
};

/**
 * Builds the files that programs start or import. Old versions of Node can read them, too: they say which version is
 * needed (src/nodeVersion.ts), and only then load the rest.
 */
const buildFirst = (entryPoints, format, extension) =>
  build({
    absWorkingDir: root,
    entryPoints,
    outdir,
    outExtension: { '.js': extension },
    bundle: true,
    format,
    platform: 'node',
    target: 'node12.20',
    minify: true,
    metafile: true,
    define: { NODE_RANGES: JSON.stringify(nodeRanges) },
    plugins: [loadFromChunks],
    logLevel: 'warning',
  });

const first = await Promise.all(
  values.device
    ? [buildFirst({ main: 'src/deviceMain.ts' }, 'esm', '.js')]
    : [
        buildFirst({ main: 'src/main.ts', index: 'src/libraryMain.ts' }, 'esm', '.js'),
        buildFirst({ index: 'src/libraryMain.ts' }, 'cjs', '.cjs'),
      ],
);

const { metafile } = await build({
  absWorkingDir: root,
  // Sorted: the first builds find them at the same time, and their order changes names in the bundle.
  entryPoints: Object.fromEntries(Object.entries(loaded).sort()),
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
    AGENT_VERSION: JSON.stringify(version),
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

for (const path of Object.keys(metafile.outputs).filter((name) => name.endsWith('.js'))) {
  const text = (await read(path)).replace(`${REQUIRE}\n`, '');
  if (!text.includes('require')) await writeFile(`${root}${path}`, text);
}

const unused = Object.keys(ALIAS).filter((name) => !(ALIAS[name] in metafile.inputs));
if (unused.length > 0) throw new Error(`nothing imports ${unused.join(', ')}: remove the alias, or correct its name`);

await chmod(`${outdir}/main.js`, 0o755);
const built = [...first.map((one) => one.metafile), metafile];
const whole = {
  inputs: Object.assign({}, ...built.map((one) => one.inputs)),
  outputs: Object.assign({}, ...built.map((one) => one.outputs)),
};
if (values.metafile !== undefined) await writeFile(values.metafile, JSON.stringify(whole));
if (!values.device) await writeDeclarations(outdir);
if (values.sbom) {
  const { billOfMaterials } = await import('./sbom/billOfMaterials.mjs');
  await writeFile(`${outdir}/sbom.cdx.json`, await billOfMaterials(root, whole));
}
const bytes = Object.values(whole.outputs).reduce((sum, output) => sum + output.bytes, 0);
console.log(`built main.js and its parts: ${(bytes / 1024).toFixed(0)} kB`);
