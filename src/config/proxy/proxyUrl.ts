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

const unusable = (problem: string): { readonly problem: string } => ({ problem });

/** `user:password` of a URL, decoded; undefined: it can't be sent. */
function loginIn({ username, password }: URL): string | undefined {
  try {
    const parts = [decodeURIComponent(username), decodeURIComponent(password)] as const;
    // A user with a colon can't be sent to an HTTP proxy (RFC 7617, section 2).
    const isSendable = !parts[0].includes(':') && parts.every((part) => Buffer.byteLength(part) <= MAX_LOGIN_BYTES);
    return isSendable && !/\p{Cc}/u.test(parts.join('')) ? parts.join(':') : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Reads the URL of a proxy.
 * @param from who named the proxy, for messages
 * @returns the proxy, or what is wrong without a part of the text, because it may hold a password
 */
export function readProxyUrl(text: string, from: string): ProxyServer | { readonly problem: string } {
  // The class URL removes white space silently.
  const isText = text.length <= MAX_LENGTH && !/[\s\p{Cc}]/u.test(text) && text.includes('://');
  if (!isText || !URL.canParse(text)) return unusable('a text that is not such a URL');
  const url = new URL(text);
  const scheme = url.protocol.slice(0, -1);
  if (scheme === 'https') return unusable('a proxy over TLS (https://), which is not supported');
  if (!isScheme(scheme)) return unusable('a URL with another scheme');
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port === '' ? PORTS[scheme] : Number(url.port);
  const isAddress = isHost(host) && port > 0;
  if (!isAddress || `${url.pathname}${url.search}${url.hash}`.length > 1) return unusable('a URL of another form');
  const login = loginIn(url);
  if (login === undefined) return unusable('a user or password that is not written as in a URL');
  return { scheme, host, port, ...(login === ':' ? {} : { login: new Secret(login) }), url: new Secret(text), from };
}
