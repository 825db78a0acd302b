import type { ProxyServer } from '../../endpoint.ts';
import { Secret } from '../../secret.ts';
import { isHost } from '../provision/host.ts';

/** The default ports: that of HTTP, and the registered port of SOCKS. */
const PORTS = { http: 80, socks5: 1080, socks5h: 1080 } as const;

const isScheme = (text: string): text is ProxyServer['scheme'] => Object.hasOwn(PORTS, text);

const MAX_LENGTH = 1024;
/** SOCKS5 has one byte for the length of each (RFC 1929). */
const MAX_LOGIN_BYTES = 255;

export const PROXY_EXPECTED =
  'http://HOST:PORT, socks5h://HOST:PORT or socks5://HOST:PORT, with USER:PASSWORD@ before HOST if the proxy demands it';

/** `user:password` of a URL, decoded. */
function loginIn({ username, password }: URL): { readonly login: Secret | undefined } | { readonly problem: string } {
  if (username === '' && password === '') return { login: undefined };
  try {
    const [user, word] = [decodeURIComponent(username), decodeURIComponent(password)];
    // RFC 7617, section 2.
    if (user.includes(':') || /\p{Cc}/u.test(user + word)) return { problem: 'a user or password with : or controls' };
    if ([user, word].some((one) => Buffer.byteLength(one) > MAX_LOGIN_BYTES)) {
      return { problem: `a user or password of more than ${MAX_LOGIN_BYTES} bytes` };
    }
    return { login: new Secret(`${user}:${word}`) };
  } catch {
    return { problem: 'a user or password with a % that is not written as %25' };
  }
}

/**
 * Reads the URL of a proxy.
 * @param from who named the proxy, for messages
 * @returns the proxy, or what is wrong without a part of the text, because it may hold a password
 */
export function readProxyUrl(text: string, from: string): ProxyServer | { readonly problem: string } {
  if (text.length > MAX_LENGTH) return { problem: `a string of ${text.length} characters` };
  // The class URL removes them silently.
  if (/[\s\p{Cc}]/u.test(text)) return { problem: 'a string with white space' };
  if (!text.includes('://')) return { problem: 'a string without http:// or socks5h://' };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const scheme = url?.protocol.slice(0, -1) ?? '';
  if (scheme === 'https') return { problem: 'a proxy over TLS (https://), which is not supported' };
  if (url === undefined) return { problem: 'a URL with a wrong host or port' };
  if (!isScheme(scheme)) return { problem: 'a URL with another scheme' };
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (!isHost(host)) return { problem: 'a URL with a wrong host' };
  if (!['', '/'].includes(url.pathname) || url.search !== '' || url.hash !== '') {
    return { problem: 'a URL with more than host and port' };
  }
  const port = url.port === '' ? PORTS[scheme] : Number(url.port);
  if (port === 0) return { problem: 'a URL with port 0' };
  const found = loginIn(url);
  if ('problem' in found) return found;
  const { login } = found;
  return { scheme, host, port, ...(login === undefined ? {} : { login }), url: new Secret(text), from };
}
