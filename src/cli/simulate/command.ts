/** `thermal-provision simulate`: a simulated ThingsBoard on a port of this machine. */

import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { EXIT } from '../../failures/exit.ts';
import { Failure, toFailure } from '../../failures/failure.ts';
import type { SimulatorEvent } from '../../simulator/events.ts';
import type { SimulatorOptions } from '../../simulator/simulator.ts';

const EXAMPLES = `
Examples:
  # A server that creates devices, without TLS:
  thermal-provision simulate --port 1883

  # The first answer is lost after the device was created; the registry outlives the simulator:
  thermal-provision simulate --fault request#1=dropAnswerAndClose --registry-file devices.json

  # Devices created beforehand, TLS with a CA of its own written to ca.pem:
  thermal-provision simulate --port 8883 --tls --ca-out ca.pem \\
    --strategy CHECK_PRE_PROVISIONED_DEVICES --device thermal-camera-00A1F3
`;

const FAULTS = `
Faults are written POINT[#N[+]]=ACTION[:VALUE]. #N: only the N-th time, #N+: from the N-th time on, without: every
time. The first --fault that applies counts. “Committed” means: the device exists, or the data is stored.
  Points connect, provisionConnect, deviceConnect:
    close                           close without CONNACK
    stallConnack[:MS]               CONNACK late, or never
    refuse:CODE                     CONNACK 2, 3, 4 or 5, then close
    acceptThenClose[:MS]            CONNACK 0, then close
  Points request, attributeRequest, telemetry, attributes:
    close                           nothing is committed; close without PUBACK
    silence                         nothing is committed; neither PUBACK nor answer
    silenceThenPubackAndClose[:MS]  the back end fails: nothing is committed; late PUBACK, then close
    dropAnswer                      committed; neither PUBACK nor answer
    dropAnswerAndClose              committed; close without PUBACK and answer
    pubackOnly                      committed; PUBACK, no answer
    delay:MS                        PUBACK and answer late
    malformedAnswer                 half of the answer
    answer:TEXT                     TEXT instead of the answer
    duplicateAnswer                 the answer twice
    answerOnOtherTopic[:TOPIC]      the answer on another topic
    answerThenClose                 the answer, then close at once
`;

/** Options as commander gives them: all text, checked here, so that a wrong one ends with the documented status. */
interface SimulateArguments {
  readonly port: string;
  readonly host: string;
  readonly tls?: boolean;
  readonly cert?: string;
  readonly key?: string;
  readonly caOut?: string;
  readonly strategy?: string;
  readonly reprovision?: boolean;
  readonly deviceKey?: string;
  readonly deviceSecret?: string;
  readonly device: readonly string[];
  readonly deviceLimit?: string;
  readonly latency?: string;
  readonly commitDelay?: string;
  readonly backEndTimeout?: string;
  readonly sessionClose?: string;
  readonly legacySuback?: boolean;
  readonly fault: readonly string[];
  readonly registryFile?: string;
  readonly quiet?: boolean;
}

const collect = (value: string, earlier: readonly string[]): readonly string[] => [...earlier, value];

/** Adds the command `simulate`. It ends with 0 on SIGINT or SIGTERM, 64 for a wrong option, 69 if the port is taken. */
export function registerSimulate(program: Command): void {
  program
    .command('simulate')
    .summary('run a simulated ThingsBoard')
    .description('Runs a simulated ThingsBoard MQTT server, for trying out and testing, until SIGINT or SIGTERM.')
    .option('-p, --port <port>', 'TCP port; 0: any free one', '1883')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--tls', 'speak TLS, with a new CA and a certificate for localhost, 127.0.0.1 and ::1')
    .option('--cert <file>', 'speak TLS with this certificate chain (PEM); needs --key')
    .option('--key <file>', 'private key of --cert (PEM)')
    .option('--ca-out <file>', 'write the CA of --tls to this file (PEM)')
    .option('--device-key <key>', 'provisioning key of the device profile')
    .option('--device-secret <secret>', 'provisioning secret of the device profile')
    .option('--strategy <name>', 'ALLOW_CREATE_NEW_DEVICES, CHECK_PRE_PROVISIONED_DEVICES or DISABLED')
    .option('--reprovision', 'CHECK_PRE_…: answer SUCCESS again to a provisioned device (before 4.2.1.1)')
    .option('--device <name[=token]>', 'a device created beforehand; may be repeated', collect, [])
    .option('--device-limit <n>', 'the tenant’s device limit')
    .option('--latency <ms>', 'how much later PUBACK and answers leave')
    .option('--commit-delay <ms>', 'from a request to its commit, which happens also when the client has gone')
    .option('--back-end-timeout <ms>', 'how long a failing back end is silent (default 10000)')
    .option('--session-close <ms>', 'from the answer to the close of the provisioning session (default 60000)')
    .option('--legacy-suback', 'send neither SUBACK nor UNSUBACK while provisioning (before 3.9)')
    .option('--fault <fault>', 'something that goes wrong, see below; may be repeated', collect, [])
    .option('--registry-file <file>', 'keep devices and counts in this JSON file')
    .option('-q, --quiet', 'print only the first line, not one line per event')
    .addHelpText('after', `${FAULTS}${EXAMPLES}`)
    .action((given: SimulateArguments) => simulate(given));
}

async function simulate(given: SimulateArguments): Promise<void> {
  try {
    const options = await simulatorOptions(given);
    const { startSimulator, DEFAULT_DEVICE_KEY, DEFAULT_DEVICE_SECRET } = await import('../../simulator/simulator.ts');
    const ended = new Promise((resolve) => {
      process.once('SIGINT', resolve);
      process.once('SIGTERM', resolve);
    });
    const onEvent = (event: SimulatorEvent): void => print(eventLine(event));
    const simulator = await startSimulator({ ...options, onEvent: given.quiet === true ? undefined : onEvent });
    try {
      if (given.caOut !== undefined) await writeCa(given.caOut, simulator.caPem ?? '');
      const { deviceKey = DEFAULT_DEVICE_KEY, deviceSecret = DEFAULT_DEVICE_SECRET } = options;
      print(`listening on ${simulator.url} device_key=${deviceKey} device_secret=${deviceSecret}`);
      await ended;
    } finally {
      await simulator.close();
    }
  } catch (error) {
    const failure = toFailure(error);
    process.stderr.write(`thermal-provision simulate: ${failure.message}. ${failure.hint}\n`);
    process.exitCode = failure.exitStatus;
    return;
  }
  process.exitCode = EXIT.OK;
}

async function writeCa(path: string, pem: string): Promise<void> {
  const { durableReplace } = await import('../../files/durable.ts');
  await durableReplace(path, Buffer.from(pem), { mode: 0o644 });
}

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

function eventLine({ session, type, ...details }: SimulatorEvent): string {
  const shown = Object.entries(details).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return [new Date().toISOString(), `session=${session}`, type, ...shown].join(' ');
}

function integer(option: string, text: string | undefined, max: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text) && Number(text) <= max) return Number(text);
  throw new Failure('USAGE', 'simulateInteger', { option, value: text, max });
}

const MAX_MS = 86_400_000;
const MAX_DEVICES = 10_000_000;

async function simulatorOptions(given: SimulateArguments): Promise<SimulatorOptions> {
  const [{ STRATEGIES }, { parseFault }] = await Promise.all([
    import('../../simulator/provisioningStrategy.ts'),
    import('../../simulator/faultText.ts'),
  ]);
  const strategy = STRATEGIES.find((known) => known === given.strategy);
  if (given.strategy !== undefined && strategy === undefined) {
    throw new Failure('USAGE', 'simulateStrategy', { value: given.strategy, known: STRATEGIES.join(', ') });
  }
  if (given.caOut !== undefined && given.tls !== true) throw new Failure('USAGE', 'simulateCaOut', {});
  return {
    port: integer('port', given.port, 65_535),
    host: given.host,
    tls: await tlsOption(given),
    strategy,
    reprovision: given.reprovision,
    deviceKey: given.deviceKey,
    deviceSecret: given.deviceSecret,
    devices: given.device.map(preCreatedDevice),
    deviceLimit: integer('device-limit', given.deviceLimit, MAX_DEVICES),
    latencyMs: integer('latency', given.latency, MAX_MS),
    commitDelayMs: integer('commit-delay', given.commitDelay, MAX_MS),
    backEndTimeoutMs: integer('back-end-timeout', given.backEndTimeout, MAX_MS),
    provisionSessionCloseMs: integer('session-close', given.sessionClose, MAX_MS),
    legacySuback: given.legacySuback,
    faults: given.fault.map(parseFault),
    registryFile: given.registryFile,
  };
}

function preCreatedDevice(text: string): NonNullable<SimulatorOptions['devices']>[number] {
  const { name = '', token } = /^(?<name>[^=]*)(?:=(?<token>.*))?$/s.exec(text)?.groups ?? {};
  if (name === '' || token === '') throw new Failure('USAGE', 'simulateDevice', { name });
  return { name, ...(token === undefined ? {} : { credentials: { type: 'ACCESS_TOKEN', token } }) };
}

async function tlsOption(given: SimulateArguments): Promise<SimulatorOptions['tls']> {
  const { cert, key } = given;
  if (cert === undefined && key === undefined) return given.tls === true ? 'generated' : undefined;
  if (cert === undefined || key === undefined) throw new Failure('USAGE', 'simulateHalfCertificate', {});
  if (given.tls === true) throw new Failure('USAGE', 'simulateTwoCertificates', {});
  return { cert: await readPem('cert', cert), key: await readPem('key', key) };
}

async function readPem(option: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new Failure('USAGE', 'simulateFile', { option, path, why });
  }
}
