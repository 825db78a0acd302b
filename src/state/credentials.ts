/**
 * credentials.json: names and device credentials of an unfinished run, as a document. runCredentials.ts has its use in a run. The
 * camera's own credentials are in thermal_config.json (src/config/thermal).
 */

import * as z from 'zod/mini';
import { PROVISION_POLICY } from '../../machines/provision.policy.ts';
import type { BoardIdentity } from '../device/board.ts';
import { type DeviceCredentials, isCertificate } from '../deviceCredentials.ts';
import { Failure } from '../failures/failure.ts';
import { folderOwner, setAside, tightenMode, writeOwnFile } from '../files/ownFiles.ts';
import type { Log } from '../log/log.ts';
import { Secret } from '../secret.ts';
import { readOwnDocument, versionOf } from './ownDocument.ts';

const CREDENTIALS_FORMAT = 'thermal-provision-credentials';
/** Version 1, of release 1.0.0, knows only access tokens: `token` in place of `credentials`. */
const CREDENTIALS_VERSION = 2;
const MAX_TOKEN_LENGTH = 1024;
const MAX_PEM_LENGTH = 16 * 1024;

/** A name and credentials that the device generated and stored before it sent a request with them. */
export interface Candidate {
  readonly nameIndex: number;
  readonly name: string;
  readonly credentials: DeviceCredentials;
  /** The run that generated it. In any other run a request with it may have been sent before. */
  readonly runId: string;
  /** Whether the server answered every request with it, and registered no device. false: that is not known. */
  readonly answered: boolean;
}

/** Credentials that the server issued. */
export interface IssuedCredentials {
  readonly deviceName: string;
  readonly credentials: DeviceCredentials;
  /** The run that received the server's SUCCESS. null: `reconcile` found the device instead. */
  readonly successSeenBy: string | null;
}

/** The authority on generated and issued credentials: the snapshot may lag behind it, never be ahead. */
export interface Credentials {
  readonly target: { readonly digest: string; readonly host: string; readonly port: number };
  readonly board: BoardIdentity;
  readonly candidates: readonly Candidate[];
  readonly granted: IssuedCredentials | null;
}

/** Whether no device can exist: the server answered every request, and registered no device. */
export const registeredNothing = ({ candidates, granted }: Credentials): boolean =>
  granted === null && candidates.every(({ answered }) => answered);

const text = (max: number, min = 0) => z.string().check(z.minLength(min), z.maxLength(max));
const secretText = (max: number) =>
  z.pipe(
    text(max, 1),
    z.transform((value) => new Secret(value)),
  );
const digestSchema = z.nullable(text(64));

const deviceCredentialsSchema = z.lazy(() =>
  z.discriminatedUnion('type', [
    z.object({ type: z.literal('ACCESS_TOKEN'), token: secretText(MAX_TOKEN_LENGTH) }),
    z.object({
      type: z.literal('MQTT_BASIC'),
      clientId: z.nullable(text(MAX_TOKEN_LENGTH)),
      userName: z.nullable(secretText(MAX_TOKEN_LENGTH)),
      password: z.nullable(secretText(MAX_TOKEN_LENGTH)),
    }),
    z.object({
      type: z.literal('X509_CERTIFICATE'),
      certificate: text(MAX_PEM_LENGTH).check(z.refine(isCertificate)),
      key: secretText(MAX_PEM_LENGTH),
    }),
  ]),
);

/** An entry of version 1, which has only a token, as one of version 2. */
const upgraded = (entry: unknown): unknown =>
  typeof entry === 'object' && entry !== null && 'token' in entry
    ? { ...entry, credentials: { type: 'ACCESS_TOKEN', token: entry.token } }
    : entry;
const entryOf = <T extends z.core.$ZodLooseShape>(shape: T) => z.pipe(z.transform(upgraded), z.object(shape));

// Lazy: most runs find no credentials.json.
export const credentialsSchema = z.lazy(() =>
  z.object({
    target: z.object({ digest: text(64), host: text(255), port: z.int() }),
    board: z.object({
      serial: digestSchema,
      machine: digestSchema,
      volatileMachine: z.optional(z.boolean()),
      address: z.optional(digestSchema),
    }),
    candidates: z
      .array(
        entryOf({
          nameIndex: z.int().check(z.gte(1), z.lte(PROVISION_POLICY.maxNames)),
          name: text(64, 1),
          credentials: deviceCredentialsSchema,
          runId: text(64),
          // Version 1.0.0 does not record it.
          answered: z._default(z.boolean(), false),
        }),
      )
      .check(z.maxLength(PROVISION_POLICY.maxNames)),
    granted: z.nullable(
      entryOf({
        deviceName: text(64, 1),
        credentials: deviceCredentialsSchema,
        successSeenBy: z.nullable(text(64)),
      }),
    ),
  }),
);

/** JSON.stringify's replacer. It sees what Secret.toJSON returned, so it looks at the property itself. */
function revealed(this: Readonly<Record<string, unknown>>, key: string, value: unknown): unknown {
  const property = this[key];
  return property instanceof Secret ? property.reveal() : value;
}

/** Writes credentials.json durably, mode 0600. @throws Failure of durableReplace */
export function writeCredentials(path: string, credentials: Credentials): Promise<void> {
  const document = {
    format: CREDENTIALS_FORMAT,
    version: CREDENTIALS_VERSION,
    target: credentials.target,
    board: credentials.board,
    candidates: credentials.candidates,
    granted: credentials.granted,
  };
  return writeOwnFile(path, Buffer.from(`${JSON.stringify(document, revealed, 2)}\n`));
}

/** Root may also work for the folder's owner. A file of any other user may be planted. */
async function isOwnedByUs(path: string, uid: number): Promise<boolean> {
  const self = process.geteuid?.();
  if (self === undefined || uid === self) return true;
  return (await folderOwner(path)).owner?.uid === uid;
}

/** @returns undefined when the document does not have the expected shape @throws Failure CREDENTIALS_NEWER */
export function parseCredentials(json: unknown, path: string): Credentials | undefined {
  const version = versionOf(json, CREDENTIALS_FORMAT);
  if (version !== undefined && version > CREDENTIALS_VERSION) {
    throw new Failure('CREDENTIALS_NEWER', 'newer', { path, version, known: CREDENTIALS_VERSION });
  }
  const parsed = credentialsSchema.safeParse(json);
  if (version === undefined || !parsed.success) return undefined;
  const { candidates, granted } = parsed.data;
  // The server issues credentials only for a name that was asked for. It can't prove another name in the configuration.
  const isAskedFor = granted === null || candidates.some(({ name }) => name === granted.deviceName);
  return isAskedFor ? parsed.data : undefined;
}

export type CredentialsRead =
  | { readonly kind: 'absent' }
  | { readonly kind: 'credentials'; readonly credentials: Credentials }
  | { readonly kind: 'damaged'; readonly why: string };

/**
 * Reads the credentials.json that a run would use, and changes nothing.
 * @param onOpen called with the mode of a file that other users can access, before its content is used
 * @throws Failure CREDENTIALS_NEWER, CREDENTIALS_FOREIGN_OWNER, FILE_NOT_PERMITTED, DISK_ERROR
 */
export async function inspectCredentials(
  path: string,
  onOpen: (mode: number) => Promise<void> | void,
): Promise<CredentialsRead> {
  const read = await readOwnDocument(path);
  if (read.kind === 'absent' || read.kind === 'damaged') return read;
  if (read.kind === 'not-permitted') {
    throw new Failure('CREDENTIALS_FOREIGN_OWNER', 'unreadable', { path }, read.cause);
  }
  if (!(await isOwnedByUs(path, read.uid))) {
    throw new Failure('CREDENTIALS_FOREIGN_OWNER', 'otherOwner', { path, uid: read.uid });
  }
  if ((read.mode & 0o077) !== 0) await onOpen(read.mode);
  const credentials = parseCredentials(read.json, path);
  return credentials === undefined
    ? { kind: 'damaged', why: 'not of the expected shape' }
    : { kind: 'credentials', credentials };
}

/**
 * Reads credentials.json for a run. Removes the access of group and others, with a warning. Sets a damaged file aside
 * (see `setAside`).
 * @param at ms since the epoch, for the name of a file that is set aside
 * @returns undefined when there is no usable file
 * @throws Failure as `inspectCredentials`
 */
export async function readCredentials(path: string, log: Log, at: number): Promise<Credentials | undefined> {
  const read = await inspectCredentials(path, async (bits) => {
    if (!(await tightenMode(path))) return;
    const mode = bits.toString(8);
    log.warn('credentials.tightened', `${path} was accessible to other users (mode ${mode}); its mode is now 600`, {
      file: path,
      mode,
    });
  });
  if (read.kind === 'damaged') return setDamagedAside(path, read.why, log, at);
  return read.kind === 'credentials' ? read.credentials : undefined;
}

async function setDamagedAside(path: string, why: string, log: Log, at: number): Promise<undefined> {
  const aside = await setAside(path, 'damaged', at);
  log.warn(
    'credentials.damaged',
    `${path} can't be used (${why}) and was moved to ${aside}. If a request was sent with it, an unused device may exist on the server`,
    { file: path, movedTo: aside },
  );
  return undefined;
}
