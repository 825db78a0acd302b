import { readCaFile } from '../../config/authorities/caFile.ts';
import {
  type ExternalSource,
  externalSettings,
  type GivenTexts,
  givenTexts,
} from '../../config/provision/externalSettings.ts';
import { parseProvisionJson } from '../../config/provision/provisionJson.ts';
import { SETTINGS } from '../../config/provision/provisionSettings.ts';
import type { SettingProblem } from '../../config/provision/settingKeys.ts';
import { requireDeviceFolder } from '../../device/folder.ts';
import type { DevicePaths } from '../../device/paths.ts';
import { EXIT } from '../../failures/exit.ts';
import { Failure } from '../../failures/failure.ts';
import { durableRename } from '../../files/durable.ts';
import { fileExists } from '../../files/fileExists.ts';
import { setAside, writeOwnFile } from '../../files/ownFiles.ts';
import { readDeviceFiles } from '../../status/deviceFiles.ts';
import { runDoctor } from '../doctor/runDoctor.ts';
import { boardId, type FolderArguments, pathsFrom } from '../options.ts';
import { printWhole } from '../report/writeOutput.ts';
import { printable } from '../terminal/paint.ts';
import type { CheckAnswer, Terminal } from './askSettings.ts';
import { type InitSettings, maskedText, provisionText } from './provisionText.ts';

/** The options of `init`, as commander gives them. */
export interface InitArguments extends FolderArguments {
  readonly host?: string;
  readonly port?: number;
  readonly tls?: boolean;
  readonly caFile?: string;
  readonly keyFile?: string;
  readonly secretFile?: string;
  readonly name?: string;
  readonly nameSource?: string;
  readonly credentials?: string;
  readonly scrub?: true;
  readonly force?: true;
  readonly check?: boolean;
  readonly trigger: boolean;
  readonly print?: true;
}

/** A file given by an option replaces what the environment says. */
const sourceOf = (variable: string, path: string | undefined, environment: ExternalSource | undefined) =>
  path === undefined ? environment : { file: { variable, path } };

/** Several lines are a slip, for example a file with key and secret. The server would only refuse them. */
const severalLines = ({ deviceKey, deviceSecret }: GivenTexts): readonly SettingProblem[] =>
  [deviceKey, deviceSecret].flatMap((given) =>
    given !== undefined && /\p{Cc}/u.test(given.text)
      ? [{ path: given.from, found: 'several lines or control characters', expected: 'one line' }]
      : [],
  );

const say = (text: string): void => void process.stderr.write(`${printable(text)}\n`);

/** The settings of options, files and environment. @throws Failure USAGE, PROVISION_JSON_INVALID */
async function givenSettings(given: InitArguments): Promise<InitSettings> {
  const environment = externalSettings(process.env);
  const deviceKey = sourceOf('--key-file', given.keyFile, environment.deviceKey);
  const deviceSecret = sourceOf('--secret-file', given.secretFile, environment.deviceSecret);
  const texts = await givenTexts({
    ...(deviceKey === undefined ? {} : { deviceKey }),
    ...(deviceSecret === undefined ? {} : { deviceSecret }),
  });
  const problems = [...texts.problems, ...severalLines(texts)].map(
    ({ path: place, found, expected }) => `${place}: found ${found}, expected ${expected}`,
  );
  if (problems.length > 0) {
    throw new Failure('USAGE', 'initFiles', { problems });
  }
  return {
    host: given.host,
    port: given.port,
    useSsl: given.tls ?? (given.port === 8883 ? true : undefined),
    caFile: given.caFile,
    deviceKey: texts.deviceKey?.text,
    deviceSecret: texts.deviceSecret?.text,
    name: given.name,
    nameSource: given.nameSource,
    credentials: given.credentials,
    scrub: given.scrub,
  };
}

const REQUIRED = [
  ['host', '--host'],
  ['useSsl', '--tls or --no-tls'],
  ['deviceKey', '--key-file'],
  ['deviceSecret', '--secret-file'],
] as const;

function requireComplete(settings: InitSettings): void {
  const missing = REQUIRED.filter(([setting]) => settings[setting] === undefined).map(([, option]) => option);
  if (missing.length > 0) throw new Failure('USAGE', 'initIncomplete', { options: missing.join(', ') });
}

/** Refuses what would disturb a run. @returns the exit status; undefined: nothing is in the way */
async function obstacle(paths: DevicePaths, force: boolean): Promise<number | undefined> {
  await requireDeviceFolder(paths.deviceFolder);
  const files = await readDeviceFiles(paths, { boardId: boardId() });
  if (files.holder !== null) {
    say(`thermal-provision init: refused: an agent is running on this folder (process ${files.holder})`);
    say('  Wait until it has ended, then start again.');
    return EXIT.TEMPFAIL;
  }
  // The run belongs to the old settings. With new ones its device could be left unused on the server.
  if (files.credentials.value !== null && files.snapshot.value?.state !== 'provisioned') {
    say('thermal-provision init: refused: a run in this folder is unfinished');
    say(`  Finish it, or give it up: thermal-provision reset --dir ${paths.deviceFolder}`);
    return EXIT.TEMPFAIL;
  }
  if (!force && (await fileExists(paths.provisionJson))) {
    throw new Failure('USAGE', 'initExists', { path: paths.provisionJson });
  }
  return undefined;
}

/** What is wrong with an answer, by the rules of provision.json. */
const problemOf: CheckAnswer = (setting, value) => {
  const { schema, expected } = SETTINGS[setting];
  return schema.safeParse(value).success ? undefined : `Expected ${expected}.`;
};

const terminalHere = (): Terminal | undefined =>
  process.stdin.isTTY && process.stderr.isTTY ? { input: process.stdin, output: process.stderr } : undefined;

/**
 * Writes provision.json and, last, provision.txt; each is whole and durable, or absent.
 * @returns the exit status
 * @throws Failure USAGE, PROVISION_JSON_INVALID, CA_FILE_UNUSABLE, DEVICE_FOLDER_MISSING, and those of
 *   replaceProvisionJson, writeOwnFile and printWhole
 */
export async function initFolder(given: InitArguments, terminal = terminalHere()): Promise<number> {
  const paths = pathsFrom(given);
  if (given.print !== true) {
    const refused = await obstacle(paths, given.force === true);
    if (refused !== undefined) return refused;
  }
  const known = await givenSettings(given);
  // Loaded only for a terminal.
  const questions = terminal === undefined ? undefined : await import('./askSettings.ts');
  if (terminal === undefined || questions === undefined) return write(paths, given, known, undefined);
  try {
    const settings = await questions.askSettings(known, terminal, problemOf);
    return await write(paths, given, settings, (message, usual) => questions.askYesNo(message, terminal, usual));
  } catch (error) {
    if (!(error instanceof questions.GivenUp)) throw error;
    say('Given up. What was not reported as written does not exist.');
    return EXIT.TEMPFAIL;
  }
}

type Ask = (message: string, usual?: boolean) => Promise<boolean>;

/** @param ask undefined without a terminal */
async function write(
  paths: DevicePaths,
  given: InitArguments,
  settings: InitSettings,
  ask: Ask | undefined,
): Promise<number> {
  const { deviceFolder, provisionJson, provisionTxt } = paths;
  requireComplete(settings);
  const text = provisionText(settings);
  const parsed = parseProvisionJson(Buffer.from(text), 'The new provision.json');
  for (const warning of parsed.warnings) say(`warning: ${warning}`);
  if (given.print === true) {
    say('The text on standard output holds the provisioning secret.');
    printWhole(text);
    return EXIT.OK;
  }
  if (parsed.settings.useSsl && parsed.settings.caFile !== undefined) {
    await readCaFile(deviceFolder, parsed.settings.caFile, 'provisioning');
  }
  process.stdout.write(printable(maskedText(settings)));
  if (ask !== undefined && !(await ask(`Write ${provisionJson}?`))) return givenUp();
  const kept = await replaceProvisionJson(provisionJson, Buffer.from(text));
  if (kept !== undefined) process.stdout.write(printable(`kept: ${kept}\n`));
  process.stdout.write(printable(`written: ${provisionJson}\n`));
  const check = given.check ?? (await ask?.('Check folder, server and key now (doctor)?')) ?? false;
  const found = check ? await runDoctor(paths, { keyCheck: true, format: 'text' }) : EXIT.OK;
  const next = `touch ${provisionTxt}`;
  if (await fileExists(provisionTxt)) {
    process.stdout.write('provision.txt is already there: the next start provisions the camera.\n');
    return found;
  }
  if (found !== EXIT.OK) {
    say(`provision.txt was not created. Correct the problem, then: ${next}`);
    return found;
  }
  if (!given.trigger || (ask !== undefined && !(await ask('Ask for provisioning now (create provision.txt)?')))) {
    process.stdout.write(printable(`Provisioning is not requested yet. Next: ${next}\n`));
    return EXIT.OK;
  }
  await writeOwnFile(provisionTxt, Buffer.alloc(0));
  process.stdout.write(
    printable(
      `written: ${provisionTxt}\nNext: thermal-provision run --dir ${deviceFolder} (the package's service starts it by itself)\n`,
    ),
  );
  return EXIT.OK;
}

/**
 * Writes provision.json. The old file gets another name, and its own one again if the new file can't be written.
 * @returns the other name; undefined: there was no file
 * @throws Failure those of setAside, writeOwnFile and durableRename
 */
async function replaceProvisionJson(path: string, content: Buffer): Promise<string | undefined> {
  const kept = (await fileExists(path)) ? await setAside(path, 'replaced', Date.now()) : undefined;
  try {
    await writeOwnFile(path, content);
  } catch (error) {
    if (kept !== undefined) await durableRename(kept, path);
    throw error;
  }
  return kept;
}

function givenUp(): number {
  say('Nothing was written.');
  return EXIT.TEMPFAIL;
}
