import type { Authorities } from '../../endpoint.ts';
import type { ServerFacts } from '../../failures/serverFacts.ts';
import { readLimited } from '../../files/readLimited.ts';
import { certificatesIn, MAX_CA_BYTES, readCaFile, UNREADABLE } from './caFile.ts';

/** The paths at which Debian, Fedora and Alpine keep the bundle of trusted certificate authorities. */
const BUNDLES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem'];
const MAX_BUNDLE_BYTES = 4 * 1024 * 1024;

/** OpenSSL's variable for another bundle, and Node's for more authorities. */
const BUNDLE_VARIABLE = 'SSL_CERT_FILE';
const EXTRA_VARIABLE = 'NODE_EXTRA_CA_CERTS';
/** OpenSSL's variable for a folder of certificates. It is not used. */
const FOLDER_VARIABLE = 'SSL_CERT_DIR';

type Environment = Readonly<Record<string, string | undefined>>;

/** Certificates and their origin. Without `pem` there are none, and `unused` says why. */
interface Source {
  readonly pem?: string;
  readonly from: string;
  readonly unused: string;
}

/** The file that a variable names. The system's own bundle, which some systems name, is nothing special. */
async function fromVariable(name: string, env: Environment, bundles: readonly string[]): Promise<Source> {
  const path = env[name] ?? '';
  if (path === '' || bundles.includes(path)) return { from: '', unused: '' };
  const read = await readLimited(path, MAX_CA_BYTES);
  const pem = read.ok ? certificatesIn(read.bytes) : '';
  const from = `${path} (${name})`;
  if (pem !== '') return { pem, from, unused: '' };
  const why = read.ok ? 'it holds no PEM certificate' : UNREADABLE[read.problem];
  return { from, unused: ` ${name} is not used: ${path}: ${why}.` };
}

/**
 * The system's certificate authorities. Node trusts only its built-in list, but an operator who adds an authority to
 * the device expects the agent to trust it too.
 */
async function fromBundle(bundles: readonly string[]): Promise<Source> {
  for (const path of bundles) {
    const read = await readLimited(path, MAX_BUNDLE_BYTES);
    if (read.ok && read.bytes.length > 0) {
      return { pem: read.bytes.toString('utf8'), from: `the system's bundle ${path}`, unused: '' };
    }
  }
  return { from: "Node's built-in list", unused: '' };
}

/** The system's authorities with those that the environment names, as other programs of this device trust them. */
export async function systemAuthorities(env: Environment, bundles: readonly string[] = BUNDLES): Promise<Authorities> {
  const chosen = await fromVariable(BUNDLE_VARIABLE, env, bundles);
  const base = chosen.pem === undefined ? await fromBundle(bundles) : chosen;
  const extra = await fromVariable(EXTRA_VARIABLE, env, bundles);
  const folder = (env[FOLDER_VARIABLE] ?? '') === '' ? '' : ` ${FOLDER_VARIABLE} is not used.`;
  const from = extra.pem === undefined ? base.from : `${base.from} and ${extra.from}`;
  const unused = `${chosen.unused}${extra.unused}${folder}`;
  // Node adds the extra authorities to its built-in list by itself.
  if (base.pem === undefined) return { from, unused };
  return { pem: extra.pem === undefined ? base.pem : `${base.pem}\n${extra.pem}`, from, unused };
}

/** Whether an environment variable decides which authorities are trusted. A service may have other variables. */
export const dependsOnEnvironment = ({ from }: Authorities): boolean =>
  [BUNDLE_VARIABLE, EXTRA_VARIABLE].some((name) => from.includes(`(${name})`));

/**
 * The authorities that a TLS connection trusts: those in `ca_file`, otherwise the system's. Undefined without TLS.
 * @throws Failure CA_FILE_UNUSABLE
 */
export async function trustedAuthorities(
  deviceFolder: string,
  { useSsl, caFile }: { readonly useSsl: boolean; readonly caFile?: string | undefined },
  section: ServerFacts['section'],
  env: Environment = process.env,
): Promise<Authorities | undefined> {
  if (!useSsl) return undefined;
  if (caFile === undefined) return systemAuthorities(env);
  const pem = await readCaFile(deviceFolder, caFile, section);
  const set = [BUNDLE_VARIABLE, EXTRA_VARIABLE, FOLDER_VARIABLE].filter((name) => (env[name] ?? '') !== '');
  const unused = set.length === 0 ? '' : ` Not used, because ca_file is set: ${set.join(', ')}.`;
  return { pem, from: `ca_file ${caFile}`, unused };
}
