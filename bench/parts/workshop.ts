/** The set-up of the measurements: the built agent, simulators in their own processes, device folders. */

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { devicePaths } from '../../src/device/paths.ts';
import { OLD_CONFIG, provisionJsonText, putTrigger } from '../../test/support/deviceFiles.ts';

export interface Workshop {
  readonly scratch: string;
  /** main.js of the bundle. */
  readonly agent: string;
  /** An empty ES module. */
  readonly empty: string;
  /** bench/bareProvision.mjs, bundled like the agent. */
  readonly bareBundled: string;
  readonly bare: string;
  readonly preload: string;
  /** Port of the simulator. */
  readonly port: number;
  /** Port of the simulator with TLS. */
  readonly tlsPort: number;
  /** Makes a folder with provision.json, thermal_config.json and provision.txt. */
  deviceFolder(options?: { readonly port?: number; readonly useSsl?: boolean }): Promise<string>;
  close(): Promise<void>;
}

const REQUIRE = "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);";

async function bundleBare(root: string, outfile: string): Promise<void> {
  await build({
    entryPoints: [join(root, 'bench/bareProvision.mjs')],
    outfile,
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    mainFields: ['module', 'main'],
    banner: { js: REQUIRE },
    logLevel: 'warning',
  });
}

/** The port that a simulator prints. */
function portOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.once('exit', () => reject(new Error(`The simulator has ended: ${text}`)));
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      const port = /listening on \w+:\/\/[^ ]*:(\d+)/.exec(text)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
  });
}

/** @param root the project's root @param agent main.js of the agent; default: a new build */
export async function openWorkshop(root: string, agent: string | undefined): Promise<Workshop> {
  const scratch = await mkdtemp(join(tmpdir(), 'thermal-bench-'));
  await writeFile(join(scratch, 'package.json'), '{"type":"module"}\n');
  const buildInto = async (folder: string, ...more: readonly string[]): Promise<string> => {
    await promisify(execFile)(process.execPath, [join(root, 'scripts/build.mjs'), ...more, folder]);
    return join(folder, 'main.js');
  };
  const program = await buildInto(join(scratch, 'dist'));
  // Cameras run the program of the Debian package.
  const main = agent ?? (await buildInto(join(scratch, 'device'), '--device'));
  const empty = join(scratch, 'empty.js');
  await writeFile(empty, '');
  const bareBundled = join(scratch, 'bare.js');
  await bundleBare(root, bareBundled);
  const simulate = (...more: readonly string[]) =>
    spawn(process.execPath, [program, 'simulate', '--port', '0', '--quiet', ...more], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  const simulator = simulate();
  const port = await portOf(simulator);
  const caFile = join(scratch, 'ca.pem');
  const tlsSimulator = simulate('--tls', '--ca-out', caFile);
  const tlsPort = await portOf(tlsSimulator);
  let folders = 0;
  return {
    scratch,
    agent: main,
    empty,
    bareBundled,
    bare: join(root, 'bench/bareProvision.mjs'),
    preload: join(root, 'bench/reportUse.cjs'),
    port,
    tlsPort,
    async deviceFolder({ port: serverPort = port, useSsl = false } = {}) {
      folders += 1;
      const paths = devicePaths(join(scratch, `device-${folders}`));
      await mkdir(paths.deviceFolder);
      await writeFile(
        paths.provisionJson,
        provisionJsonText({
          port: serverPort,
          provisioning: {
            // A bench may measure in RAM.
            allow_volatile_storage: true,
            ...(useSsl ? { use_ssl: true, ca_file: caFile } : {}),
          },
        }),
      );
      await writeFile(paths.thermalConfig, OLD_CONFIG);
      await putTrigger(paths);
      return paths.deviceFolder;
    },
    async close() {
      simulator.kill();
      tlsSimulator.kill();
      await rm(scratch, { recursive: true, force: true });
    },
  };
}
