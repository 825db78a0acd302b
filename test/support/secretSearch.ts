import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

/** The files that must hold secrets, and their copies. */
const EXEMPT = /^(?:thermal_config\.json|provision\.json|provision-state\/credentials\.json|client_key-)/;

/** The base64 forms of a text within a longer one: one for each alignment, without shared outer letters. */
function base64Forms(secret: string, encoding: 'base64' | 'base64url'): string[] {
  return [0, 1, 2].map((lead) => {
    const bytes = Buffer.concat([Buffer.alloc(lead), Buffer.from(secret)]);
    const whole = Math.floor((bytes.length * 8) / 6);
    return bytes.toString(encoding).slice(lead === 0 ? 0 : lead + 1, whole);
  });
}

/** A secret as plain text, and in the forms of a URL, JSON, hexadecimal and base64. */
function formsOf(secret: string): readonly string[] {
  const hexadecimal = Buffer.from(secret).toString('hex');
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    hexadecimal,
    hexadecimal.toUpperCase(),
    ...base64Forms(secret, 'base64'),
    ...base64Forms(secret, 'base64url'),
  ];
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/**
 * Searches all files and the output of a run for each secret in each form.
 * @throws with the place, never with the secret
 */
export async function assertNoSecrets(folder: string, output: string, secrets: readonly string[]): Promise<void> {
  const places: [string, Buffer][] = [['the output', Buffer.from(output)]];
  for (const path of await filesIn(folder)) {
    const name = relative(folder, path);
    if (!EXEMPT.test(name)) places.push([name, await readFile(path)]);
  }
  for (const [place, bytes] of places) {
    for (const [index, secret] of secrets.entries()) {
      if (secret.length < 8) throw new Error(`Secret number ${index} is too short for a search`);
      for (const form of formsOf(secret)) {
        if (bytes.includes(form)) throw new Error(`Secret number ${index} is in ${place}`);
      }
    }
  }
}
