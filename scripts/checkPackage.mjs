// Packs the package, looks at what is in it, installs it into an empty folder and runs it there.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const ALLOWED = [
  /^package\.json$/,
  /^README\.md$/,
  /^dist\//,
  /^docs\/[a-z.-]+\.(md|json)$/,
  /^state-diagrams\/[a-z.]+\.svg$/,
];
const REQUIRED = ['package.json', 'README.md', 'dist/main.js', 'state-diagrams/provision.svg'];
const MAX_PACKED_BYTES = 2 * 1024 * 1024;

const run = (command, args, cwd) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const folder = mkdtempSync(join(tmpdir(), 'thermal-package-'));
try {
  run('node', ['scripts/build.mjs'], root);
  const [pack] = JSON.parse(run('npm', ['pack', '--json', '--pack-destination', folder], root));
  const names = pack.files.map(({ path }) => path);
  const foreign = names.filter((name) => !ALLOWED.some((pattern) => pattern.test(name)));
  if (foreign.length > 0) throw new Error(`not for users: ${foreign.join(', ')}`);
  const missing = REQUIRED.filter((name) => !names.includes(name));
  if (missing.length > 0) throw new Error(`missing: ${missing.join(', ')}`);
  if (pack.size > MAX_PACKED_BYTES) throw new Error(`${pack.size} bytes are too many`);

  const place = join(folder, 'place');
  run('mkdir', [place], root);
  writeFileSync(join(place, 'package.json'), '{"private":true}');
  run('npm', ['install', '--offline', '--no-save', join(folder, pack.filename)], place);
  const installed = run('ls', ['node_modules'], place).trim().split('\n');
  if (installed.join() !== 'thermal-provision') throw new Error(`installed more than itself: ${installed.join(', ')}`);
  const binary = join(place, 'node_modules', '.bin', 'thermal-provision');
  const version = run(binary, ['--version'], place).trim();
  if (version !== pack.version) throw new Error(`--version says ${version}`);
  const demo = run(binary, ['demo'], place);
  if (!demo.includes('Devices on the server: 1')) throw new Error('the installed demo did not end with one device');
  console.log(
    `package: ${names.length} files, ${pack.size} bytes packed, ${pack.unpackedSize} unpacked; installs alone and runs`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
