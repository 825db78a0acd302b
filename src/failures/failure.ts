import type { FailureRecord } from '../../machines/provision.types.ts';

/**
 * Every failure the agent can end with or retry after: its stable code, exit status, whether another try may help,
 * and what the operator does next. docs/failures.md has an entry for each code (a test keeps the two equal).
 */

/** Exit statuses by the names of sysexits.h, which systemd knows too (docs/commands.md, "Exit status"). */
export const EXIT = {
  OK: 0,
  USAGE: 64,
  DATAERR: 65,
  NOINPUT: 66,
  UNAVAILABLE: 69,
  SOFTWARE: 70,
  IOERR: 74,
  TEMPFAIL: 75,
  PROTOCOL: 76,
  NOPERM: 77,
  CONFIG: 78,
} as const;

interface FailureKind {
  readonly exitStatus: number;
  /** Whether the same step may succeed when it is tried again in a moment; such failures spend the retry budget. */
  readonly retryable: boolean;
  /** What to do next, when the place that raises the failure knows nothing better. */
  readonly hint: string;
}

const NETWORK_HINT = 'Check cable, Wi-Fi and firewall between this device and the server; the next boot tries again.';
const DISK_HINT = 'Check the storage (df, dmesg); the next boot tries again.';

export const FAILURES = {
  USAGE: { exitStatus: EXIT.USAGE, retryable: false, hint: 'See thermal-provision --help.' },

  DEVICE_FOLDER_MISSING: {
    exitStatus: EXIT.NOINPUT,
    retryable: false,
    hint: 'Name the folder that holds provision.txt with --dir or THERMAL_DIR.',
  },
  PROVISION_JSON_MISSING: {
    exitStatus: EXIT.NOINPUT,
    retryable: false,
    hint: 'Put provision.json beside provision.txt, then start again.',
  },
  PROVISION_JSON_UNREADABLE: {
    exitStatus: EXIT.NOPERM,
    retryable: false,
    hint: 'Make provision.json a plain file that the agent’s user can read.',
  },
  PROVISION_JSON_INVALID: {
    exitStatus: EXIT.DATAERR,
    retryable: false,
    hint: 'Correct every problem listed in provision.json, then start again.',
  },
  CA_FILE_UNUSABLE: {
    exitStatus: EXIT.DATAERR,
    retryable: false,
    hint: 'Let provisioning.ca_file name a readable PEM file, relative to the device folder.',
  },

  CONFIG_MISSING: {
    exitStatus: EXIT.NOINPUT,
    retryable: false,
    hint: 'Provision the device first: put provision.txt and provision.json into the device folder.',
  },
  CONFIG_INVALID: {
    exitStatus: EXIT.DATAERR,
    retryable: false,
    hint: 'Correct the listed values in thermal_config.json, or provision the device again.',
  },
  CONFIG_UNREADABLE: {
    exitStatus: EXIT.NOPERM,
    retryable: false,
    hint: 'Make thermal_config.json a plain file that the agent’s user can read and replace.',
  },
  CONFIG_TOO_LARGE: {
    exitStatus: EXIT.DATAERR,
    retryable: false,
    hint: 'Replace thermal_config.json by one the camera can load, or remove it.',
  },
  CONFIG_READ_ONLY: {
    exitStatus: EXIT.NOPERM,
    retryable: false,
    hint: 'Give the file’s owner the write bit (chmod u+w) if provisioning may change it.',
  },
  CONFIG_LINK_UNTRUSTED: {
    exitStatus: EXIT.NOPERM,
    retryable: false,
    hint: 'Let root or the folder’s owner own the link, or replace it by the file itself.',
  },
  CONFIG_KEEPS_CHANGING: {
    exitStatus: EXIT.TEMPFAIL,
    retryable: false,
    hint: 'Find the program that keeps writing thermal_config.json and stop it while provisioning runs.',
  },
  CONFIG_NOT_WRITTEN: {
    exitStatus: EXIT.IOERR,
    retryable: false,
    hint: `The previous configuration was put back. ${DISK_HINT}`,
  },

  FOLDER_NOT_WRITABLE: {
    exitStatus: EXIT.NOPERM,
    retryable: false,
    hint: 'Let the agent’s user write to that folder, and mount its file system read-write.',
  },
  FILE_NOT_PERMITTED: {
    exitStatus: EXIT.NOPERM,
    retryable: false,
    hint: 'Correct owner and mode of that file or folder for the agent’s user.',
  },
  DISK_FULL: { exitStatus: EXIT.IOERR, retryable: false, hint: 'Free some space (df -h), then start again.' },
  DISK_ERROR: { exitStatus: EXIT.IOERR, retryable: false, hint: DISK_HINT },

  SNAPSHOT_NEWER: {
    exitStatus: EXIT.DATAERR,
    retryable: false,
    hint: 'Install the newer agent again, or remove provision-state/snapshot.json to start a new run.',
  },
  CREDENTIALS_NEWER: {
    exitStatus: EXIT.DATAERR,
    retryable: false,
    hint: 'Install the newer agent again: that file may hold the only copy of the device’s credentials.',
  },
  CREDENTIALS_FOREIGN_OWNER: {
    exitStatus: EXIT.NOPERM,
    retryable: false,
    hint: 'Run the agent as the owner of credentials.json, or correct the owner with chown if you trust the file.',
  },
  CREDENTIALS_LOST: {
    exitStatus: EXIT.SOFTWARE,
    retryable: false,
    hint: 'Something removed or changed credentials.json during the run; the next boot starts a new run.',
  },
  LOCKED: { exitStatus: EXIT.TEMPFAIL, retryable: false, hint: 'Wait for the other agent to end, then start again.' },

  HOST_NOT_FOUND: {
    exitStatus: EXIT.UNAVAILABLE,
    retryable: true,
    hint: 'Check provisioning.host in provision.json and the device’s DNS; the next boot tries again.',
  },
  CONNECTION_REFUSED: {
    exitStatus: EXIT.UNAVAILABLE,
    retryable: true,
    hint: 'Check provisioning.port in provision.json and that the server’s MQTT transport runs.',
  },
  HOST_UNREACHABLE: { exitStatus: EXIT.UNAVAILABLE, retryable: true, hint: NETWORK_HINT },
  CONNECTION_LOST: { exitStatus: EXIT.UNAVAILABLE, retryable: true, hint: NETWORK_HINT },
  CONNECT_TIMEOUT: { exitStatus: EXIT.UNAVAILABLE, retryable: true, hint: NETWORK_HINT },
  ANSWER_TIMEOUT: {
    exitStatus: EXIT.UNAVAILABLE,
    retryable: true,
    hint: 'The server accepts connections but answers nothing: look at its log; the next boot tries again.',
  },
  SERVER_UNAVAILABLE: {
    exitStatus: EXIT.UNAVAILABLE,
    retryable: true,
    hint: 'The server says that it is not available. If that lasts: the device profile’s transport type must be MQTT.',
  },
  NOT_MQTT: {
    exitStatus: EXIT.PROTOCOL,
    retryable: false,
    hint: 'Another service listens there: check provisioning.host, port and use_ssl in provision.json.',
  },
  NOT_THINGSBOARD: {
    exitStatus: EXIT.PROTOCOL,
    retryable: true,
    hint: 'An MQTT broker answers there, but not ThingsBoard: check provisioning.host and port in provision.json.',
  },
  CONNECTION_NOT_ACCEPTED: {
    exitStatus: EXIT.NOPERM,
    retryable: false,
    hint: 'ThingsBoard admits the user “provision” always: check that host and port are those of its MQTT transport.',
  },

  TLS_UNKNOWN_CA: {
    exitStatus: EXIT.CONFIG,
    retryable: false,
    hint: 'Put the server’s CA certificate (PEM) into the device folder and name it in provisioning.ca_file.',
  },
  TLS_WRONG_HOST: {
    exitStatus: EXIT.CONFIG,
    retryable: false,
    hint: 'Use the host name that the certificate was issued for, or give the server a certificate for this one.',
  },
  TLS_EXPIRED: {
    exitStatus: EXIT.CONFIG,
    retryable: false,
    hint: 'Renew the server’s certificate; if it is valid, correct the device’s clock.',
  },
  TLS_NOT_YET_VALID: {
    exitStatus: EXIT.UNAVAILABLE,
    retryable: true,
    hint: 'Most likely the device’s clock is wrong: check date and NTP; the next boot tries again.',
  },
  TLS_FAILED: {
    exitStatus: EXIT.PROTOCOL,
    retryable: false,
    hint: 'Check that provisioning.port is the server’s TLS port, or set use_ssl to false.',
  },

  PROVISION_KEY_REFUSED: {
    exitStatus: EXIT.NOPERM,
    retryable: false,
    hint: 'Copy device_key and device_secret again from the device profile, and check that it allows provisioning.',
  },
  DEVICE_NAME_TAKEN: {
    exitStatus: EXIT.CONFIG,
    retryable: false,
    hint: 'Delete that device on the server or choose another device.name.',
  },
  PROVISIONING_REFUSED: {
    exitStatus: EXIT.CONFIG,
    retryable: false,
    hint: 'Look at the device profile’s provisioning strategy and at the tenant’s device limit.',
  },
  ANSWER_INVALID: {
    exitStatus: EXIT.PROTOCOL,
    retryable: true,
    hint: 'Check that host and port are those of ThingsBoard’s MQTT transport, and its version (docs/compatibility.md).',
  },
  CREDENTIALS_TYPE_UNSUPPORTED: {
    exitStatus: EXIT.CONFIG,
    retryable: false,
    hint: 'Give the device an access token as its credentials on the server.',
  },
  CREDENTIALS_REFUSED: {
    exitStatus: EXIT.NOPERM,
    retryable: false,
    hint: 'Look on the server whether the device still exists and whether its access token was changed.',
  },

  SETTINGS_CHANGED: {
    exitStatus: EXIT.TEMPFAIL,
    retryable: false,
    hint: 'provision.json changed during the run; the agent starts again with the new settings.',
  },
  RESUME_LOOP: {
    exitStatus: EXIT.SOFTWARE,
    retryable: false,
    hint: 'Find out what ends the agent (power, watchdog, memory): the log and events.jsonl show where it stopped.',
  },
  RUN_TIME_LIMIT: {
    exitStatus: EXIT.UNAVAILABLE,
    retryable: false,
    hint: 'The next boot goes on with the same device name; look at the log for what took so long.',
  },
  INTERNAL: {
    exitStatus: EXIT.SOFTWARE,
    retryable: false,
    hint: 'This is a defect of the agent: please report it with the log and provision-state/snapshot.json.',
  },
} as const satisfies Record<string, FailureKind>;

export type FailureCode = keyof typeof FAILURES;

interface FailureDetails {
  /** Replaces the catalogue’s hint. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** An expected failure: what happened, to which file or server, why; `hint` says what to do next. */
export class Failure extends Error {
  readonly code: FailureCode;
  readonly hint: string;

  constructor(code: FailureCode, message: string, details: FailureDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'Failure';
    this.code = code;
    this.hint = details.hint ?? FAILURES[code].hint;
  }

  get exitStatus(): number {
    return FAILURES[this.code].exitStatus;
  }

  get retryable(): boolean {
    return FAILURES[this.code].retryable;
  }
}

const MAX_CAUSES = 5;
const MAX_CAUSE_LENGTH = 300;

/** The causes of an error, outermost first, bounded in number and length. */
function causesOf(error: Error): string[] {
  const causes: string[] = [];
  let cause: unknown = error.cause;
  while (cause !== undefined && causes.length < MAX_CAUSES) {
    const text = cause instanceof Error ? `${cause.name}: ${cause.message}` : typeof cause;
    causes.push(text.slice(0, MAX_CAUSE_LENGTH));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return causes;
}

/** Turns anything thrown into a Failure; what is none already is a defect of the agent: INTERNAL. */
export function toFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const what = error instanceof Error ? `${error.name}: ${error.message}` : `a thrown ${typeof error}`;
  return new Failure('INTERNAL', `Unexpected error: ${what}`, { cause: error });
}

/** The plain form of a failure, for context, snapshot, status and log. */
export function toFailureRecord(error: unknown): FailureRecord {
  const failure = toFailure(error);
  return {
    code: failure.code,
    message: failure.message,
    hint: failure.hint,
    retryable: failure.retryable,
    exitStatus: failure.exitStatus,
    causes: causesOf(failure),
  };
}
