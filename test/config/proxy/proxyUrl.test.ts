import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { PROXY_EXPECTED, readProxyUrl } from '../../../src/config/proxy/proxyUrl.ts';
import { problemsOf, withProvisioning } from '../provision/provisionJsonTexts.ts';

const read = (text: string) => readProxyUrl(text, 'the test');

describe('the URL of a proxy', () => {
  it.each([
    ['http://proxy.example:3128', { scheme: 'http', host: 'proxy.example', port: 3128 }],
    ['HTTP://Proxy.Example:3128/', { scheme: 'http', host: 'proxy.example', port: 3128 }],
    ['http://proxy', { scheme: 'http', host: 'proxy', port: 80 }],
    ['http://proxy:80', { scheme: 'http', host: 'proxy', port: 80 }],
    ['socks5://10.0.0.1', { scheme: 'socks5', host: '10.0.0.1', port: 1080 }],
    ['socks5h://my_proxy:9', { scheme: 'socks5h', host: 'my_proxy', port: 9 }],
    ['socks5h://[fd00::1]:9', { scheme: 'socks5h', host: 'fd00::1', port: 9 }],
  ])('is read: %s', (text, expected) => {
    const proxy = read(text);
    expect(proxy).toMatchObject(expected);
    expect(proxy).not.toHaveProperty('login');
  });

  it.each([
    ['http://user:word@proxy', 'user:word'],
    ['socks5h://user:w%40rd%3A%2F%25@proxy', 'user:w@rd:/%'],
    ['http://user@proxy', 'user:'],
    ['socks5://:word@proxy', ':word'],
    ['http://us%C3%A9r:w%F0%9F%94%91@proxy', 'usér:w🔑'],
  ])('has a login, which is not shown: %s', (text, login) => {
    const proxy = read(text);
    expect('login' in proxy && proxy.login?.reveal()).toBe(login);
    expect(`${JSON.stringify(proxy)}${inspect(proxy)}`).not.toMatch(/user|word|w@rd|us%C3/);
  });

  it.each([
    ['https://proxy', /over TLS/],
    ['socks4://proxy', /another scheme/],
    ['socks://proxy', /another scheme/],
    ['ftp://proxy', /another scheme/],
    ['proxy:3128', /not such a URL/],
    ['http://', /not such a URL/],
    ['http://proxy:port', /not such a URL/],
    ['http://proxy:99999', /not such a URL/],
    ['http://pro xy', /not such a URL/],
    ['http://pro\nxy', /not such a URL/],
    [`http://${'a'.repeat(1100)}`, /not such a URL/],
    ['http://proxy:0', /another form/],
    ['socks5://pro%20xy', /another form/],
    ['socks5://', /another form/],
    ['http://proxy/path', /another form/],
    ['http://proxy?a', /another form/],
    ['http://proxy/#a', /another form/],
    ['http://user:100%@proxy', /not written as in a URL/],
    ['http://us%3Aer:word@proxy', /not written as in a URL/],
    ['http://user:wo%0Ard@proxy', /not written as in a URL/],
    [`http://user:${'w'.repeat(256)}@proxy`, /not written as in a URL/],
  ])('is refused without being shown: %s', async (text, problem) => {
    expect(read(text)).toEqual({ problem: expect.stringMatching(problem) });
    expect(await problemsOf(withProvisioning({ proxy: text }))).toEqual([
      expect.stringMatching(new RegExp(`^- provisioning\\.proxy: found .*${problem.source}`)),
    ]);
    expect((await problemsOf(withProvisioning({ proxy: text })))[0]).toContain(`, expected ${PROXY_EXPECTED}`);
  });

  it.each([true, 3128, null, ['http://proxy'], { host: 'proxy' }])('is a text: %j', async (value) => {
    expect(await problemsOf(withProvisioning({ proxy: value }))).toHaveLength(1);
  });
});
