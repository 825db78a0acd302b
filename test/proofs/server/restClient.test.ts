import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { RestClient, RestError } from './restClient.ts';

type Answer = readonly [status: number, body: unknown];

/** A server with scripted answers; logins give the tokens t1, t2, … */
async function scripted(answers: Answer[]): Promise<{ client: RestClient; calls: string[] }> {
  const calls: string[] = [];
  let logins = 0;
  const server = createServer((request, response) => {
    calls.push(`${request.method} ${request.url} ${request.headers['x-authorization'] ?? ''}`.trim());
    const isLogin = request.url === '/api/auth/login';
    if (isLogin) logins += 1;
    const [status, body] = isLogin
      ? [200, { token: `t${logins}` }]
      : (answers.shift() ?? [500, { message: 'no more' }]);
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const login = { url: `http://127.0.0.1:${port}`, user: 'u', password: 'very-secret' };
  return { client: new RestClient(login, new AbortController().signal), calls };
}

const LOGIN = 'POST /api/auth/login';

it('logs in once, and again when the token has expired', async () => {
  const { client, calls } = await scripted([
    [200, 1],
    [401, { message: 'Token has expired' }],
    [200, 2],
  ]);
  expect(await client.call('GET', '/a')).toBe(1);
  expect(await client.call('GET', '/b')).toBe(2);
  expect(calls).toEqual([LOGIN, 'GET /a Bearer t1', 'GET /b Bearer t1', LOGIN, 'GET /b Bearer t2']);
});

it('waits after a rate limit and asks again', async () => {
  const { client } = await scripted([
    [429, { message: 'Too many requests' }],
    [200, 'done'],
  ]);
  expect(await client.call('POST', '/a', {})).toBe('done');
});

it('gives up a refused call with its status, without the query and the password', async () => {
  const { client } = await scripted([
    [400, { message: 'Device with such name already exists!' }],
    [401, { message: 'no' }],
    [401, { message: 'no' }],
  ]);
  const refused = await client.call('POST', '/api/device?accessToken=secret', {}).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(RestError);
  expect(refused).toMatchObject({
    status: 400,
    message: 'REST POST /api/device: 400 Device with such name already exists!',
  });
  await expect(client.call('GET', '/a')).rejects.toMatchObject({ status: 401 });
});

it('does not repeat a call that could have changed something', async () => {
  const { client, calls } = await scripted([[503, { message: 'down' }]]);
  await expect(client.call('POST', '/a', {})).rejects.toMatchObject({ status: 503 });
  expect(calls).toEqual([LOGIN, 'POST /a Bearer t1']);
});
