// Packs the package, checks its contents, installs it into an empty folder and runs it there.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

const root = fileURLToPath(new URL('..', import.meta.url));
const ALLOWED = [
  /^package\.json$/,
  /^(README|CHANGELOG)\.md$/,
  /^dist\//,
  /^docs\/[a-z.-]+\.(md|json)$/,
  /^packaging\/thingsboard\/[a-z-]+\.sh$/,
  /^state-diagrams\/[a-z.]+\.svg$/,
];
const REQUIRED = [
  'package.json',
  'README.md',
  'dist/main.js',
  'dist/index.js',
  'dist/index.cjs',
  'dist/index.d.ts',
  'dist/index.d.cts',
  'dist/sbom.cdx.json',
  'packaging/thingsboard/setup-profile.sh',
  'state-diagrams/provision.svg',
];
const MAX_PACKED_BYTES = 2 * 1024 * 1024;
/** Problems with TypeScript's old resolution do not count. */
const UNSUPPORTED = ['node10'];

/** A TypeScript program that uses the library. */
const CALLER = `import { type FailureCode, provision } from 'thermal-provision';
const result = await provision({ dir: '/nowhere', onLog: (record): string => record.message });
const code: FailureCode | undefined = result.outcome === 'failed' ? result.failure.code : undefined;
console.log(code);
`;

const run = (command, args, cwd) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/** The complaints of publint and "Are the types wrong?" about the packed package. */
async function complaints(tarball) {
  const lint = await publint({ pack: { tarball: tarball.buffer }, strict: true });
  const pkg = lint.pkg;
  const analysis = await checkPackage(createPackageFromTarballData(tarball));
  if (analysis.types === false) return ['no types'];
  const wrong = analysis.problems.filter(({ resolutionKind }) => !UNSUPPORTED.includes(resolutionKind));
  return [...lint.messages.map((message) => formatMessage(message, pkg)), ...wrong.map((it) => JSON.stringify(it))];
}

/** Type-checks the caller against the declarations, strictly, and runs it. */
function useLibrary(place) {
  writeFileSync(join(place, 'caller.mts'), CALLER);
  const types = ['--typeRoots', join(root, 'node_modules/@types'), '--types', 'node'];
  const options = ['--strict', '--exactOptionalPropertyTypes', '--module', 'nodenext', '--target', 'es2022'];
  run('node', [join(root, 'node_modules/typescript/bin/tsc'), ...options, ...types, 'caller.mts'], place);
  const code = run('node', ['caller.mjs'], place).trim();
  if (code !== 'DEVICE_FOLDER_MISSING') throw new Error(`the library returned ${code}`);
}

const folder = mkdtempSync(join(tmpdir(), 'thermal-package-'));
try {
  run('node', ['scripts/build.mjs', '--sbom'], root);
  const [pack] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', folder], root));
  const names = pack.files.map(({ path }) => path);
  const foreign = names.filter((name) => !ALLOWED.some((pattern) => pattern.test(name)));
  if (foreign.length > 0) throw new Error(`files that users do not need: ${foreign.join(', ')}`);
  const missing = REQUIRED.filter((name) => !names.includes(name));
  if (missing.length > 0) throw new Error(`missing: ${missing.join(', ')}`);
  if (pack.size > MAX_PACKED_BYTES) throw new Error(`${pack.size} bytes are too many`);

  // A copy: the buffer of a small file is part of a larger one.
  const found = await complaints(Uint8Array.from(readFileSync(join(folder, pack.filename))));
  if (found.length > 0) throw new Error(found.join('\n'));

  const place = join(folder, 'place');
  run('mkdir', [place], root);
  writeFileSync(join(place, 'package.json'), '{"private":true}');
  run('npm', ['install', '--offline', '--no-save', join(folder, pack.filename)], place);
  const installed = run('ls', ['node_modules'], place).trim().split('\n');
  if (installed.join() !== 'thermal-provision')
    throw new Error(`the installation added other packages: ${installed.join(', ')}`);
  const binary = join(place, 'node_modules', '.bin', 'thermal-provision');
  const version = run(binary, ['--version'], place).trim();
  if (version !== pack.version) throw new Error(`--version printed ${version}`);
  const demo = run(binary, ['demo'], place);
  if (!demo.includes('Devices on the server: 1'))
    throw new Error('the demo of the installed package did not end with one device');
  useLibrary(place);
  console.log(
    `package: ${names.length} files, ${pack.size} bytes packed, ${pack.unpackedSize} unpacked; installs without other packages and runs`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
