/** One provisioning behind a faulty network, in this process, over real sockets and files. */

import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { devicePaths } from '../../../../src/device/paths.ts';
import { formatJson } from '../../../../src/log/format.ts';
import { runAgent } from '../../../../src/provision/agent.ts';
import type { AgentResult } from '../../../../src/provision/result.ts';
import type { IssuedCertificate } from '../../../../src/simulator/certificate.ts';
import type { Fault } from '../../../../src/simulator/faults.ts';
import { type Simulator, startSimulator } from '../../../../src/simulator/simulator.ts';
import { OLD_TOKEN, provisionJsonText, putTrigger } from '../../../support/deviceFiles.ts';
import { fastTime } from '../../../support/fastTime.ts';
import { type FaultProxy, type PacketPlace, type PlacedFault, startFaultProxy } from '../../../support/faultProxy.ts';
import { DEVICE_KEY, DEVICE_SECRET } from '../../../support/server.ts';
import { completionProblems, type DeviceUnderTest, endingProblems, instantProblems } from '../invariants.ts';
import { CA_FILE, type LoginSetup } from '../logins.ts';

/** What TLS needs: a part of `LoginSupplies`. */
export interface Tls {
  readonly server: IssuedCertificate;
  readonly caPem: string;
}

export interface ProvisioningTrial {
  /** Absent: MQTT without TLS. */
  readonly tls?: Tls | undefined;
  readonly setup: LoginSetup;
  /** Whether the card is lost after the fault: only the image's files are on the next one. */
  readonly cardLost?: boolean | undefined;
  /** The server's own faults, for example to cause a reconciliation. */
  readonly serverFaults: readonly Fault[];
  readonly maxRetries: number;
  readonly fault?: PlacedFault | undefined;
}

export interface TrialResult {
  readonly fired: boolean;
  readonly problems: readonly string[];
  readonly seen: readonly PacketPlace[];
}

/** Much longer than a run with one second for each exchange: a run that needs more hangs. */
const PASS_LIMIT_MS = 40_000;
/** Maximum number of starts without a fault until the device must be provisioned. */
const MAX_BOOTS = 3;

interface Scene {
  readonly device: DeviceUnderTest;
  readonly proxy: FaultProxy;
  readonly output: string[];
  /** Puts a new card with only the image's files in. Absent: the card stays. @returns the device with it */
  readonly loseCard?: () => Promise<DeviceUnderTest>;
}

/** Starts the agent with pauses that take no time. */
async function boot({ device, output }: Scene): Promise<AgentResult | undefined> {
  const { pauses: _, ...time } = fastTime();
  const stop = new AbortController();
  let limit: NodeJS.Timeout | undefined;
  const overdue = new Promise<undefined>((resolve) => {
    limit = setTimeout(() => resolve(undefined), PASS_LIMIT_MS);
  });
  const run = runAgent({
    paths: device.paths,
    agentVersion: 'certified',
    boardId: 'board-1',
    signal: stop.signal,
    sink: (record) => void output.push(formatJson(record)),
    ...time,
  });
  const result = await Promise.race([run, overdue]);
  clearTimeout(limit);
  stop.abort(new Error('the trial is over'));
  return result;
}

const endingOf = (result: AgentResult | undefined): readonly string[] =>
  endingProblems({
    status: result?.exitStatus ?? null,
    signal: null,
    output: '',
    overdue: result === undefined,
  });

async function tryOnce(scene: Scene): Promise<string[]> {
  const { proxy, output } = scene;
  const faulty = await boot(scene);
  const problems = [...endingOf(faulty), ...(await instantProblems(scene.device, output.join('\n')))];
  proxy.heal();
  const device = scene.loseCard === undefined ? scene.device : await scene.loseCard();
  let last = scene.loseCard === undefined ? faulty : undefined;
  for (let boots = 0; boots < MAX_BOOTS && last?.outcome !== 'provisioned'; boots += 1) {
    last = await boot(scene);
    problems.push(...endingOf(last));
  }
  if (last?.outcome !== 'provisioned') {
    return [...problems, `not provisioned after ${MAX_BOOTS} starts: ${last?.failure?.code ?? 'no failure'}`];
  }
  return [...problems, ...(await completionProblems(device)), ...(await instantProblems(device, output.join('\n')))];
}

async function layOut(folder: string, proxy: FaultProxy, server: Simulator, trial: ProvisioningTrial): Promise<Scene> {
  const { setup } = trial;
  const paths = devicePaths(folder);
  const provisioning = {
    device_key: DEVICE_KEY,
    device_secret: DEVICE_SECRET,
    timeout_seconds: 1,
    max_retries: trial.maxRetries,
    ...(trial.tls === undefined ? {} : { use_ssl: true, ca_file: CA_FILE }),
    ...setup.provisioning,
  };
  const putFiles = async (configured: boolean): Promise<void> => {
    await mkdir(folder, { recursive: true });
    if (trial.tls !== undefined) await writeFile(join(folder, CA_FILE), trial.tls.caPem);
    const { device } = setup;
    const files = { port: proxy.port, provisioning, ...(device === undefined ? {} : { device }) };
    await writeFile(paths.provisionJson, provisionJsonText(files));
    await setup.putFiles(folder, configured);
    if (configured) await writeFile(paths.thermalConfig, setup.oldConfig);
    await putTrigger(paths);
  };
  await putFiles(true);
  const secrets = [DEVICE_KEY, DEVICE_SECRET, OLD_TOKEN, ...setup.secrets];
  const device: DeviceUnderTest = { paths, server, configBefore: Buffer.from(setup.oldConfig), secrets };
  const loseCard = async (): Promise<DeviceUnderTest> => {
    await rm(folder, { recursive: true });
    await putFiles(false);
    return { ...device, configBefore: undefined };
  };
  return { device, proxy, output: [], ...(trial.cardLost === true ? { loseCard } : {}) };
}

/**
 * Provisions a new device with the fault, then without it until the device is provisioned.
 * @param folder used by this trial only; removed afterwards
 */
export async function runProvisioningTrial(folder: string, trial: ProvisioningTrial): Promise<TrialResult> {
  const server = await startSimulator({
    deviceKey: DEVICE_KEY,
    deviceSecret: DEVICE_SECRET,
    faults: trial.serverFaults,
    tls: trial.tls?.server,
  });
  const proxy = await startFaultProxy({
    targetPort: server.port,
    framing: trial.tls === undefined ? 'mqtt' : 'tls',
    ...(trial.fault === undefined ? {} : { fault: trial.fault }),
  });
  try {
    const scene = await layOut(folder, proxy, server, trial);
    const problems = await tryOnce(scene);
    return { fired: proxy.fired() > 0, problems, seen: proxy.seen };
  } finally {
    await proxy.close();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
}
