import { dirname } from 'node:path';
import type { ExternalSettings } from '../config/provision/externalSettings.ts';
import type { ProvisionSettings } from '../config/provision/provisionJson.ts';
import { readBoardIdentity } from '../device/board.ts';
import type { DevicePaths } from '../device/paths.ts';
import type { ServerEndpoint } from '../endpoint.ts';
import { checkAgentAtWork } from './agentAtWork.ts';
import { checkAuthorities } from './authorities.ts';
import { checkBoardIdentity } from './boardIdentity.ts';
import { checkBoardSecret } from './boardSecret.ts';
import { type Checked, type Finding, settle, skipped } from './check.ts';
import { checkClock } from './clock.ts';
import { checkConfiguration } from './configuration.ts';
import { checkConfigFolder, checkDeviceFolder, checkStateFolder } from './folders.ts';
import { checkFreeSpace } from './freeSpace.ts';
import { checkLogFile } from './logFile.ts';
import { checkMqttConnection } from './mqttConnection.ts';
import { checkNameResolution } from './nameResolution.ts';
import { checkNewConfiguration, type Plan } from './plan.ts';
import { checkProvisioningKey } from './provisioningKey.ts';
import { checkProxy } from './proxy.ts';
import { checkSettings } from './settings.ts';
import { checkSnapshot } from './snapshot.ts';
import { checkStorage } from './storage.ts';
import { checkStoredCredentials } from './storedCredentials.ts';
import { checkTcpConnection } from './tcpConnection.ts';
import { checkTlsConnection } from './tlsConnection.ts';
import { checkTrigger } from './trigger.ts';

/** A check and its findings. There is at least one finding. */
export interface CheckReport {
  readonly title: string;
  readonly findings: readonly Finding[];
}

export interface Examination {
  /** In the order of a run's steps. Each resolves when its check is done; none rejects. */
  readonly reports: readonly Promise<CheckReport>[];
  /** Undefined when it is not known what would be written. */
  readonly plan: Promise<Plan | undefined>;
}

/** Title of the check for whether provisioning is requested. */
export const TRIGGER = 'provision.txt';
const FILE_LIMIT_MS = 5000;
/** More than the largest timeout_seconds. The checks have the limit of a run, with specific messages. */
const LONGEST_CONNECTION_MS = 310_000;
export interface ExamineOptions {
  readonly paths: DevicePaths;
  /** ms since the epoch */
  readonly now: number;
  /** THERMAL_BOARD_ID */
  readonly boardId?: string;
  /** Whether to send the request that checks key and secret. Default true. */
  readonly keyCheck?: boolean;
  /** Other sources of settings than provision.json in the device folder. */
  readonly externalSettings?: ExternalSettings;
}

type Body<Fact> = () => Promise<Checked<Fact>>;

/** A check that needs the fact of another check. Without the fact it is skipped. */
async function after<Needed, Fact>(
  needed: Promise<Needed | undefined>,
  title: string,
  body: (needed: Needed) => Promise<Checked<Fact>>,
  limitMs = FILE_LIMIT_MS,
): Promise<Checked<Fact>> {
  const found = await needed;
  if (found === undefined) return { findings: [skipped(`skipped: needs "${title}"`)] };
  return settle(() => body(found), limitMs);
}

/**
 * Starts every check that could show why a provisioning would fail. Each check starts as soon as the facts that it
 * needs are known. No check changes anything on the disk, or creates anything on the server.
 */
export function examine({ paths, now, boardId, externalSettings, keyCheck = true }: ExamineOptions): Examination {
  const reports: Promise<CheckReport>[] = [];
  const start = <Fact>(title: string, body: Body<Fact>): Promise<Fact | undefined> => {
    const checked = body();
    reports.push(checked.then(({ findings }) => ({ title, findings })));
    return checked.then(({ fact }) => fact);
  };
  const { deviceFolder, stateFolder } = paths;
  const folder = start('device folder', () => settle(() => checkDeviceFolder(deviceFolder), FILE_LIMIT_MS));
  const inFolder = <Fact>(title: string, body: Body<Fact>): Promise<Fact | undefined> =>
    start(title, () => after(folder, 'device folder', body));

  inFolder('state folder', () => checkStateFolder(paths));
  inFolder('other agents', () => checkAgentAtWork(deviceFolder, stateFolder));
  inFolder(TRIGGER, () => checkTrigger(paths));
  const stored = inFolder('credentials.json', async () =>
    checkStoredCredentials(paths.credentials, await readBoardIdentity(boardId)),
  );
  inFolder('snapshot.json', () => checkSnapshot(paths.snapshot));
  const settings = inFolder('provision.json', () => checkSettings(paths.provisionJson, externalSettings));
  const recoverable = start('board secret', () =>
    after(settings, 'provision.json', (known) => checkBoardSecret(deviceFolder, known, externalSettings)),
  );
  const server = start('authorities', () =>
    after(settings, 'provision.json', (known) => checkAuthorities(deviceFolder, known)),
  );
  start('proxy', () => after(settings, 'provision.json', checkProxy));
  const config = inFolder('thermal_config.json', () => checkConfiguration(deviceFolder));
  start('log file', () => after(config, 'thermal_config.json', ({ bytes }) => checkLogFile(deviceFolder, bytes)));
  start('link target', () => after(config, 'thermal_config.json', ({ path }) => checkConfigFolder(path, deviceFolder)));
  start('free space', () =>
    after(config, 'thermal_config.json', ({ path, bytes }) =>
      checkFreeSpace([deviceFolder, dirname(path), stateFolder], bytes?.length ?? 0),
    ),
  );
  inFolder('storage', async () => {
    const file = await config;
    const isAllowed = (await settings)?.allowVolatileStorage ?? false;
    const isRecoverable = (await recoverable) ?? false;
    return checkStorage(paths, file === undefined ? undefined : dirname(file.path), { isAllowed, isRecoverable });
  });
  start('board identity', () =>
    settle(async () => checkBoardIdentity(boardId, (await recoverable) ?? false), FILE_LIMIT_MS),
  );
  inFolder('clock', () => checkClock(paths, now));
  const plan = network({ start, settings, server, now, keyCheck }, () =>
    after(config, 'thermal_config.json', async (file) => {
      const known = await settings;
      if (known === undefined) return { findings: [skipped('skipped: needs "provision.json"')] };
      return checkNewConfiguration({ deviceFolder, config: file, now }, known, await stored);
    }),
  );
  return { reports, plan };
}

interface NetworkChecks {
  start<Fact>(title: string, body: Body<Fact>): Promise<Fact | undefined>;
  readonly settings: Promise<ProvisionSettings | undefined>;
  readonly server: Promise<ServerEndpoint | undefined>;
  readonly now: number;
  readonly keyCheck: boolean;
}

/** The checks from name resolution to MQTT; then the new configuration, which is a run's last step. */
function network(
  { start, settings, server, now, keyCheck }: NetworkChecks,
  newConfiguration: Body<Plan>,
): Promise<Plan | undefined> {
  const reach = <Needed, Fact>(
    title: string,
    needed: readonly [title: string, fact: Promise<Needed | undefined>],
    body: (needed: Needed) => Promise<Checked<Fact>>,
  ): Promise<Fact | undefined> => start(title, () => after(needed[1], needed[0], body, LONGEST_CONNECTION_MS));
  const limitMs = async (): Promise<number> => ((await settings)?.timeoutSeconds ?? 0) * 1000;
  const named = reach('name resolution', ['authorities', server], async (known) =>
    checkNameResolution(known, await limitMs()),
  );
  const open = reach('TCP connection', ['name resolution', named], async (known) =>
    checkTcpConnection(known, await limitMs()),
  );
  const secure = reach('TLS', ['TCP connection', open], (attempt) => checkTlsConnection(attempt, now));
  const accepted = reach('MQTT CONNECT', ['TLS', secure], checkMqttConnection);
  const known = accepted.then(async (fact) => {
    const [key, endpoint] = await Promise.all([settings, server]);
    return fact === undefined || key === undefined || endpoint === undefined ? undefined : { key, endpoint };
  });
  if (keyCheck) {
    reach('provisioning key', ['MQTT CONNECT', known], ({ key, endpoint }) => checkProvisioningKey(key, endpoint));
  }
  return start('new configuration', newConfiguration);
}
