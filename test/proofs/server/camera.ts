/** A camera: a device folder, and the shipped agent that is started on it. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { devicePaths } from '../../../src/device/paths.ts';
import { putTrigger } from '../../support/deviceFiles.ts';
import type { MqttEndpoint } from './arguments.ts';

export interface CameraOptions {
  readonly key: string;
  readonly secret: string;
  readonly server: MqttEndpoint;
  /** With TLS: the PEM file of the authority, or the system's authorities. */
  readonly tls?: { readonly ca: string | undefined };
  /** A fixed device name. Default: the agent generates one with `prefix`. */
  readonly name?: string;
  readonly prefix: string;
  /** The text of an existing thermal_config.json. */
  readonly config?: string;
}

export interface LogLine {
  readonly event: string;
  readonly runId: string | null;
  readonly state: string | null;
  readonly code?: string | undefined;
  /** When the line arrived, ms, monotonic. */
  readonly at: number;
}

export interface AgentEnd {
  /** Null when the agent was killed. */
  readonly status: number | null;
  readonly log: readonly LogLine[];
  readonly endedAt: number;
  /** The last lines of its output, for the reason of a failure. */
  readonly tail: string;
}

export interface Agent {
  readonly startedAt: number;
  readonly ended: Promise<AgentEnd>;
  signal(signal: 'SIGTERM' | 'SIGKILL'): void;
  /** @throws when the agent ends without this event, or does not log it in time */
  logged(event: string, limitMs: number): Promise<LogLine>;
}

/** Longer than any run may take: nine minutes, and some time to stop. */
const AGENT_LIMIT_MS = 10 * 60_000;
const MAX_OUTPUT_BYTES = 2 * 1024 * 1024;
const TAIL_LENGTH = 600;

/** Variables that the agent may need to trust a certificate (docs/compatibility.md). */
const AUTHORITIES = ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE'];

const lineSchema = z.object({
  event: z.string(),
  runId: z.nullish(z.string()),
  state: z.nullish(z.string()),
  code: z.optional(z.string()),
});
const configSchema = z.object({
  thingsboard: z.object({ host: z.string(), port: z.number(), access_token: z.string(), device_id: z.string() }),
});

function lineOf(text: string): LogLine | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    const line = lineSchema.safeParse(JSON.parse(text));
    if (!line.success) return undefined;
    const { event, runId = null, state = null, code } = line.data;
    return { event, runId, state, code, at: performance.now() };
  } catch {
    // A line that was cut by a kill.
    return undefined;
  }
}

export class Camera {
  readonly folder: string;
  readonly options: CameraOptions;
  readonly #program: string;
  readonly #children = new Set<ChildProcess>();
  #closed = false;

  /** @param program main.js of the agent */
  constructor(program: string, folder: string, options: CameraOptions) {
    this.#program = program;
    this.folder = folder;
    this.options = options;
  }

  /** Writes the files that an operator puts into the folder, with a request to provision. */
  async prepare(): Promise<void> {
    const { key, secret, server, tls, name, prefix, config } = this.options;
    const paths = devicePaths(this.folder);
    await mkdir(this.folder);
    const provisioning = {
      device_key: key,
      device_secret: secret,
      host: server.host,
      port: server.port,
      use_ssl: tls !== undefined,
      ...(tls?.ca === undefined ? {} : { ca_file: 'ca.pem' }),
      timeout_seconds: 60,
      max_retries: 5,
      device_name_prefix: prefix,
    };
    if (tls?.ca !== undefined) await writeFile(join(this.folder, 'ca.pem'), await readFile(tls.ca));
    const device = name === undefined ? {} : { device: { name } };
    await writeFile(paths.provisionJson, JSON.stringify({ provisioning, ...device }), { mode: 0o600 });
    if (config !== undefined) await writeFile(paths.thermalConfig, config);
    await putTrigger(paths);
  }

  /** Starts a command of the agent. @param onLine called for each line of its log */
  start(
    command: 'run' | 'start' | 'doctor',
    onLine: (line: LogLine) => void = () => {},
    options: readonly string[] = [],
  ): Agent {
    if (this.#closed) throw new Error('The scenario has ended');
    const child = spawn(process.execPath, [this.#program, command, ...options, '--dir', this.folder], {
      cwd: '/',
      // Its own process group: Ctrl+C is for the suite, which stops the agents itself.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, THERMAL_BOARD_ID: 'acceptance', ...authorities() },
    });
    this.#children.add(child);
    child.once('close', () => this.#children.delete(child));
    return watched(child, onLine);
  }

  run(): Promise<AgentEnd> {
    return this.start('run').ended;
  }

  /** The text of thermal_config.json; undefined: there is none. */
  configText(): Promise<string | undefined> {
    return readFile(devicePaths(this.folder).thermalConfig, 'utf8').catch(() => undefined);
  }

  /** The device that the camera is configured as. @throws when the file is not complete */
  async configured(): Promise<MqttEndpoint & { readonly token: string; readonly name: string }> {
    const text = await this.configText();
    if (text === undefined) throw new Error('There is no thermal_config.json');
    const parsed = configSchema.safeParse(JSON.parse(text));
    if (!parsed.success) throw new Error('thermal_config.json has no complete section thingsboard');
    const { host, port, access_token: token, device_id: name } = parsed.data.thingsboard;
    return { host, port, token, name };
  }

  /** Files that a finished run must not leave, and missing ones. */
  async leftovers(): Promise<readonly string[]> {
    const paths = devicePaths(this.folder);
    const names = await readdir(this.folder);
    const own = await readdir(paths.stateFolder).catch(() => []);
    return [
      ...[...names, ...own].filter((name) => name.endsWith('.tmp') || name === 'provision.txt'),
      ...own.filter((name) => name === 'credentials.json'),
      ...(names.includes('provision.txt.processed') ? [] : ['no provision.txt.processed']),
    ];
  }

  /** Kills what still runs. Nothing can be started afterwards. */
  close(): void {
    this.#closed = true;
    for (const child of this.#children) child.kill('SIGKILL');
  }
}

function authorities(): Record<string, string> {
  const set = AUTHORITIES.map((name) => [name, process.env[name]] as const);
  return Object.fromEntries(set.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

function watched(child: ChildProcess, onLine: (line: LogLine) => void): Agent {
  const startedAt = performance.now();
  const log: LogLine[] = [];
  const listeners = new Set<() => void>();
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  let output = '';
  let errors = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    if (output.length < MAX_OUTPUT_BYTES) output += chunk.toString('utf8');
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    const lines = (errors + chunk.toString('utf8')).split('\n');
    errors = (lines.pop() ?? '').slice(-MAX_OUTPUT_BYTES);
    if (output.length < MAX_OUTPUT_BYTES) output += lines.map((line) => `${line}\n`).join('');
    for (const line of lines.flatMap((text) => lineOf(text) ?? [])) {
      log.push(line);
      onLine(line);
    }
    tell();
  });
  let over = false;
  const ended = new Promise<AgentEnd>((resolve, reject) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), AGENT_LIMIT_MS);
    child.once('error', reject);
    child.once('close', (status) => {
      clearTimeout(timer);
      over = true;
      tell();
      resolve({ status, log, endedAt: performance.now(), tail: (output + errors).slice(-TAIL_LENGTH) });
    });
  });
  // A scenario may wait for a log line first: without this handler a rejection would be unhandled.
  ended.catch(() => {});
  const logged = (event: string, limitMs: number): Promise<LogLine> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = log.find((line) => line.event === event);
        if (found === undefined && !over) return;
        clearTimeout(timer);
        listeners.delete(look);
        if (found !== undefined) resolve(found);
        else reject(new Error(`The agent ended without ${event}: ${(output + errors).slice(-TAIL_LENGTH)}`));
      };
      const timer = setTimeout(() => {
        listeners.delete(look);
        reject(new Error(`The agent did not log ${event} within ${limitMs / 1000} s`));
      }, limitMs);
      listeners.add(look);
      look();
    });
  return { startedAt, ended, logged, signal: (signal) => void child.kill(signal) };
}
