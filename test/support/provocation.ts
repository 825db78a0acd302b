/** Ways to make the agent fail with a chosen code, and the resulting log line. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { FailureCode } from '../../src/failures/catalogue.ts';
import {
  type CertificateRequest,
  type IssuedCertificate,
  issueAuthority,
  issueCertificate,
} from '../../src/simulator/certificate.ts';
import type { Fault } from '../../src/simulator/faults.ts';
import type { SimulatorOptions } from '../../src/simulator/simulator.ts';
import { type AgentOptions, runAgentProcess } from './agentProcess.ts';
import { runDevice } from './agentRun.ts';
import type { AtEnd } from './atEnd.ts';
import { type DeviceFolder, type DeviceFolderOptions, makeDeviceFolder } from './deviceFolder.ts';
import { interruptedRun } from './interruptedRun.ts';
import type { Intrusion } from './intrusion.ts';
import { startServer } from './server.ts';
import { giveToUnprivileged } from './unprivileged.ts';

/** The hint of the line with the code, the time of the line, and the earliest time at which the failure was known. */
export interface Report {
  /** For a wrong command line: the whole output. */
  readonly hint: string;
  readonly status: number | null;
  readonly at: number;
  readonly detectableAt: number;
}

export interface Provocation {
  readonly provoke: (atEnd: AtEnd, code: FailureCode) => Promise<Report>;
  /** The hint, where it differs from the catalogue's. */
  readonly hint?: RegExp;
  /** Only root can give a file to another user. */
  readonly needsRoot?: true;
}

/** Runs the shipped program and finds the line of the failure in its log. */
export async function reportOf(
  atEnd: AtEnd,
  code: FailureCode,
  folder: string,
  options: AgentOptions = {},
  detectableAt: () => number = () => 0,
): Promise<Report> {
  const end = await runAgentProcess(atEnd, folder, options);
  const line = end.log.findLast((one) => one.code === code && one.level === 'error');
  if (line === undefined) throw new Error(`No line with the code ${code}. The output:\n${end.output}`);
  return {
    hint: line.hint ?? '',
    status: end.status,
    at: line.at,
    detectableAt: Math.max(end.startedAt, detectableAt()),
  };
}

export type Prepare = (device: DeviceFolder) => unknown;

/** Provokes the failure by a change in the device folder. */
export const inFolder = (
  prepare: Prepare,
  options: AgentOptions = {},
  layout: Partial<DeviceFolderOptions> = {},
): Provocation => ({
  provoke: async (atEnd, code) => {
    const device = await makeDeviceFolder(atEnd, { port: 9, ...layout });
    if (options.user !== undefined) await giveToUnprivileged(device.paths.deviceFolder);
    await prepare(device);
    return reportOf(atEnd, code, device.paths.deviceFolder, options);
  },
});

/** Provokes the failure by a port of 127.0.0.1 without a ThingsBoard. */
export const atPort = (
  start: (atEnd: AtEnd) => Promise<number>,
  provisioning: Readonly<Record<string, unknown>> = {},
): Provocation => ({
  provoke: async (atEnd, code) => {
    const { paths } = await makeDeviceFolder(atEnd, { port: await start(atEnd), provisioning });
    return reportOf(atEnd, code, paths.deviceFolder);
  },
});

/** Provokes the failure by a device folder. */
export const inLayout = (lay: (atEnd: AtEnd) => Promise<DeviceFolder>): Provocation => ({
  provoke: async (atEnd, code) => reportOf(atEnd, code, (await lay(atEnd)).paths.deviceFolder),
});

/** Provokes the failure by the behaviour of the simulated ThingsBoard. */
export const fromServer = (
  server: SimulatorOptions,
  layout: Partial<DeviceFolderOptions> = {},
  hint?: RegExp,
): Provocation => ({
  provoke: async (atEnd, code) => {
    let lastSeen = 0;
    const simulator = await startServer(atEnd, {
      ...server,
      onEvent: () => {
        lastSeen = performance.now();
      },
    });
    const { paths } = await makeDeviceFolder(atEnd, { port: simulator.port, ...layout });
    // The agent detects the failure by the server's last event.
    return reportOf(atEnd, code, paths.deviceFolder, {}, () => lastSeen);
  },
  ...(hint === undefined ? {} : { hint }),
});

export const faulty = (...faults: readonly Fault[]): SimulatorOptions => ({ faults });

/** Provokes the failure at a file-system call of the run. */
export const atCall = (intrusions: (device: DeviceFolder) => readonly Intrusion[], hint?: RegExp): Provocation => ({
  provoke: async (atEnd, code) => {
    const server = await startServer(atEnd);
    const device = await makeDeviceFolder(atEnd, { port: server.port });
    return reportOf(atEnd, code, device.paths.deviceFolder, { intrusions: intrusions(device) });
  },
  ...(hint === undefined ? {} : { hint }),
});

/** Provokes the failure by a change of an interrupted run's files before the next boot. */
export const afterInterruption = (
  change: (device: DeviceFolder) => Promise<unknown>,
  options: AgentOptions = {},
): Provocation => ({
  provoke: async (atEnd, code) => {
    const run = await interruptedRun(atEnd);
    if (options.user !== undefined) await giveToUnprivileged(run.paths.deviceFolder);
    await change(run);
    return reportOf(atEnd, code, run.paths.deviceFolder, options);
  },
});

export async function edit(path: string, from: RegExp, to: string): Promise<void> {
  const text = await readFile(path, 'utf8');
  const changed = text.replace(from, to);
  expect(changed).not.toBe(text);
  await writeFile(path, changed);
}

/** Runs the agent in this process, with limits that only the library has and with pauses that take no time. */
export const inProcess = (
  server: SimulatorOptions,
  options: Parameters<typeof runDevice>[1] = {},
  hint?: RegExp,
): Provocation => ({
  provoke: async (atEnd, code) => {
    const simulator = await startServer(atEnd, server);
    const { paths } = await makeDeviceFolder(atEnd, { port: simulator.port, provisioning: { timeout_seconds: 5 } });
    const startedAt = performance.now();
    let at = 0;
    const sink = (): void => {
      at = performance.now();
    };
    const run = await runDevice(paths, { ...options, sink });
    expect(run.failure?.code).toBe(code);
    const [record] = run.of('run.failed');
    return { hint: String(record?.details.hint), status: run.exitStatus, at, detectableAt: startedAt };
  },
  ...(hint === undefined ? {} : { hint }),
});

export const AUTHORITY = await issueAuthority();
export const certificateFor = (request: CertificateRequest): Promise<IssuedCertificate> =>
  issueCertificate({ ca: AUTHORITY, ips: ['127.0.0.1'], ...request });

/** A server with this certificate. The camera trusts AUTHORITY or, with `trusts` false, the system's CAs. */
export const overTls = (certificate: CertificateRequest, trusts = true): Provocation => ({
  provoke: async (atEnd, code) => {
    const server = await startServer(atEnd, { tls: await certificateFor(certificate) });
    const provisioning = { use_ssl: true, ...(trusts ? { ca_file: 'ca.pem' } : {}) };
    const { paths } = await makeDeviceFolder(atEnd, { port: server.port, provisioning });
    await writeFile(join(paths.deviceFolder, 'ca.pem'), AUTHORITY.cert);
    return reportOf(atEnd, code, paths.deviceFolder);
  },
});
