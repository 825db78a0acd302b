import type { Readable, Writable } from 'node:stream';
import { type CANCEL_SYMBOL, confirm, isCancel, password, text } from '@clack/prompts';
import type { InitSetting, InitSettings } from './provisionText.ts';

/** Where the questions are asked. Standard output stays free for `--print`. */
export interface Terminal {
  readonly input: Readable;
  readonly output: Writable;
}

/** The operator has given up with Ctrl+C. */
export class GivenUp extends Error {}

function answered<T>(answer: T | typeof CANCEL_SYMBOL): T {
  if (isCancel(answer)) throw new GivenUp();
  return answer;
}

/** What is wrong with an answer; undefined: nothing. */
export type CheckAnswer = (setting: InitSetting, value: unknown) => string | undefined;

/**
 * Asks for what is not given. Every answer is checked at once.
 * @throws GivenUp
 */
export async function askSettings(
  given: InitSettings,
  terminal: Terminal,
  problemOf: CheckAnswer,
): Promise<InitSettings> {
  const ask = async (setting: InitSetting, message: string, placeholder?: string): Promise<string | undefined> => {
    const optional = placeholder !== undefined;
    const answer = answered(
      await text({
        ...terminal,
        message,
        ...(optional ? { placeholder } : {}),
        validate: (value = '') => (optional && value === '' ? undefined : problemOf(setting, value)),
      }),
    );
    return answer === '' || answer === undefined ? undefined : answer;
  };
  const askSecret = async (setting: InitSetting, message: string): Promise<string> =>
    answered(await password({ ...terminal, message, mask: '•', validate: (value = '') => problemOf(setting, value) }));

  const host = given.host ?? (await ask('host', 'MQTT host of the ThingsBoard server'));
  const useSsl =
    given.useSsl ?? (given.port === 8883 || answered(await confirm({ ...terminal, message: 'Connect with TLS?' })));
  const port = given.port ?? (await askPort(useSsl ? 8883 : 1883, terminal, problemOf));
  const caFile =
    given.caFile ??
    (useSsl ? await ask('caFile', "PEM file of the server's authority", "empty: the system's authorities") : undefined);
  const deviceKey = given.deviceKey ?? (await askSecret('deviceKey', 'Provisioning key of the device profile'));
  const deviceSecret = given.deviceSecret ?? (await askSecret('deviceSecret', 'Provisioning secret of the profile'));
  const name =
    given.name ??
    (given.nameSource === undefined ? await ask('name', 'Name of the device', 'empty: a random name') : undefined);
  return { ...given, host, port, useSsl, caFile, deviceKey, deviceSecret, name };
}

async function askPort(usual: number, terminal: Terminal, problemOf: CheckAnswer): Promise<number> {
  const answer = answered(
    await text({
      ...terminal,
      message: 'Port',
      initialValue: String(usual),
      validate: (value = '') => problemOf('port', /^\d+$/.test(value) ? Number(value) : value),
    }),
  );
  return Number(answer);
}

/** Asks a question that is answered with yes or no. @throws GivenUp */
export const askYesNo = async (message: string, terminal: Terminal, initialValue = true): Promise<boolean> =>
  answered(await confirm({ ...terminal, message, initialValue }));
