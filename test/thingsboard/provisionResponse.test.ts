import { describe, expect, it } from 'vitest';
import { type ProvisionResponse, parseProvisionResponse } from '../../src/thingsboard/provisionResponse.ts';
import { everyWordOf, failureOf } from '../config/scratch.ts';
import { checkUsually, PROPERTY_LIMIT_MS, SEED } from '../support/propertyTest.ts';
import { provisionResponseProperty } from './provisionResponseProperty.ts';

const TOKEN = 'sLzc0gDAZPkGMzFVTyUY';
const parse = (text: string): ProvisionResponse => parseProvisionResponse(Buffer.from(text));
const success = (credentials: object): string => JSON.stringify({ ...credentials, status: 'SUCCESS' });
const withToken = (credentialsValue: unknown): string => success({ credentialsValue, credentialsType: 'ACCESS_TOKEN' });

function tokenIn(response: ProvisionResponse): string | undefined {
  return response.status === 'SUCCESS' && response.credentials.type === 'ACCESS_TOKEN'
    ? response.credentials.token.reveal()
    : undefined;
}

describe('parseProvisionResponse', () => {
  it.each([
    ['as the server writes it', `{"credentialsValue":"${TOKEN}","credentialsType":"ACCESS_TOKEN","status":"SUCCESS"}`],
    [
      'with keys of older releases',
      success({
        deviceId: 'x',
        provisionDeviceStatus: 'SUCCESS',
        credentialsValue: TOKEN,
        credentialsType: 'ACCESS_TOKEN',
      }),
    ],
    ['with surrounding white space', ` \n${withToken(TOKEN)}\r\n`],
    ['with an unused null', success({ errorMsg: null, credentialsValue: TOKEN, credentialsType: 'ACCESS_TOKEN' })],
  ])('returns the token of a success %s', (_how, text) => {
    expect(tokenIn(parse(text))).toBe(TOKEN);
  });

  it.each([
    ['one character', 'x'],
    ['1,024 characters', 'x'.repeat(1024)],
    ['letters beyond ASCII', 'Tökén-✓'],
  ])('accepts a token of %s', (_what, token) => {
    expect(tokenIn(parse(withToken(token)))).toBe(token);
  });

  it.each([
    ['{"errorMsg":"Provision data was not found!","status":"NOT_FOUND"}', 'NOT_FOUND'],
    ['{"errorMsg":"Failed to provision device!","status":"FAILURE"}', 'FAILURE'],
  ])('reads %s', (text, status) => {
    expect(parse(text)).toEqual({ status });
  });

  it.each([
    ['nothing', ''],
    ['protobuf', '\b\u0002'],
    ['HTML', '<html></html>'],
    ['half an answer', withToken(TOKEN).slice(0, 40)],
    ['two answers', withToken(TOKEN) + withToken(TOKEN)],
    ['null', 'null'],
    ['a list', '[]'],
    ['a number', '1e999'],
    ['an empty object', '{}'],
    ['another status', '{"status":"OK"}'],
    ['a status in lower case', '{"status":"success"}'],
    ['no type', success({ credentialsValue: TOKEN })],
    ['a type that is not a string', success({ credentialsValue: TOKEN, credentialsType: 7 })],
    ['a type that is too long', success({ credentialsValue: TOKEN, credentialsType: 'A'.repeat(65) })],
    ['an unknown type', success({ credentialsValue: TOKEN, credentialsType: 'OTHER_CREDENTIALS' })],
    ['no value', success({ credentialsType: 'ACCESS_TOKEN' })],
    ['an empty value', withToken('')],
    ['null for a value', withToken(null)],
    ['an object for a value', withToken({ token: TOKEN })],
    ['a line break in the value', withToken(`${TOKEN}\n`)],
    ['a NUL in the value', withToken(`\u0000${TOKEN}`)],
    ['1,025 characters for a value', withToken('x'.repeat(1025))],
    ['more than 16 kB', withToken(TOKEN) + ' '.repeat(16 * 1024)],
    ['16 kB of brackets', '['.repeat(16 * 1024)],
  ])('refuses %s, and does not quote the answer', async (_what, text) => {
    const failure = await failureOf(() => parse(text));
    expect(failure.code).toBe('ANSWER_INVALID');
    expect(everyWordOf(failure)).not.toContain(TOKEN.slice(0, 8));
  });

  it.each([['LWM2M_CREDENTIALS', TOKEN]])(
    "reports that %s credentials can't be used",
    async (credentialsType, credentialsValue) => {
      const failure = await failureOf(() => parse(success({ credentialsType, credentialsValue })));
      expect(failure.code).toBe('CREDENTIALS_TYPE_UNSUPPORTED');
      expect(failure.message).toContain(credentialsType);
      expect(everyWordOf(failure)).not.toContain(TOKEN);
    },
  );
});

describe('any answer of the server', () => {
  it(
    `it is a response, or a Failure that does not show the token (seed ${SEED})`,
    () => checkUsually(provisionResponseProperty),
    PROPERTY_LIMIT_MS,
  );
});
