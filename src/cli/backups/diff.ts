import { isJsonObject } from '../../config/json/strictJson.ts';
import { type Backup, readBackup } from '../../config/thermal/backups.ts';
import { readRepairedConfig } from '../../config/thermal/configText.ts';
import { loginEntries, loginOfSection, loginTexts } from '../../config/thermal/configuredLogin.ts';
import { readThermalConfig } from '../../config/thermal/thermalConfig.ts';
import type { DevicePaths } from '../../device/paths.ts';
import { createMasks, maskedText } from '../../doctor/maskedText.ts';
import { unifiedDiff } from '../../doctor/textDiff.ts';
import { Failure } from '../../failures/failure.ts';
import { paintDiff, paintFor } from '../terminal/paint.ts';
import type { Printed } from './content.ts';

type Comparison = 'same' | 'different' | 'only in one';

const TOKEN_LINES: Readonly<Record<Comparison, string>> = {
  same: 'The access token is the same in both files.',
  different: 'The access tokens differ (equal masks stand for equal values).',
  'only in one': 'Only one of the two files has an access token.',
};
const LOGIN_LINES: Readonly<Record<Comparison, string>> = {
  same: 'The login is the same in both files.',
  different: 'The logins differ (equal masks stand for equal values).',
  'only in one': 'Only one of the two files has a login.',
};

interface Readable {
  readonly text: string;
  readonly token: string | undefined;
  /** The keys and values with which the camera logs in; undefined: the file has none. */
  readonly login: string | undefined;
  readonly repaired: boolean;
}

const NO_FILE: Readable = { text: '', token: undefined, login: undefined, repaired: false };

/** The text of a configuration, repaired if the camera could not parse it. A file that is not JSON is not shown, because a token could be anywhere in it. */
function readable(name: string, bytes: Uint8Array): Readable {
  const json = readRepairedConfig(bytes);
  if (json.ok) {
    const { text, value, repaired } = json;
    const { thingsboard } = value;
    const texts = isJsonObject(thingsboard) ? loginTexts(thingsboard) : {};
    const entries = loginEntries(loginOfSection(texts));
    const login = entries.length === 0 ? undefined : JSON.stringify(entries);
    return { text, token: texts.access_token, login, repaired: repaired !== undefined };
  }
  throw new Failure('CONFIG_INVALID', 'notShown', { path: name, problem: json.problem });
}

/**
 * Compares a backup with the current file.
 * @throws Failure CONFIG_INVALID if one of them is not JSON; CONFIG_UNREADABLE, CONFIG_TOO_LARGE, CONFIG_LINK_UNTRUSTED
 */
export async function compareBackup({ deviceFolder }: DevicePaths, backup: Backup): Promise<Printed> {
  const content = await readBackup(backup.path);
  if (content.bytes === undefined) throw unusableBackup(backup, content.usable ? '' : content.why);
  const current = await readThermalConfig(deviceFolder, 'read');
  const old = readable(backup.path, content.bytes);
  const now = current.bytes === undefined ? NO_FILE : readable(current.path, current.bytes);
  const masks = createMasks();
  const diff = unifiedDiff(
    { name: nameOf(backup.name, old), text: maskedText(old.text, masks) },
    {
      name: current.exists ? nameOf('thermal_config.json', now) : '(no thermal_config.json)',
      text: now.text === '' ? '' : maskedText(now.text, masks),
    },
  );
  const token = compared(old.token, now.token);
  const login = compared(old.login, now.login);
  const hasToken = old.token !== undefined || now.token !== undefined;
  // A token in one file and another login in the other one: only the logins can be compared.
  const lines = hasToken && token === login ? TOKEN_LINES : LOGIN_LINES;
  const json = { backup: backup.name, diff, file: current.path, login, same: diff === '', token };
  if (diff === '') {
    const same = old.repaired || now.repaired ? 'have the same settings' : 'are the same';
    return { text: `${backup.name} and thermal_config.json ${same}.\n`, json };
  }
  return { text: `${paintDiff(diff, paintFor(process.stdout))}\n${lines[login]}\n`, json };
}

const nameOf = (name: string, { repaired }: Readable): string => (repaired ? `${name} (repaired)` : name);

function compared(one: string | undefined, other: string | undefined): Comparison {
  if (one === other) return 'same';
  return one === undefined || other === undefined ? 'only in one' : 'different';
}

/** The failure for a backup that can't be restored or compared. */
export const unusableBackup = ({ path }: Backup, why: string): Failure =>
  new Failure('CONFIG_INVALID', 'backup', { path, why });
