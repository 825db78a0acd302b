/** What must hold after every run of the agent. */

import { readdir, readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import type { DevicePaths } from '../../src/device/paths.ts';
import { FAILURES, type FailureCode } from '../../src/failures/catalogue.ts';
import type { Simulator } from '../../src/simulator/simulator.ts';
import type { AgentEnd } from './agentProcess.ts';
import { fileContentId } from './contentId.ts';
import { OLD_TOKEN } from './deviceFiles.ts';
import { hintPattern } from './failureRecord.ts';
import { provisionedProblems } from './provisionedDevice.ts';
import { assertNoSecrets } from './secretSearch.ts';
import { DEVICE_KEY, DEVICE_SECRET } from './server.ts';

/** Every generated or issued token of an unfinished run. */
async function storedTokens(paths: DevicePaths): Promise<string[]> {
  const names = await readdir(paths.stateFolder).catch(() => []);
  const files = names.filter((name) => name.startsWith('credentials.json'));
  const texts = await Promise.all(
    files.map((name) => readFile(`${paths.stateFolder}/${name}`, 'utf8').catch(() => '')),
  );
  return texts.flatMap((text) => [...text.matchAll(/"token": "([^"]+)"/g)].flatMap(([, token]) => token ?? []));
}

const tokensOf = (servers: readonly Simulator[]): string[] =>
  servers.flatMap(({ registry }) => registry.devices().flatMap(({ token }) => token ?? []));

/** No secret of the device, the old configuration, the server or an unfinished run is outside the file made for it. */
export async function expectNoSecrets(
  paths: DevicePaths,
  ends: readonly AgentEnd[],
  servers: readonly Simulator[] = [],
): Promise<void> {
  const output = ends.map((end) => end.output).join('\n');
  const secrets = [DEVICE_KEY, DEVICE_SECRET, OLD_TOKEN, ...tokensOf(servers), ...(await storedTokens(paths))];
  await assertNoSecrets(paths.deviceFolder, output, secrets);
}

interface ExpectedFailure {
  readonly code: FailureCode;
  /** The hint, where it differs from the catalogue's. */
  readonly hint?: RegExp;
  /** Pattern of the message. */
  readonly says?: RegExp;
  readonly server?: Simulator;
}

/** Expects the documented status, and one line with code, message and hint. */
export function expectFailureReport(end: AgentEnd, { code, hint, says }: Omit<ExpectedFailure, 'server'>): void {
  const { exitStatus } = FAILURES[code];
  const reports = end.log.filter(({ event }) => event === 'run.failed');
  expect(reports.map((line) => line.code)).toEqual([code]);
  const [report] = reports;
  expect(report?.hint).toMatch(hint ?? hintPattern(code));
  if (says !== undefined) expect(report?.message).toMatch(says);
  expect({ status: end.status, signal: end.signal }).toEqual({ status: exitStatus, signal: null });
  expect(end.otherLines).toEqual([]);
}

/** Expects a failed run: it gave the reason, changed nothing, kept the request, and left at most one device. */
export async function expectFailed(
  { paths, config }: { readonly paths: DevicePaths; readonly config: string },
  end: AgentEnd,
  expected: ExpectedFailure,
): Promise<void> {
  const { server } = expected;
  expectFailureReport(end, expected);
  expect(await fileContentId(paths.thermalConfig)).toBe(config);
  expect(await readdir(paths.deviceFolder)).toContain('provision.txt');
  if (server !== undefined) expect(server.registry.devices().length).toBeLessThanOrEqual(1);
  await expectNoSecrets(paths, [end], server === undefined ? [] : [server]);
}

/** Expects a successful run: one device, its token in the file and accepted, the request completed. */
export async function expectProvisioned(
  paths: DevicePaths,
  end: AgentEnd,
  server: Simulator,
  devices = 1,
): Promise<void> {
  expect({ status: end.status, signal: end.signal, code: end.log.findLast(({ code }) => code)?.code }).toMatchObject({
    status: 0,
    signal: null,
  });
  expect(await provisionedProblems(paths, server, devices)).toEqual([]);
  await expectNoSecrets(paths, [end], [server]);
}
