import { format, inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Secret } from '../src/secret.ts';

const VALUE = 'sLzc0gDAZPkGMzFVTyUY';

describe('a secret', () => {
  it.each<[string, (secret: Secret) => string]>([
    ['a template', (secret) => `${secret}`],
    ['string conversion', (secret) => String(secret)],
    ['concatenation', (secret) => `a${['', secret].join('')}`],
    ['JSON', (secret) => JSON.stringify({ secret })],
    ['util.inspect', (secret) => inspect(secret)],
    [
      'util.inspect of an object with a secret, hidden fields too',
      (secret) => inspect({ deep: [secret] }, { depth: 9, showHidden: true }),
    ],
    ['console formats', (secret) => format('%s %o %O %j', secret, secret, secret, secret)],
    ['an error', (secret) => inspect(new Error(`no ${secret}`, { cause: secret }))],
    ['its keys and entries', (secret) => JSON.stringify([Object.keys(secret), Object.entries(secret), { ...secret }])],
  ])('is not shown by %s', (_way, print) => {
    expect(print(new Secret(VALUE))).not.toContain(VALUE);
  });

  it('prints as a secret', () => {
    expect([`${new Secret(VALUE)}`, JSON.stringify(new Secret(VALUE)), inspect(new Secret(VALUE))]).toEqual([
      '[secret]',
      '"[secret]"',
      '[secret]',
    ]);
  });

  it('is revealed only by reveal()', () => {
    expect(new Secret(VALUE).reveal()).toBe(VALUE);
  });

  it('is compared with another one, and has a fingerprint that does not reveal it', () => {
    const [one, same, other] = [new Secret(VALUE), new Secret(VALUE), new Secret(`${VALUE}x`)];
    expect([one.equals(same), one.equals(other)]).toEqual([true, false]);
    expect(one.fingerprint()).toBe(same.fingerprint());
    expect(one.fingerprint()).not.toBe(other.fingerprint());
    expect(one.fingerprint()).toMatch(/^[0-9a-f]{8}$/);
  });
});
