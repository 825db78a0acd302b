import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { drawDerived } from '../../src/device/boardSecret.ts';
import { Secret } from '../../src/secret.ts';
import { codeBlocks, readPage, sectionOf } from './markdown.ts';

const section = sectionOf(readPage('docs/security.md'), 'How the token is derived');
const [, info = '', token] = /`(\["token",.*?\])`\s+give `(\w+)`/.exec(section) ?? [];
const [, host, key, deviceName, generation]: string[] = JSON.parse(info);
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghijklmnopqrstuvwxyz';

/** The second step in the words of the page: the 20 lowest digits to base 62, the lowest first. */
function digitsOf(hexadecimal: string): string {
  let number = BigInt(`0x${hexadecimal}`);
  return Array.from({ length: 20 }, () => {
    const digit = DIGITS.charAt(Number(number % 62n));
    number /= 62n;
    return digit;
  }).join('');
}

it('the example of docs/security.md is what the agent derives', () => {
  const secret = Uint8Array.from({ length: 32 }, (_, index) => index);
  const binding = { host: String(host), deviceName: String(deviceName), generation: Number(generation) };
  const draw = drawDerived(secret, { ...binding, deviceKey: new Secret(String(key)) });
  expect(draw('token').reveal()).toBe(token);
});

it('and what its command of OpenSSL gives', (context) => {
  const [command = ''] = codeBlocks(section, 'sh');
  let said: string;
  try {
    said = execFileSync('sh', ['-euc', command], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return context.skip('openssl 3 is not installed');
  }
  expect(digitsOf(said.trim().replaceAll(':', ''))).toBe(token);
});
