import { expect, it, onTestFinished } from 'vitest';
import { serveLocally } from '../../src/watch/localServer.ts';
import { get } from './pageRequest.ts';

const TEXT = 'the name of the camera';

async function openServer() {
  const server = await serveLocally(
    { page: () => ({ text: TEXT, policy: "default-src 'none'" }), first: () => TEXT },
    false,
  );
  onTestFinished(() => server.close());
  const url = new URL(server.url);
  const [, token = ''] = url.pathname.split('/');
  return { server, url, token, at: (path: string) => new URL(path, url).href };
}

it('has an address with a new token of 128 bits or more', async () => {
  const servers = [await openServer(), await openServer()];
  for (const { token } of servers) {
    expect(token).toMatch(/^[\w-]+$/);
    expect(Buffer.from(token, 'base64url').length * 8).toBeGreaterThanOrEqual(128);
  }
  expect(new Set(servers.map(({ token }) => token)).size).toBe(2);
});

it('shows the page at its address, also without the slash at the end', async () => {
  const { url, token, at } = await openServer();
  expect(await get(url.href)).toMatchObject({ status: 200, body: TEXT });
  expect(await get(at(`/${token}`))).toMatchObject({ status: 308, headers: { location: `/${token}/` } });
  expect((await fetch(at(`/${token}`))).url).toBe(url.href);
});

it('sends nothing of the page, and no events, to a request without the token', async () => {
  const { server, token, at } = await openServer();
  const other = (await openServer()).token;
  const changed = `${token.slice(0, -1)}${token.endsWith('A') ? 'Q' : 'A'}`;
  for (const wrong of [
    '',
    other,
    changed,
    token.slice(0, -1),
    `${token}A`,
    token.toLowerCase(),
    encodeURIComponent(`${token}/`),
  ]) {
    for (const path of [`/${wrong}`, `/${wrong}/`, `/${wrong}/events`, `/events?${token}`, `/?token=${token}`]) {
      const answer = await get(at(path.replace('//', '/')));
      expect(answer, path).toMatchObject({ status: 403, headers: { 'content-type': 'text/plain; charset=utf-8' } });
      expect(answer.body, path).toContain('Open the address that thermal-provision has printed');
      expect(answer.body, path).not.toContain(token);
    }
  }
  const byCookie = await get(at('/'), { cookie: `token=${token}`, authorization: `Bearer ${token}` });
  expect(byCookie.status).toBe(403);
  expect(server.watched()).toBe(false);
});

it('refuses a foreign Host header in spite of the token', async () => {
  const { url, at } = await openServer();
  expect((await get(url.href, { host: `localhost:${url.port}` })).status).toBe(200);
  for (const host of ['evil.example', `evil.example:${url.port}`, '127.0.0.1', '127.0.0.1:1']) {
    expect((await get(url.href, { host })).status, host).toBe(403);
    expect((await get(at('events'), { host })).status, host).toBe(403);
  }
});

it('gives the address to no other site, and stores it nowhere', async () => {
  const { url, at } = await openServer();
  const { headers } = await get(url.href);
  expect(headers).toMatchObject({
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
    'cross-origin-resource-policy': 'same-origin',
  });
  // A cookie would also be sent to other ports of this machine.
  expect(headers).not.toHaveProperty('set-cookie');
  expect(headers).not.toHaveProperty('access-control-allow-origin');
  expect((await get(at('other'))).status).toBe(404);
  expect((await get(url.href, {}, 'POST')).status).toBe(405);
  expect(await get(at('/favicon.ico'))).toMatchObject({ status: 204, body: '' });
});
