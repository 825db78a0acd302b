import { readFile } from 'node:fs/promises';
import { Failure } from '../../failures/failure.ts';
import { parseFault } from '../../simulator/faultText.ts';
import { STRATEGIES } from '../../simulator/profileList.ts';
import type { NewDevice } from '../../simulator/registry.ts';
import { RELEASE_NAMES } from '../../simulator/release.ts';
import type { SimulatorOptions } from '../../simulator/simulator.ts';

/** The options as commander gives them, all as text. They are checked here, so that a wrong one ends with status 64. */
export interface SimulateArguments {
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
  readonly deviceBasic: readonly string[];
  readonly deviceCert: readonly string[];
  readonly deviceLimit?: string;
  readonly latency?: string;
  readonly commitDelay?: string;
  readonly backEndTimeout?: string;
  readonly sessionClose?: string;
  readonly legacySuback?: boolean;
  readonly release?: string;
  readonly rateLimit?: string;
  readonly fault: readonly string[];
  readonly registryFile?: string;
  readonly restPort?: string;
  readonly quiet?: boolean;
}

function integer(option: string, text: string | undefined, max: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text) && Number(text) <= max) return Number(text);
  throw new Failure('USAGE', 'simulateInteger', { option, value: text, max });
}

const MAX_MS = 86_400_000;
const MAX_DEVICES = 10_000_000;

/** Parses the options of the simulator. @throws Failure USAGE if an option is wrong */
export async function simulatorOptions(given: SimulateArguments): Promise<SimulatorOptions> {
  const strategy = STRATEGIES.find((known) => known === given.strategy);
  if (given.strategy !== undefined && strategy === undefined) {
    throw new Failure('USAGE', 'simulateStrategy', { value: given.strategy, known: STRATEGIES.join(', ') });
  }
  const release = RELEASE_NAMES.find((known) => known === given.release);
  if (given.release !== undefined && release === undefined) {
    throw new Failure('USAGE', 'simulateRelease', { value: given.release, known: RELEASE_NAMES.join(', ') });
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
    devices: [
      ...given.device.map(preCreatedDevice),
      ...given.deviceBasic.map(basicDevice),
      ...(await Promise.all(given.deviceCert.map(certificateDevice))),
    ],
    deviceLimit: integer('device-limit', given.deviceLimit, MAX_DEVICES),
    latencyMs: integer('latency', given.latency, MAX_MS),
    commitDelayMs: integer('commit-delay', given.commitDelay, MAX_MS),
    backEndTimeoutMs: integer('back-end-timeout', given.backEndTimeout, MAX_MS),
    provisionSessionCloseMs: integer('session-close', given.sessionClose, MAX_MS),
    legacySuback: given.legacySuback,
    release,
    rateLimit: rateLimitOption(given.rateLimit),
    faults: given.fault.map(parseFault),
    registryFile: given.registryFile,
    restPort: integer('rest-port', given.restPort, 65_535),
  };
}

function rateLimitOption(text: string | undefined): SimulatorOptions['rateLimit'] {
  if (text === undefined) return undefined;
  const { messages, seconds } = /^(?<messages>[1-9]\d{0,6})\/(?<seconds>[1-9]\d{0,6})$/.exec(text)?.groups ?? {};
  if (messages === undefined || seconds === undefined) throw new Failure('USAGE', 'simulateRateLimit', { value: text });
  return { messages: Number(messages), seconds: Number(seconds) };
}

function preCreatedDevice(text: string): NewDevice {
  const { name = '', token } = /^(?<name>[^=]*)(?:=(?<token>.*))?$/s.exec(text)?.groups ?? {};
  if (name === '' || token === '') throw wrongDevice('device', 'NAME[=TOKEN]');
  return { name, ...(token === undefined ? {} : { credentials: { type: 'ACCESS_TOKEN', token } }) };
}

const BASIC = /^(?<name>[^=]+)=(?<clientId>[^,]*),(?<userName>[^,]*)(?:,(?<password>.*))?$/s;

function basicDevice(text: string): NewDevice {
  const { name, ...parts } = BASIC.exec(text)?.groups ?? {};
  if (name === undefined) throw wrongDevice('device-basic', 'NAME=CLIENT_ID,USER_NAME[,PASSWORD]');
  // An operator leaves out what is empty.
  const given = Object.entries(parts).filter(([, part]) => part !== undefined && part !== '');
  return { name, credentials: { type: 'MQTT_BASIC', ...Object.fromEntries(given) } };
}

async function certificateDevice(text: string): Promise<NewDevice> {
  const { name, file } = /^(?<name>[^=]+)=(?<file>.+)$/s.exec(text)?.groups ?? {};
  if (name === undefined || file === undefined) throw wrongDevice('device-cert', 'NAME=FILE');
  return { name, credentials: { type: 'X509_CERTIFICATE', certificate: await readPem('device-cert', file) } };
}

/** The text itself may hold a secret. */
const wrongDevice = (option: string, form: string): Failure => new Failure('USAGE', 'simulateDevice', { option, form });

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
