/** Servers with one fault each, and how their fault is named. */

import type { Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { issueAuthority, issueCertificate } from '../../src/simulator/certificate.ts';
import { connackBytes, type RawScript } from '../support/rawMqttServer.ts';

const DAY_MS = 86_400_000;
const ago = (days: number): Date => new Date(Date.now() - days * DAY_MS);
const PAST = { notBefore: ago(3), notAfter: ago(2) };
const LOCAL = { names: ['localhost'], ips: ['127.0.0.1'] };

const root = await issueAuthority({ name: 'Root' });
const inner = await issueAuthority({ name: 'Inner', ca: root });
const oldRoot = await issueAuthority({ name: 'Old root', ...PAST });
const oldInner = await issueAuthority({ name: 'Old inner', ca: root, ...PAST });
const leaf = await issueCertificate({ ...LOCAL, ca: root });
const innerLeaf = await issueCertificate({ ...LOCAL, ca: inner });
const oldInnerLeaf = await issueCertificate({ ...LOCAL, ca: oldInner });
const selfSigned = await issueCertificate(LOCAL);
const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => `${name}.test`);

export interface Situation {
  readonly script?: RawScript;
  /** The server's TLS. */
  readonly tls?: TlsOptions;
  /** The client's ca_file; absent: a connection without TLS. */
  readonly trusts?: string;
  readonly code: string;
  readonly says: RegExp;
  readonly advises: RegExp;
}

const onOpen = (act: (socket: Socket) => void): RawScript => ({ onOpen: act });
/** Answers the first bytes, whatever they are. */
const reply = (bytes: Uint8Array | string): RawScript =>
  onOpen((socket) => socket.once('data', () => socket.write(bytes)));
const refuse = (code: number): RawScript => ({ onConnect: (socket) => void socket.end(connackBytes(code)) });
/** RFC 8446, section 6: a fatal alert. */
const alert = (description: number): RawScript => reply(Buffer.from([21, 3, 3, 0, 2, 2, description]));
const clientCertificate = (version: 'TLSv1.2' | 'TLSv1.3'): TlsOptions => ({
  ...leaf,
  ca: root.cert,
  requestCert: true,
  rejectUnauthorized: true,
  maxVersion: version,
});
const NO_CLIENT_CERTIFICATE = /^The agent provisions without a client certificate: let the server accept that/;
const TLS_PORT = /must be the server's TLS port/;
const PLAIN_PORT = /use_ssl is false, and a TLS port closes connections without TLS/;

export const situations: Readonly<Record<string, Situation>> = {
  'TLS 1.2 demands a client certificate': {
    tls: clientCertificate('TLSv1.2'),
    trusts: root.cert,
    code: 'TLS_FAILED',
    says: /demands a client certificate \(/,
    advises: NO_CLIENT_CERTIFICATE,
  },
  'TLS 1.3 demands a client certificate': {
    tls: clientCertificate('TLSv1.3'),
    trusts: root.cert,
    code: 'TLS_FAILED',
    says: /demands a client certificate \(/,
    advises: NO_CLIENT_CERTIFICATE,
  },
  'sends an alert about the missing client certificate': {
    script: alert(42),
    trusts: root.cert,
    code: 'TLS_FAILED',
    says: /demands a client certificate \(/,
    advises: NO_CLIENT_CERTIFICATE,
  },
  'closes the connection after the TLS handshake': {
    tls: leaf,
    script: onOpen((socket) => socket.destroy()),
    trusts: root.cert,
    code: 'CONNECTION_LOST',
    says: /closed the TLS connection before it accepted the login$/,
    advises: /^The server may demand a client certificate\. /,
  },
  'has a valid certificate of an authority whose own certificate in ca_file has expired': {
    tls: await issueCertificate({ ...LOCAL, ca: oldRoot }),
    trusts: oldRoot.cert,
    code: 'TLS_EXPIRED',
    says: /the certificate of the authority "Old root \w+" in the test expired on 20\d\d-\d\d-\d\d$/,
    advises: /^Replace it in the test by the authority's valid certificate; .*clock/,
  },
  'sends an intermediate certificate that has expired': {
    tls: { key: oldInnerLeaf.key, cert: oldInnerLeaf.cert + oldInner.cert },
    trusts: root.cert,
    code: 'TLS_EXPIRED',
    says: /the certificate of the authority "Old inner \w+", which the server sends, expired on /,
    advises: /in the server's certificate chain/,
  },
  'has an expired certificate': {
    tls: await issueCertificate({ ...LOCAL, ca: root, ...PAST }),
    trusts: root.cert,
    code: 'TLS_EXPIRED',
    says: /: its certificate has expired$/,
    advises: /^Renew the server's certificate; .*clock/,
  },
  'has a certificate that begins tomorrow': {
    tls: await issueCertificate({ ...LOCAL, ca: root, notBefore: ago(-1) }),
    trusts: root.cert,
    code: 'TLS_NOT_YET_VALID',
    says: /not valid yet/,
    advises: /the device's clock is wrong/,
  },
  'does not send its intermediate certificate': {
    tls: innerLeaf,
    trusts: root.cert,
    code: 'TLS_UNKNOWN_CA',
    says: /unknown here \("Inner \w+" is not in the test\)$/,
    advises: /If "Inner \w+" is an intermediate authority: let the server send its full certificate chain/,
  },
  'sends a chain of another authority': {
    tls: { key: innerLeaf.key, cert: innerLeaf.cert + inner.cert },
    trusts: oldRoot.cert,
    code: 'TLS_UNKNOWN_CA',
    says: /unknown here \("Root \w+" is not in the test\)$/,
    advises: /^Put the CA certificate of "Root \w+" \(PEM\) into the device folder and name it in \w+\.ca_file\.$/,
  },
  'has its own certificate in ca_file instead of its authority': {
    tls: leaf,
    trusts: leaf.cert,
    code: 'TLS_UNKNOWN_CA',
    says: /the test holds the server's own certificate, not that of its authority "Root \w+"$/,
    advises: /^Put the CA certificate of "Root /,
  },
  'has a self-signed certificate': {
    tls: selfSigned,
    trusts: root.cert,
    code: 'TLS_UNKNOWN_CA',
    says: /its certificate is self-signed$/,
    advises: /^Put the server's certificate \(PEM\)/,
  },
  'has a certificate of other hosts': {
    tls: await issueCertificate({ names, ca: root }),
    trusts: root.cert,
    code: 'TLS_WRONG_HOST',
    says: /another host \(a\.test, b\.test, c\.test, d\.test, e\.test, 2 more\)$/,
    advises: /to a host name in the certificate/,
  },
  'has no cipher in common': {
    tls: { ...leaf, maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' },
    trusts: root.cert,
    code: 'TLS_FAILED',
    says: /have no TLS cipher in common \(/,
    advises: /^Switch on the usual ciphers/,
  },
  'speaks TLS 1.1 at most': {
    tls: { ...leaf, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
    trusts: root.cert,
    code: 'TLS_FAILED',
    says: /speaks neither TLS 1\.2 nor TLS 1\.3/,
    advises: /^Switch on TLS 1\.2/,
  },
  'does not know the host name': {
    script: alert(112),
    trusts: root.cert,
    code: 'TLS_FAILED',
    says: /has no certificate for the host name 127\.0\.0\.1/,
    advises: /\.host in /,
  },
  'has an internal error in the handshake': {
    script: alert(80),
    trusts: root.cert,
    code: 'TLS_FAILED',
    says: /The TLS handshake with .* failed: tlsv1 alert internal error$/,
    advises: /the log of the server/,
  },
  'answers TLS in HTTP': {
    script: reply('HTTP/1.1 400 Bad Request\r\n\r\n'),
    trusts: root.cert,
    code: 'TLS_FAILED',
    says: /answers, but not in TLS/,
    advises: TLS_PORT,
  },
  'closes a TLS handshake at once, like a port without TLS': {
    script: onOpen((socket) => socket.once('data', () => socket.end())),
    trusts: root.cert,
    code: 'CONNECTION_LOST',
    says: /as a port without TLS does$/,
    advises: TLS_PORT,
  },
  'resets a TLS handshake at once': {
    script: onOpen((socket) => socket.once('data', () => socket.resetAndDestroy())),
    trusts: root.cert,
    code: 'CONNECTION_LOST',
    says: /as a port without TLS does$/,
    advises: TLS_PORT,
  },
  'is silent in the TLS handshake': {
    trusts: root.cert,
    code: 'CONNECT_TIMEOUT',
    says: /the TLS handshake did not end within 0\.3 s$/,
    advises: TLS_PORT,
  },
  'answers in HTTP': {
    script: reply('HTTP/1.1 302 Found\r\nLocation: http://login.test/\r\n\r\n'),
    code: 'NOT_MQTT',
    says: /answers in HTTP, not in MQTT$/,
    advises: /the log-in page of a network/,
  },
  'answers in HTTP over TLS': {
    tls: leaf,
    script: reply('HTTP/1.1 400 Bad Request\r\n\r\n'),
    trusts: root.cert,
    code: 'NOT_MQTT',
    says: /answers in HTTP, not in MQTT$/,
    advises: /web server/,
  },
  'answers a connection without TLS with an alert of TLS': {
    script: alert(10),
    code: 'NOT_MQTT',
    says: /answers in TLS, but use_ssl is false$/,
    advises: /^Set \w+\.use_ssl to true/,
  },
  'wants TLS and closes a connection without it': {
    tls: leaf,
    code: 'CONNECTION_LOST',
    says: /closed the connection before it accepted it$/,
    advises: PLAIN_PORT,
  },
  'resets the connection': {
    script: { onConnect: (socket) => void socket.resetAndDestroy() },
    code: 'CONNECTION_LOST',
    says: /the connection was reset/,
    advises: PLAIN_PORT,
  },
  'is silent': {
    code: 'ANSWER_TIMEOUT',
    says: /did not accept the MQTT connection within 0\.3 s$/,
    advises: /its log/,
  },
  'is not available': { script: refuse(3), code: 'SERVER_UNAVAILABLE', says: /CONNACK 3/, advises: /not available/ },
  'speaks another version of MQTT': {
    script: refuse(1),
    code: 'NOT_THINGSBOARD',
    says: /CONNACK 1/,
    advises: /but not ThingsBoard/,
  },
};
