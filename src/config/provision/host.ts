import { isIP, isIPv4 } from 'node:net';

const LABEL = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;
const MAX_NAME_LENGTH = 253;
const TLS_URL = /^\s*(mqtts|ssl|tls|wss|https|mqtt\+ssl|mqtt\+tls|tcps):/i;

/** RFC 1123 name; underscores are allowed, because container networks use them. A last label of digits is IPv4. */
function isHostName(text: string): boolean {
  const labels = text.replace(/\.$/, '').split('.');
  if (text.length > MAX_NAME_LENGTH || !labels.every((label) => LABEL.test(label))) return false;
  return !/(^|\.)\d+\.?$/.test(text) || isIPv4(text);
}

/** Whether a text is a host name, an IPv4 address or an IPv6 address without brackets, and nothing else. */
export const isHost = (text: string): boolean => isIP(text) !== 0 || isHostName(text);

/** Describes a text that is not a host without quoting it; undefined when nothing specific is known. */
export function describeHost(text: string): string | undefined {
  if (text.includes('://')) return TLS_URL.test(text) ? 'a URL with a scheme for TLS' : 'a URL with a scheme';
  if (text.startsWith('[')) return 'an address in brackets';
  if (/\s/.test(text)) return 'a string with white space';
  if (/:\d*$/.test(text)) return 'a host with a port';
  if (text.includes('/')) return 'a host with a path';
  return undefined;
}
