import { formatDistanceStrict } from 'date-fns/formatDistanceStrict';
import type { ShownCertificate } from '../failures/connectionProgress.ts';
import { type Checked, type Finding, failed, passed, warning } from './check.ts';
import type { LoginAttempt } from './loginAttempt.ts';

const SOON_MS = 30 * 24 * 3600 * 1000;
const NO_TLS = 'not used: key, secret and token are sent unencrypted';
const NO_TLS_HINT = 'Set provisioning.use_ssl (port 8883) if the server offers TLS.';

const day = (time: number): string => new Date(time).toISOString().slice(0, 10);

function describe(chain: readonly ShownCertificate[]): string {
  const [leaf] = chain;
  if (leaf === undefined) return '';
  const issuers = [...chain.slice(1).map(({ name }) => name), chain.at(-1)?.issuer];
  const path = issuers.filter((name, index) => name !== issuers[index - 1]).join(' ← ');
  return `certificate of ${leaf.name}, issued by ${path}, valid ${day(leaf.validFrom)} to ${day(leaf.validTo)}`;
}

/** A warning for the certificate of the chain that expires first, if it expires soon. */
function expiry(chain: readonly ShownCertificate[], now: number): Finding[] {
  const first = [...chain].sort((a, b) => a.validTo - b.validTo)[0];
  if (first === undefined || first.validTo - now > SOON_MS) return [];
  const when = formatDistanceStrict(first.validTo, now, { addSuffix: true });
  const hint = 'Renew the certificate on the server before that date.';
  return [warning(`the certificate of ${first.name} expires ${when}`, hint)];
}

/**
 * Checks the TLS handshake, and shows the server's certificates: issuers and dates.
 * @param now ms since the epoch
 */
export async function checkTlsConnection(attempt: LoginAttempt, now: number): Promise<Checked<LoginAttempt>> {
  if (!attempt.server.useSsl) return { fact: attempt, findings: [warning(NO_TLS, NO_TLS_HINT)] };
  const step = await attempt.secured;
  const { chain } = attempt.progress();
  if ('failure' in step) {
    const refusal = failed(step.failure);
    const shown = chain.length === 0 ? '' : `; ${describe(chain)}`;
    return { findings: [{ ...refusal, message: `${refusal.message}${shown}` }] };
  }
  const trusted = passed(`${step.shown.protocol}, ${describe(chain)}`);
  return { fact: attempt, findings: [trusted, ...expiry(chain, now)] };
}
