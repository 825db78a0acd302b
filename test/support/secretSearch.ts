import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

/** The files that must hold secrets, and the copies of them that are kept. */
const EXEMPT = /^(?:thermal_config\.json|provision\.json|provision-state\/credentials\.json)/;

/** What base64 shows of a text wherever it stands in a longer one: three ways, without the letters it shares. */
function base64Forms(secret: string, encoding: 'base64' | 'base64url'): string[] {
  return [0, 1, 2].map((lead) => {
    const bytes = Buffer.concat([Buffer.alloc(lead), Buffer.from(secret)]);
    const whole = Math.floor((bytes.length * 8) / 6);
    return bytes.toString(encoding).slice(lead === 0 ? 0 : lead + 1, whole);
  });
}

/** A secret as it stands, and as it would stand in a URL, in JSON, in hexadecimal or in base64. */
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
 * Looks at every byte that a run left or printed for each secret in each form.
 * @throws naming the place, not the secret
 */
export async function assertNoSecrets(folder: string, output: string, secrets: readonly string[]): Promise<void> {
  const places: [string, Buffer][] = [['the output', Buffer.from(output)]];
  for (const path of await filesIn(folder)) {
    const name = relative(folder, path);
    if (!EXEMPT.test(name)) places.push([name, await readFile(path)]);
  }
  for (const [place, bytes] of places) {
    for (const [index, secret] of secrets.entries()) {
      if (secret.length < 8) throw new Error(`Secret number ${index} is too short to be searched for`);
      for (const form of formsOf(secret)) {
        if (bytes.includes(form)) throw new Error(`Secret number ${index} stands in ${place}`);
      }
    }
  }
}
