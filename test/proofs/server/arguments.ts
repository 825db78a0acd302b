/** The command line of the acceptance suite. */

import { access, readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { RELEASE_NAMES, type ReleaseName } from '../../../src/simulator/release.ts';

export interface MqttEndpoint {
  readonly host: string;
  readonly port: number;
}

/** A ThingsBoard and the user that administers it. */
export interface ServerAccess {
  readonly mqtt: MqttEndpoint;
  readonly mqtts?: MqttEndpoint;
  /** PEM file with the authority of `mqtts`. */
  readonly ca?: string;
  /** Without a slash at the end. */
  readonly rest: string;
  readonly user: string;
  readonly password: string;
}

export interface SuiteArguments {
  /** Absent: the suite starts simulators. */
  readonly server?: ServerAccess;
  /** How the server must behave where releases differ; for simulators: the only one to start. */
  readonly release?: ReleaseName;
  /** Names of scenarios; empty: all. */
  readonly only: readonly string[];
  readonly json?: string;
  readonly resume: boolean;
  readonly keep: boolean;
  /** Agents of the scenario `fleet`. */
  readonly agents: number;
  readonly kills: number;
  /** Agents that are killed and resumed at the same time. */
  readonly workers: number;
}

export class UsageError extends Error {}

const DEFAULT_PORT = { 'mqtt:': 1883, 'mqtts:': 8883 } as const;
const MAX_NUMBER = 10_000;

function endpoint(option: 'mqtt' | 'mqtts', text: string): MqttEndpoint {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== `${option}:` || url.hostname === '') {
    throw new UsageError(`--${option} ${text} is not ${option}://HOST:PORT`);
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return { host, port: url.port === '' ? DEFAULT_PORT[`${option}:`] : Number(url.port) };
}

function restAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '') {
    throw new UsageError('--rest is not http://HOST:PORT');
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

function number(option: string, text: string): number {
  if (/^[1-9]\d*$/.test(text) && Number(text) <= MAX_NUMBER) return Number(text);
  throw new UsageError(`--${option} ${text} is not a whole number from 1 to ${MAX_NUMBER}`);
}

function releaseNamed(text: string | undefined): ReleaseName | undefined {
  const release = RELEASE_NAMES.find((name) => name === text);
  if (text !== undefined && release === undefined) throw new UsageError(`--release is one of ${RELEASE_NAMES.join()}`);
  return release;
}

const OPTIONS = {
  mqtt: { type: 'string' },
  mqtts: { type: 'string' },
  ca: { type: 'string' },
  rest: { type: 'string' },
  user: { type: 'string' },
  password: { type: 'string' },
  'password-file': { type: 'string' },
  release: { type: 'string' },
  only: { type: 'string', multiple: true },
  json: { type: 'string' },
  resume: { type: 'boolean', default: false },
  keep: { type: 'boolean', default: false },
  agents: { type: 'string', default: '100' },
  kills: { type: 'string', default: '40' },
  workers: { type: 'string', default: '3' },
  agent: { type: 'string' },
} as const;

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : 'unknown option');
  }
}

type Values = ReturnType<typeof parsed>['values'];

/** The first of option, file and THINGSBOARD_PASSWORD. */
async function passwordOf(values: Values): Promise<string> {
  if (values.password !== undefined) return values.password;
  const file = values['password-file'];
  if (file === undefined) return process.env.THINGSBOARD_PASSWORD ?? '';
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) throw new UsageError(`--password-file ${file} can't be read`);
  return text.replace(/\r?\n$/, '');
}

async function serverAccess(values: Values): Promise<ServerAccess | undefined> {
  const { mqtt, mqtts, ca, rest, user } = values;
  const given = [mqtt, mqtts, ca, rest, user, values.password, values['password-file']];
  if (given.every((value) => value === undefined)) return undefined;
  if (mqtt === undefined || rest === undefined || user === undefined) {
    throw new UsageError('A server needs --mqtt, --rest and --user');
  }
  const password = await passwordOf(values);
  if (password === '') throw new UsageError('A server needs THINGSBOARD_PASSWORD, --password-file or --password');
  if (ca !== undefined) {
    if (mqtts === undefined) throw new UsageError('--ca needs --mqtts');
    await access(ca).catch(() => {
      throw new UsageError(`--ca ${ca} can't be read`);
    });
  }
  return {
    mqtt: endpoint('mqtt', mqtt),
    ...(mqtts === undefined ? {} : { mqtts: endpoint('mqtts', mqtts) }),
    ...(ca === undefined ? {} : { ca }),
    rest: restAddress(rest),
    user,
    password,
  };
}

/** @param names of all scenarios @throws UsageError */
export async function suiteArguments(args: readonly string[], names: readonly string[]): Promise<SuiteArguments> {
  const { values, positionals } = parsed(args);
  const { only: first = [] } = values;
  // After `--only A` further names may stand alone.
  if (first.length === 0 && positionals.length > 0) throw new UsageError(`Unknown argument ${positionals[0]}`);
  const only = [...first, ...positionals];
  const unknown = only.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new UsageError(`No scenario ${unknown}. The scenarios: ${names.join(' ')}`);
  if (values.resume && values.json === undefined) throw new UsageError('--resume needs --json');
  const server = await serverAccess(values);
  const release = releaseNamed(values.release);
  return {
    ...(server === undefined ? {} : { server }),
    ...(release === undefined ? {} : { release }),
    ...(values.json === undefined ? {} : { json: values.json }),
    only,
    resume: values.resume,
    keep: values.keep,
    agents: number('agents', values.agents),
    kills: number('kills', values.kills),
    workers: number('workers', values.workers),
  };
}
