import { describe, expect, it, onTestFinished } from 'vitest';
import { runDevice } from '../support/agentRun.ts';
import { startBlackHole } from '../support/blackHole.ts';
import { deviceOf, failureOf, LOGIN, startProxy, textsOf } from '../support/proxyScene.ts';
import { startClosingServer, startTalkingServer } from '../support/strangeServers.ts';

const startOther = (answer: string): Promise<number> =>
  answer === '' ? startClosingServer(onTestFinished) : startTalkingServer(onTestFinished, answer);

describe('a proxy that does not open the way', () => {
  it.each([
    ['http', { login: LOGIN }, 'PROXY_LOGIN_REFUSED', /demands a user and a password/],
    ['socks5h', { login: LOGIN }, 'PROXY_LOGIN_REFUSED', /demands a user and a password/],
    ['http', { refuse: 403 }, 'PROXY_FORBIDS', /does not allow a connection to tb.example:1883: HTTP 403/],
    ['socks5h', { refuse: 2 }, 'PROXY_FORBIDS', /does not allow a connection to tb.example:1883/],
    [
      'socks5h',
      { refuse: 8 },
      'PROXY_FORBIDS',
      /does not allow a connection to tb.example:1883: SOCKS reply 8, it does not support this kind/,
    ],
    ['http', { refuse: 502 }, 'PROXY_TARGET_UNREACHABLE', /has no connection to tb.example:1883: HTTP 502/],
    ['http', { refuse: 503 }, 'PROXY_TARGET_UNREACHABLE', /HTTP 503/],
    ['http', { refuse: 504 }, 'PROXY_TARGET_UNREACHABLE', /HTTP 504/],
    ['socks5h', { refuse: 1 }, 'PROXY_TARGET_UNREACHABLE', /general failure/],
    ['socks5h', { refuse: 3 }, 'PROXY_TARGET_UNREACHABLE', /network unreachable/],
    ['socks5h', { refuse: 4 }, 'PROXY_TARGET_UNREACHABLE', /host unreachable, or its name is unknown/],
    ['socks5h', { refuse: 5 }, 'PROXY_TARGET_UNREACHABLE', /nothing listens on that port/],
    ['socks5h', { refuse: 6 }, 'PROXY_TARGET_UNREACHABLE', /the host does not answer/],
    ['socks5h', { refuse: 77 }, 'NOT_A_PROXY', /does not answer as a proxy of this kind/],
    ['http', { refuse: 404 }, 'NOT_A_PROXY', /answers HTTP 404 to CONNECT, as a web server does/],
    ['http', { refuse: 302 }, 'NOT_A_PROXY', /answers HTTP 302/],
    ['http', { silent: true }, 'PROXY_UNREACHABLE', /did not open the way to tb.example:1883 within 1 s/],
    ['socks5h', { silent: true }, 'PROXY_UNREACHABLE', /did not open the way to tb.example:1883 within 1 s/],
  ] as const)('%s %o: %s', async (scheme, options, code, message) => {
    const proxy = await startProxy(scheme, options);
    const paths = await deviceOf(1883, `${scheme}://127.0.0.1:${proxy.port}`);
    const run = await runDevice(paths);
    expect(failureOf(run)).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(run.failure?.message).toContain(`${scheme}://127.0.0.1:${proxy.port}`);
    expect(run.failure?.hint).toMatch(/provisioning\.proxy in provision\.json|tb\.example:1883/);
  });

  it.each(['http', 'socks5h'] as const)(
    'says that %s refuses user and password, without showing them',
    async (scheme) => {
      const proxy = await startProxy(scheme, { login: LOGIN });
      const paths = await deviceOf(1883, `${scheme}://camera:wrong-word@127.0.0.1:${proxy.port}`);
      const run = await runDevice(paths);
      expect(failureOf(run)).toMatchObject({
        code: 'PROXY_LOGIN_REFUSED',
        message: `The proxy ${scheme}://127.0.0.1:${proxy.port} refuses the user and the password`,
      });
      expect(`${run.text}\n${JSON.stringify(run)}\n${await textsOf(paths)}`).not.toContain('wrong-word');
    },
  );

  it('names the kind of login that the proxy demands instead', async () => {
    const proxy = await startProxy('http', { refuse: 407, headers: { 'Proxy-Authenticate': 'NTLM' } });
    const run = await runDevice(await deviceOf(1883, `http://127.0.0.1:${proxy.port}`));
    expect(run.failure?.message).toMatch(/demands another kind of login \(NTLM\)$/);
  });

  it('names the proxy when nothing listens there', async () => {
    const proxy = await startProxy('http');
    await proxy.kill();
    const run = await runDevice(await deviceOf(1883, `http://127.0.0.1:${proxy.port}`));
    expect(failureOf(run)).toEqual({
      code: 'PROXY_UNREACHABLE',
      message: `No connection to the proxy http://127.0.0.1:${proxy.port}: nothing listens on that port (ECONNREFUSED)`,
      hint: expect.stringMatching(/^Check provisioning\.proxy in provision\.json, and the network/),
    });
  });

  it("names the proxy when its name can't be resolved", async () => {
    const run = await runDevice(await deviceOf(1883, 'socks5h://proxy.invalid'));
    expect(failureOf(run)).toMatchObject({
      code: 'PROXY_UNREACHABLE',
      message: expect.stringMatching(
        /^No connection to the proxy socks5h:\/\/proxy\.invalid:1080: the host name can't/,
      ),
    });
  });

  it('names the proxy when its host does not answer', async () => {
    const run = await runDevice(await deviceOf(1883, `http://127.0.0.1:${await startBlackHole()}`));
    expect(failureOf(run)).toMatchObject({
      code: 'PROXY_UNREACHABLE',
      message: expect.stringMatching(/^No connection to the proxy .* within 1 s$/),
    });
  });

  it.each([
    ['http', 'MQTT\r\n\r\n', 'NOT_A_PROXY', /does not answer as a proxy of this kind/],
    ['socks5h', 'HTTP/1.1 400 Bad Request\r\n\r\n', 'NOT_A_PROXY', /does not answer as a proxy of this kind/],
    ['http', '', 'PROXY_UNREACHABLE', /closed the connection before it opened the way/],
    ['socks5h', '', 'PROXY_UNREACHABLE', /closed the connection before it opened the way/],
  ] as const)('%s: another service that answers "%s"', async (scheme, answer, code, message) => {
    const port = await startOther(answer);
    const run = await runDevice(await deviceOf(1883, `${scheme}://127.0.0.1:${port}`));
    expect(failureOf(run)).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('is tried again after 1, 2 and 4 s, as a server is (FR-011)', async () => {
    const proxy = await startProxy('http', { refuse: 502 });
    const run = await runDevice(await deviceOf(1883, `http://127.0.0.1:${proxy.port}`, { max_retries: 3 }));
    expect(run.pauses).toHaveLength(3);
    expect(proxy.targets).toHaveLength(4);
  });

  it('is not tried again if it forbids the connection', async () => {
    const proxy = await startProxy('http', { refuse: 403 });
    const run = await runDevice(await deviceOf(1883, `http://127.0.0.1:${proxy.port}`, { max_retries: 3 }));
    expect(run.pauses).toEqual([]);
  });
});
