/** What must hold after every run of the agent, however it ended. */

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

/** Every token that an unfinished run has drawn or been granted. */
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

/** No secret of the device, of the old configuration, of the server or of an unfinished run is anywhere but in its file. */
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
  /** What the hint says where it is not the catalogue's. */
  readonly hint?: RegExp;
  /** What the message says. */
  readonly says?: RegExp;
  readonly server?: Simulator;
}

/** The documented status, and one line with code, message and hint. */
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

/** A run that failed: said why, changed nothing, left the request, and at most one device on the server. */
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

/** A run that ended well: one device, its token in the file and accepted, the request done. */
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
