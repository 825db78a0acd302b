import type { DetailedPeerCertificate, PeerCertificate } from 'node:tls';
import type { ShownCertificate } from '../failures/connectionProgress.ts';

const MAX_CHAIN = 5;
const MAX_NAME_LENGTH = 100;
const MAX_HOSTS = 5;

/** The server decides these texts, so they are limited and can't control a terminal. */
const printable = (text: string): string => text.replaceAll(/\p{C}/gu, '?').slice(0, MAX_NAME_LENGTH);

/** A name in a certificate. An attribute may occur more than once. */
function nameOf(entity: PeerCertificate['subject'] | undefined): string {
  const { CN, O } = entity ?? {};
  return printable(String(CN ?? O ?? 'no name'));
}

function hostsOf({ subjectaltname, subject }: PeerCertificate): string[] {
  const names = subjectaltname === undefined ? [String(subject?.CN ?? '')] : subjectaltname.split(', ');
  const hosts = names.map((name) => printable(name.replace(/^(?:DNS|IP Address):/, ''))).filter((host) => host !== '');
  return hosts.length <= MAX_HOSTS ? hosts : [...hosts.slice(0, MAX_HOSTS), `${hosts.length - MAX_HOSTS} more`];
}

/** The server's certificate and its issuers, from Node's form of them. In Node a root is its own issuer. */
export function shownChain(leaf: DetailedPeerCertificate): ShownCertificate[] {
  const chain: ShownCertificate[] = [];
  let next: DetailedPeerCertificate | undefined = leaf;
  // Without a certificate Node returns an empty object.
  while (next?.raw !== undefined && chain.length < MAX_CHAIN) {
    const der = next.raw.toString('base64');
    if (chain.some((shown) => shown.der === der)) break;
    chain.push({
      name: nameOf(next.subject),
      issuer: nameOf(next.issuer),
      hosts: hostsOf(next),
      validFrom: Date.parse(next.valid_from),
      validTo: Date.parse(next.valid_to),
      der,
    });
    next = next.issuerCertificate;
  }
  return chain;
}
