import { EXIT } from './exit.ts';

/**
 * Every failure of the agent: its stable code, exit status, whether a retry may help, message and hint. No other file
 * contains messages or hints of failures (test/failures/catalogue.test.ts).
 *
 * A code has a text for each situation: the message alone, or message and hint where the usual hint does not fit.
 * `{name}` is a fact that `new Failure(code, situation, facts)` must pass; the compiler checks it. A list becomes one
 * line for each item. A message says what happened, to what and why, without a full stop. A hint says what to do.
 *
 * docs/failures.md has an entry for each code, in this order.
 */

interface FailureKind {
  readonly exitStatus: number;
  /** Whether a retry of the same step may succeed after a moment. Such failures use up the retry budget. */
  readonly retryable: boolean;
  /** What to do next. A situation may have its own hint instead. */
  readonly hint: string;
  readonly texts: Readonly<Record<string, FailureText>>;
}

type FailureText = string | { readonly message: string; readonly hint: string };

// Texts that several codes share. The facts `server`, `section`, `file` and `again` come from serverFacts.ts.
const NO_CONNECTION = 'No connection to {server}: {why} ({errno})';
const UNKNOWN_AUTHORITY =
  'No TLS connection to {server}: its certificate authority is unknown here ("{name}" is not in {authorities})';
const LOST = 'The connection to {server} was lost: {why} ({errno})';
const FAILED = 'The connection to {server} failed ({errno})';
const REFUSED = '{server} refused the connection: {why} (CONNACK {returnCode})';
const NETWORK_HINT = 'Check cable, Wi-Fi and firewall between this device and the server. {again}';
const WRONG_PORT_HINT =
  'Check {section}.port and use_ssl in {file}: use_ssl is false, and a TLS port closes connections without TLS. {again}';
const SESSION_HINT =
  '{again} If that repeats: the device may have been deleted, its rate limit reached, or another client uses the same credentials.';
const SHORT_SESSION_HINT =
  'If that repeats, there are two causes: another client uses the same credentials (a cloned card, an old client), or a rate limit of the tenant or the device is reached. A rate limit ends the connection at once each time, another client after varying times. {again}';
const OTHER_SERVICE = 'Another service may listen there: check host, port and scheme in {source}. {again}';
const TLS_PORT =
  "use_ssl is true in {file}, so {section}.port must be the server's TLS port (usually 8883; 1883 is without TLS).";
const NO_CLIENT_CERTIFICATES =
  'The agent provisions without a client certificate: let the server accept that (one-way TLS), on this port or another.';
const BACK_END_OR_CHAIN =
  "There are two causes: the server's back end has failed (check its log), or the device profile's provisioning strategy is X509_CERTIFICATE_CHAIN, which this agent does not support (choose another strategy). {again}";
const STORAGE_HINT = 'Check the storage (df, dmesg); the next boot tries again.';
const NO_PERMISSION = "{path} can't be read: permission denied";
const LARGER = '{path} is larger than {limit} bytes';
const BACKUP_LIST_HINT = 'See the numbers with: thermal-provision backups list --dir {folder}';
const SIMULATE_HINT = 'See thermal-provision simulate --help.';
const STATE_DIR_HINT = 'Correct --state-dir or THERMAL_STATE_DIR, or create the folder that it names.';
const RECORDING_HINT =
  'Name events.jsonl in the folder provision-state of a device, or name the device folder with --dir.';
const NAME_HINT = 'Set device.name, or remove device.name_source to get a random name.';
const COMMAND_HINT = "Run the program by hand as the agent's user, and correct what it says.";
const SCRUB_HINT = 'Remove provisioning.scrub from it, or put provision.json into the device folder as a plain file.';
const MOUNT_HINT =
  'Mount the folder instead of the single file (docker: -v FOLDER:{folder}), then start again. A mounted file can be neither replaced nor renamed.';
const PRE_PROVISIONED =
  'If the profile checks pre-provisioned devices: create {name} on the server, or delete the server attribute provisionState of {name} if it was provisioned before.';
const TAKEN_HINT = `If the profile creates new devices: delete the device {name} on the server or set another device.name for this camera, and check the tenant's device limit. ${PRE_PROVISIONED}`;
const REFUSED_NAME = 'The server {server} answered FAILURE for the device name {name}';
const PERHAPS_OURS = 'An earlier request for {name} has no known outcome, so the device may be our own';
const PERHAPS_OURS_HINT = `If the profile creates new devices: look on the server for the device {name}, delete it if no other camera uses it, and check the tenant's device limit. ${PRE_PROVISIONED}`;
const ALL_REFUSED_HINT =
  "If the profile creates new devices: check the tenant's device limit. If the profile checks pre-provisioned devices: create a device on the server and set device.name to its name.";
const OWN_NAME = `${REFUSED_NAME}; this camera is already configured as {name}`;
const OWN_NAME_HINT = `If the profile creates new devices, it registers each name only once: delete the device {name} on the server before provisioning this camera again, or set the profile to check pre-provisioned devices. Check the tenant's device limit too. ${PRE_PROVISIONED}`;

export const FAILURES = {
  // Command line and input files

  USAGE: {
    exitStatus: EXIT.USAGE,
    retryable: false,
    hint: 'See thermal-provision --help.',
    texts: {
      noTerminal: { message: 'There is no terminal to ask for confirmation', hint: 'Pass --yes to confirm.' },
      stateFolderMissing: {
        message: "The state folder {folder} does not exist and can't be created: there is no folder {parent}",
        hint: STATE_DIR_HINT,
      },
      stateFolderNotAFolder: { message: 'The state folder {folder} is not a folder', hint: STATE_DIR_HINT },
      unknownSource: '--source {source} is not one of simulated, command:COMMAND and file:PATH',
      backupNumberUnexpected: 'backups list takes no number; did you mean diff or restore?',
      backupNumberMissing: { message: 'backups {action} needs the number of a backup', hint: BACKUP_LIST_HINT },
      noSuchBackup: {
        message: 'There is no backup {number} in {folder}; the number of backups is {count}',
        hint: BACKUP_LIST_HINT,
      },
      recordingUnreadable: { message: "The recording can't be read: {problem}", hint: '{advice}' },
      recordingEmpty: {
        message: '{path} holds no recorded run: the file is absent or empty',
        hint: RECORDING_HINT,
      },
      recordingForeign: {
        message: '{path} holds no recorded run: the agent wrote none of its {lines} lines',
        hint: RECORDING_HINT,
      },
      notAReport: {
        message: '{path} exists and is not a report: it was not overwritten',
        hint: 'Name another file with --out, or remove {path} first.',
      },
      initIncomplete: {
        message: 'init has no terminal to ask on, and these options are missing: {options}',
        hint: 'Add them, or start init on a terminal.',
      },
      initFiles: {
        message: "init can't use the key or the secret:{problems}",
        hint: 'Put each into a file of its own, on one line, without anything else.',
      },
      initExists: {
        message: '{path} exists and was not overwritten',
        hint: 'Pass --force to replace it; the old file is kept under another name.',
      },
      simulateInteger: { message: '--{option} "{value}" is not an integer from 0 to {max}', hint: SIMULATE_HINT },
      simulateStrategy: { message: '--strategy "{value}" is unknown; known: {known}', hint: SIMULATE_HINT },
      simulateRelease: { message: '--release "{value}" is unknown; known: {known}', hint: SIMULATE_HINT },
      simulateRateLimit: {
        message: '--rate-limit "{value}" does not have the form MESSAGES/SECONDS',
        hint: SIMULATE_HINT,
      },
      simulateCaOut: { message: '--ca-out needs --tls', hint: SIMULATE_HINT },
      simulateDevice: { message: 'A --{option} does not have the form {form}', hint: SIMULATE_HINT },
      simulateHalfCertificate: { message: '--cert and --key must be given together', hint: SIMULATE_HINT },
      simulateTwoCertificates: {
        message: '--tls generates a certificate, so it excludes --cert and --key',
        hint: SIMULATE_HINT,
      },
      simulateFile: { message: "--{option} {path} can't be read: {why}", hint: SIMULATE_HINT },
      simulateFault: { message: 'The fault "{fault}" can\'t be used: {why}', hint: SIMULATE_HINT },
      simulateCertificate: 'The certificate and key for TLS do not match or are not PEM',
      simulateRegistry: {
        message: "The registry file {path} can't be used: {why}",
        hint: 'Name another file, or remove {path}.',
      },
      simulateNameTaken: 'Simulator: a device named {name} already exists',
      simulateNoDevice: 'Simulator: no device named {name}',
      simulateCredentials: 'Simulator: {name}: {problem}',
      simulateCredentialsTaken: 'Simulator: {name}: another device has these credentials',
    },
  },

  DEVICE_FOLDER_MISSING: {
    exitStatus: EXIT.NOINPUT,
    retryable: false,
    hint: 'Name the folder that holds provision.txt with --dir or THERMAL_DIR.',
    texts: {
      absent: 'There is no device folder {folder}',
      notAFolder: 'The device folder {folder} is not a folder',
    },
  },

  PROVISION_JSON_MISSING: {
    exitStatus: EXIT.NOINPUT,
    retryable: false,
    hint: 'Put provision.json beside provision.txt, then start again.',
    texts: {
      absent: 'There is no {path}{problems}',
      absentTwice: 'There is no {path}, and no {other}{problems}',
      misnamed: 'There is no {path}; perhaps meant: {meant}{problems}',
    },
  },

  PROVISION_JSON_UNREADABLE: {
    exitStatus: EXIT.NOPERM,
    retryable: false,
    hint: "Make provision.json a plain file that the agent's user can read.",
    texts: {
      notAFile: '{path} is not a plain file',
      notPermitted: 'No permission to read {path}',
    },
  },

  PROVISION_JSON_INVALID: {
    exitStatus: EXIT.DATAERR,
    retryable: false,
    hint: 'Correct every problem listed in provision.json, then start again.',
    texts: {
      notJson: '{path} {problem}{problems}',
      oneProblem: '{path} has 1 problem:{problems}',
      problems: '{path} has {count} problems:{problems}',
      tooLarge: LARGER,
      scrubOutside: {
        message: '{path} sets provisioning.scrub, but is outside the device folder',
        hint: SCRUB_HINT,
      },
      scrubLink: { message: '{path} sets provisioning.scrub, but is a link', hint: SCRUB_HINT },
      noInterface: {
        message: 'provision.json names the device after a network address, but this board has no network interface',
        hint: NAME_HINT,
      },
      noSerial: {
        message: 'provision.json names the device after the serial number, but this board has none of its own',
        hint: NAME_HINT,
      },
      serialNotPermitted: {
        message: "provision.json names the device after the serial number, but the agent's user may not read {path}",
        hint: 'Let a program with that permission print it (device.name_source: "command:/path"), or name the device in another way.',
      },
      noMachineId: {
        message: 'provision.json names the device after the machine-id, but {path} has none',
        hint: NAME_HINT,
      },
      volatileMachineId: {
        message: 'provision.json names the device after the machine-id, but {path} is lost at a reboot: {where}',
        hint: 'Make the machine-id last, or name the device in another way: device.name_source "mac" or "serial".',
      },
      noHostname: {
        message: 'provision.json names the device after the host, but the host has no name of its own',
        hint: 'Set the host name, or name the device in another way: device.name_source "mac" or "serial".',
      },
      nameTooLong: {
        message: 'The device name would have {length} characters, but may have {limit}',
        hint: 'Shorten device.name or device_name_prefix in provision.json.',
      },
      commandFailed: {
        message: 'The program {command}, which names the device, ended with {how}{said}',
        hint: COMMAND_HINT,
      },
      commandTooSlow: {
        message: 'The program {command}, which names the device, has not ended after {seconds} s',
        hint: COMMAND_HINT,
      },
      commandNotOneLine: {
        message: 'The program {command}, which names the device, has not printed exactly one line',
        hint: COMMAND_HINT,
      },
    },
  },

  CA_FILE_UNUSABLE: {
    exitStatus: EXIT.DATAERR,
    retryable: false,
    hint: "Set {section}.ca_file to a readable PEM file with the certificate of the server's CA, relative to the device folder.",
    texts: {
      unreadable: "The CA file {path} can't be used: {why}",
      der: {
        message: "The CA file {path} can't be used: it holds a certificate in DER form, not in PEM form",
        hint: 'Convert it: openssl x509 -inform der -in {path} -out ca.pem. Then set {section}.ca_file to ca.pem.',
      },
    },
  },

  BOARD_SECRET_UNUSABLE: {
    exitStatus: EXIT.CONFIG,
    retryable: false,
    hint: 'Let {from} name a file with 16 to 4096 bytes that are not all alike, or remove it: then the access token is random, and a lost card loses the device.',
    texts: { file: "The board secret {path} can't be used: {why}" },
  },

  CLIENT_CERTIFICATE_UNUSABLE: {
    exitStatus: EXIT.DATAERR,
    retryable: false,
    hint: 'Let thingsboard.{setting} in thermal_config.json name a readable PEM file, relative to the device folder. If certificate or key is lost, delete the device on the server and provision the camera again.',
    texts: { file: "The client certificate can't be used: {path}: {why}" },
  },

  // The camera's configuration

  CONFIG_MISSING: {
    exitStatus: EXIT.NOINPUT,
    retryable: false,
    hint: 'Provision the device first: put provision.txt and provision.json into the device folder.',
    texts: {
      absent: 'There is no {path}',
      removed: {
        message: 'There is no {path}, though the device was provisioned on {savedAt}',
        hint: 'Restore a backup. If there is none, delete the device on the server before you provision this camera again.',
      },
    },
  },

  CONFIG_INVALID: {
    exitStatus: EXIT.DATAERR,
    retryable: false,
    hint: 'Correct the listed values in thermal_config.json, or restore a backup.',
    texts: {
      rules: 'The camera could not load thermal_config.json:{problems}',
      proxyVariable: {
        message: 'The environment variable {variable} names no usable proxy: found {problem}, expected {expected}',
        hint: 'Correct or remove {variable} in the environment of the agent (systemctl edit, EnvironmentFile=).',
      },
      newConfig: {
        message: 'The camera could not load the new configuration:{problems}',
        hint: 'Nothing was written. Check provision.json for values that the camera does not accept.',
      },
      notShown: {
        message: '{path} {problem}, so it is not shown',
        hint: 'Restore a complete backup: thermal-provision backups list',
      },
      backup: {
        message: "The backup {path} can't be used: {why}",
        hint: 'Choose another backup: thermal-provision backups list',
      },
    },
  },

  CONFIG_UNREADABLE: {
    exitStatus: EXIT.NOPERM,
    retryable: false,
    hint: "Make thermal_config.json a plain file that the agent's user can read and replace.",
    texts: {
      file: 'Could not read {path}: {why}',
      tooSlow: 'thermal_config.json could not be read within {seconds} s',
      notEditable: 'thermal_config.json {problem}',
      backup: "{backup} can't be read to put it back ({problem}), and {path} can't be used",
    },
  },

  CONFIG_TOO_LARGE: {
    exitStatus: EXIT.DATAERR,
    retryable: false,
    hint: 'Replace thermal_config.json with a file that the camera can load, or remove it.',
    texts: { tooLarge: LARGER },
  },

  CONFIG_READ_ONLY: {
    exitStatus: EXIT.NOPERM,
    retryable: false,
    hint: "Give the file's owner the write bit (chmod u+w) if provisioning may change it.",
    texts: { noWriteBit: '{path} has no write bit for its owner, so it must not be changed' },
  },

  CONFIG_LINK_UNTRUSTED: {
    exitStatus: EXIT.NOPERM,
    retryable: false,
    hint: "Make root or the folder's owner the owner of the link, or replace the link with the file.",
    texts: { foreignLink: "{path} is a symbolic link owned by user {uid}, not by root or the folder's owner" },
  },

  CONFIG_KEEPS_CHANGING: {
    exitStatus: EXIT.TEMPFAIL,
    retryable: false,
    hint: 'Find the program that keeps writing thermal_config.json and stop it while provisioning runs.',
    texts: {
      duringRun: 'Another program changed thermal_config.json {times} times before the credentials could be written',
      duringRestore: 'Another program changed {path} during the restore; nothing was restored',
      backupNameTaken: {
        message: '{path} already exists with other content; it is not overwritten',
        hint: 'Start again: the next backup gets another name. If it fails again, remove {path}.',
      },
    },
  },

  CONFIG_NOT_WRITTEN: {
    exitStatus: EXIT.IOERR,
    retryable: false,
    hint: STORAGE_HINT,
    texts: {
      backupPutBack: 'thermal_config.json could not be read back after it was written; the backup was put back',
      notRestored: {
        message: '{path} does not hold what was written to it',
        hint: 'Check the storage (df, dmesg). {backup} holds the previous content.',
      },
      notCreated: {
        message: '{path} does not hold what was written to it',
        hint: 'Check the storage (df, dmesg). There was no file before.',
      },
    },
  },

  // Folders, files, storage

  FOLDER_NOT_WRITABLE: {
    exitStatus: EXIT.NOPERM,
    retryable: false,
    hint: "Let the agent's user write to that folder, and mount its file system read-write.",
    texts: {
      readOnly: {
        message: 'Could not {doing}: {errno} (the file system is mounted read-only)',
        hint: 'Mount the file system read-write, or a partition at that folder. If it became read-only by itself, the storage may be failing (dmesg).',
      },
      flagged: {
        message:
          'Could not write to the folder {folder}: EPERM (no write access, or the folder is immutable or append-only)',
        hint: "See lsattr -d {folder}. Run chattr -i -a {folder} if it shows i or a, else let the agent's user write to the folder.",
      },
      noPermission: 'Could not write to the folder {folder}: permission denied',
      notCreated: 'Could not create the folder {folder}: permission denied',
    },
  },

  FILE_NOT_PERMITTED: {
    exitStatus: EXIT.NOPERM,
    retryable: false,
    hint: "Correct owner and mode of that file or folder for the agent's user.",
    texts: {
      operation: 'Could not {doing}: {errno} (permission denied)',
      unreadable: NO_PERMISSION,
      foreignLink: "{path} is a symbolic link owned by user {uid}, not by root or its folder's owner",
      attributes: {
        message: "Could not {doing}: {errno} (its mode or owner can't be set)",
        hint: "Give it to the agent's user, or use a file system that keeps modes and owners (not FAT, exFAT or a mount that refuses them). In a container the agent needs CAP_CHOWN, or must run as the owner of the files.",
      },
      ownerNotSettable: {
        message: '{folder} is owned by user {uid}, and this process may not give its files to that user',
        hint: 'Run the agent as the owner of the folder. In a container, CAP_CHOWN is enough.',
      },
      attributesLost: {
        message:
          'The file system of {folder} ({fileSystem}) does not keep the modes and owners of files: a file for mode {mode} and owner {owner} gets mode {foundMode} and owner {foundOwner}',
        hint: 'Use a file system that keeps modes and owners (ext4), or mount this one with fitting options for owner and mode.',
      },
      ownMount: { message: "{path} is a mount of its own, so it can't be {done}", hint: MOUNT_HINT },
      flagged: {
        message: "{path} or its folder is immutable or append-only, so it can't be {done}",
        hint: 'Run: chattr -i -a {folder} {path}',
      },
      sticky: {
        message:
          "{path} is owned by user {uid} in a folder with the sticky bit, so user {self} can't replace, rename or remove it",
        hint: "Give {path} to the agent's user (chown), or remove the sticky bit of the folder (chmod -t).",
      },
      foreignConfig: {
        message:
          "{path} is owned by user {uid}, group {gid}; user {self} can't replace it and keep its owner and group",
        hint: "Give thermal_config.json to the agent's user (chown), or run the agent as its owner.",
      },
      foreignProvisionJson: {
        message: "{path} is owned by user {uid}; user {self} can't replace it and keep its owner",
        hint: "Give provision.json to the agent's user (chown), or remove provisioning.scrub from it.",
      },
    },
  },

  DISK_FULL: {
    exitStatus: EXIT.IOERR,
    retryable: false,
    hint: 'Free disk space (df -h) or inodes (df -i), then start again.',
    texts: {
      operation: 'Could not {doing}: {errno} (no space left)',
      quota: {
        message: 'Could not {doing}: {errno} (the disk quota is used up)',
        hint: 'Raise the quota of the user or folder, or remove files that count for it, then start again.',
      },
      tooFewInodes: {
        message: 'Only {free} more files can be created in {folder}; at least {needed} are needed (inodes)',
        hint: 'Remove files that are not needed (df -i shows the inodes), then start again.',
      },
      tooLittle: 'Only {free} is free in {folder}; at least {needed} is needed',
    },
  },

  DISK_ERROR: {
    exitStatus: EXIT.IOERR,
    retryable: false,
    hint: STORAGE_HINT,
    texts: {
      operation: 'Could not {doing}: {errno}',
      notAFolder: 'Could not use the folder {folder}: it is not a folder',
      notAFile: '{path} is neither a file nor a FIFO',
      tooSlow: 'The storage took too long to write {path}',
      startTooSlow: 'The start was stopped after {seconds} s: the storage of {folder} does not answer',
      checkTooSlow: 'The check was stopped after {seconds} s: the storage does not answer',
      busy: {
        message: "Could not {doing}: {errno} (a file that is a mount of its own can't be replaced, renamed or removed)",
        hint: 'Mount the folder instead of the single file, then start again.',
      },
      tooLong: { message: 'Could not {doing}: {errno}', hint: 'Use a shorter name or path, then start again.' },
      tooLarge: {
        message: 'Could not {doing}: {errno} (larger than files may be here)',
        hint: 'Raise the limit of the file size (ulimit -f; LimitFSIZE= of the service), then start again.',
      },
      folderInPlace: {
        message: '{path} is a folder, but the run writes a file of this name',
        hint: 'Move the folder {path} away, then start again.',
      },
      processedIsFolder: {
        message: "{processed} is a folder, so {trigger} can't be renamed to it after the run",
        hint: 'Move the folder {processed} away, then start again.',
      },
    },
  },

  VOLATILE_STORAGE: {
    exitStatus: EXIT.CONFIG,
    retryable: false,
    hint: 'Mount a persistent partition or volume at that folder, or give the board a board secret (docs/security.md), which brings the device back. If each boot may register a new device, set provisioning.allow_volatile_storage to true.',
    texts: {
      everything: 'A reboot loses what provisioning writes, so each boot would register another device:{problems}',
      state:
        'A reboot loses the state folder, though not the device folder: it would strand the device of an interrupted run:{problems}',
      configuration:
        'A reboot loses the new credentials, though not the state folder: it would strand the device:{problems}',
    },
  },

  SNAPSHOT_NEWER: {
    exitStatus: EXIT.DATAERR,
    retryable: false,
    hint: 'Install the newer agent again, or remove provision-state/snapshot.json to start a new run.',
    texts: { newer: '{path} was written by a newer agent: version {version}, known: {known}' },
  },

  CREDENTIALS_NEWER: {
    exitStatus: EXIT.DATAERR,
    retryable: false,
    hint: "Install the newer agent again: the file may hold the only copy of the device's credentials.",
    texts: { newer: '{path} was written by a newer agent: version {version}, known: {known}' },
  },

  CREDENTIALS_FOREIGN_OWNER: {
    exitStatus: EXIT.NOPERM,
    retryable: false,
    hint: 'Run the agent as the owner of credentials.json, or correct the owner with chown if you trust the file.',
    texts: {
      unreadable: NO_PERMISSION,
      otherOwner: "{path} is owned by user {uid}, not by the agent's user",
    },
  },

  CREDENTIALS_LOST: {
    exitStatus: EXIT.SOFTWARE,
    retryable: false,
    hint: 'Something removed or changed credentials.json during the run. Look on the server for the device that status names, and delete it before the next start: its token is lost, and the next start begins a new run.',
    texts: {
      gone: '{path} disappeared or became unusable during the run',
      notIssued: '{path} no longer holds issued credentials',
      altered: {
        message: '{path} holds another token than the one that was proven',
        hint: 'Something changed credentials.json during the run. Start again: the next start tests the stored tokens on the server before it writes one.',
      },
      noName: '{path} holds no device name number {number}',
    },
  },

  LOCKED: {
    exitStatus: EXIT.TEMPFAIL,
    retryable: false,
    hint: 'Wait for the other agent to end, then start again.',
    texts: {
      byProcess: 'Another agent works on {folder}: process {pid}',
      byUnknown: 'Another agent works on {folder}: its process id is unknown',
      unfinishedRun: {
        message: 'An unfinished run is changing {file} (state {state})',
        hint: 'Finish the run first: thermal-provision run --dir {folder}',
      },
    },
  },

  // The network

  HOST_NOT_FOUND: {
    exitStatus: EXIT.UNAVAILABLE,
    retryable: true,
    hint: "Check {section}.host in {file} and the device's DNS. {again}",
    texts: {
      connecting: NO_CONNECTION,
      nameServerSilent: 'No connection to {server}: the name server does not answer within {seconds} s',
    },
  },

  CONNECTION_REFUSED: {
    exitStatus: EXIT.UNAVAILABLE,
    retryable: true,
    hint: "Check {section}.port in {file} and that the server's MQTT transport runs. {again}",
    texts: { connecting: NO_CONNECTION },
  },

  HOST_UNREACHABLE: {
    exitStatus: EXIT.UNAVAILABLE,
    retryable: true,
    hint: NETWORK_HINT,
    texts: { connecting: NO_CONNECTION },
  },

  CONNECTION_LOST: {
    exitStatus: EXIT.UNAVAILABLE,
    retryable: true,
    hint: NETWORK_HINT,
    texts: {
      // Until the server accepts the MQTT connection, a wrong port (with or without TLS) gives the same errors.
      connecting: { message: NO_CONNECTION, hint: WRONG_PORT_HINT },
      failed: FAILED,
      closed: { message: '{server} closed the connection before it accepted it', hint: WRONG_PORT_HINT },
      closedBeforeTls: {
        message: '{server} closed the connection at the start of the TLS handshake, as a port without TLS does',
        hint: `${TLS_PORT} {again}`,
      },
      closedInTls: {
        message: '{server} closed the TLS connection before it accepted the login',
        hint: `The server may demand a client certificate. ${NO_CLIENT_CERTIFICATES} Or another service listens there: check {section}.port in {file}. {again}`,
      },
      answerLost: LOST,
      answerFailed: FAILED,
      answerClosed: '{server} closed the connection before it answered',
      acknowledged: {
        message: '{server} acknowledged the request (PUBACK), then closed the connection without an answer',
        hint: BACK_END_OR_CHAIN,
      },
      sessionLost: { message: LOST, hint: SESSION_HINT },
      sessionFailed: { message: FAILED, hint: SESSION_HINT },
      sessionClosed: { message: '{server} closed the connection', hint: SESSION_HINT },
      sessionShort: {
        message: '{server} closed the connection {seconds} s after it had accepted it',
        hint: SHORT_SESSION_HINT,
      },
      closedHere: 'This device closed the connection to {server}',
    },
  },

  CONNECT_TIMEOUT: {
    exitStatus: EXIT.UNAVAILABLE,
    retryable: true,
    hint: NETWORK_HINT,
    texts: {
      connecting: NO_CONNECTION,
      noAnswer: 'No connection to {server} within {seconds} s: the host does not answer',
      noHandshake: {
        message: '{server} accepts connections, but the TLS handshake did not end within {seconds} s',
        hint: `A port without TLS can be silent like this. ${TLS_PORT} {again}`,
      },
    },
  },

  // A proxy in between

  PROXY_UNREACHABLE: {
    exitStatus: EXIT.UNAVAILABLE,
    retryable: true,
    hint: 'Check {source}, and the network between this device and the proxy. {again}',
    texts: {
      connecting: 'No connection to the proxy {proxy}: {why} ({errno})',
      noAnswer: 'No connection to the proxy {proxy} within {seconds} s',
      closed: {
        message: 'The proxy {proxy} closed the connection before it opened the way to {target}',
        hint: OTHER_SERVICE,
      },
      silent: {
        message: 'The proxy {proxy} did not open the way to {target} within {seconds} s',
        hint: `Look in the log of the proxy: {target} may not answer it. ${OTHER_SERVICE}`,
      },
    },
  },

  PROXY_TARGET_UNREACHABLE: {
    exitStatus: EXIT.UNAVAILABLE,
    retryable: true,
    hint: 'Check {section}.host and port in {file}, and that the proxy itself can reach {target}. {again}',
    texts: { connecting: 'The proxy {proxy} has no connection to {target}: {answer}' },
  },

  PROXY_LOGIN_REFUSED: {
    exitStatus: EXIT.NOPERM,
    retryable: false,
    hint: 'Correct {source}: {scheme}://USER:PASSWORD@HOST:PORT, with special characters as % and two digits (@ is %40).',
    texts: {
      refused: 'The proxy {proxy} refuses the user and the password',
      demanded: 'The proxy {proxy} demands a user and a password',
      otherKind: {
        message: 'The proxy {proxy} demands another kind of login ({answer})',
        hint: 'Let the proxy accept a user and a password (Basic), or this device without a login.',
      },
    },
  },

  PROXY_FORBIDS: {
    exitStatus: EXIT.NOPERM,
    retryable: false,
    hint: 'Let the proxy allow connections to {target}. Many proxies allow only port 443.',
    texts: { forbidden: 'The proxy {proxy} does not allow a connection to {target}: {answer}' },
  },

  NOT_A_PROXY: {
    exitStatus: EXIT.PROTOCOL,
    retryable: false,
    hint: OTHER_SERVICE,
    texts: {
      notProxy: '{proxy} does not answer as a proxy of this kind does',
      noConnect: '{proxy} answers {answer} to CONNECT, as a web server does',
    },
  },

  ANSWER_TIMEOUT: {
    exitStatus: EXIT.UNAVAILABLE,
    retryable: true,
    hint: 'The server accepts connections but does not answer: check its log. {again}',
    texts: {
      notAccepted: '{server} is reachable, but did not accept the MQTT connection within {seconds} s',
      noAnswer: {
        message: '{server} accepted the connection, but did not answer the request within {seconds} s',
        hint: BACK_END_OR_CHAIN,
      },
      acknowledged: {
        message: '{server} acknowledged the request (PUBACK), but did not answer it within {seconds} s',
        hint: BACK_END_OR_CHAIN,
      },
      noPing: '{server} did not answer a ping within {seconds} s',
      notAcknowledged: '{server} did not acknowledge a message within {seconds} s (no PUBACK)',
      notSubscribed: '{server} sent no SUBACK within {seconds} s',
    },
  },

  SERVER_UNAVAILABLE: {
    exitStatus: EXIT.UNAVAILABLE,
    retryable: true,
    hint: "The server says that it is not available. {again} If that does not help: the device profile's transport type must be MQTT.",
    texts: {
      refused: REFUSED,
      simulator: {
        message: 'The simulator could not listen on {server}: {errno}',
        hint: 'Choose another --port or --host, or stop the program that uses it.',
      },
    },
  },

  NOT_MQTT: {
    exitStatus: EXIT.PROTOCOL,
    retryable: false,
    hint: 'Another service listens there: check {section}.host, port and use_ssl in {file}.',
    texts: {
      notMqtt: '{server} answers, but not in MQTT',
      http: {
        message: '{server} answers in HTTP, not in MQTT',
        hint: 'A web server, a proxy or the log-in page of a network listens there: check {section}.host and port in {file}.',
      },
      tls: {
        message: '{server} answers in TLS, but use_ssl is false',
        hint: 'Set {section}.use_ssl to true in {file}, with the CA of the server in ca_file if it is not a public one.',
      },
      tooLarge: '{server} sent a packet of more than {limit} bytes',
    },
  },

  NOT_THINGSBOARD: {
    exitStatus: EXIT.PROTOCOL,
    retryable: true,
    hint: 'An MQTT broker answers there, but not ThingsBoard: check {section}.host and port in {file}.',
    texts: {
      filterRefused: '{server} refuses to send {filter}',
      refused: REFUSED,
      noAttributes: '{server} accepts the connection, but does not answer a request for attributes as ThingsBoard does',
    },
  },

  CONNECTION_NOT_ACCEPTED: {
    exitStatus: EXIT.NOPERM,
    retryable: false,
    hint: 'ThingsBoard always admits the user "provision": check that host and port in {file} are those of its MQTT transport.',
    texts: {
      refused: REFUSED,
      deviceRefused: {
        message: REFUSED,
        hint: 'ThingsBoard does not refuse a device with this code: check that host and port in {file} are those of its MQTT transport.',
      },
    },
  },

  // TLS

  TLS_UNKNOWN_CA: {
    exitStatus: EXIT.CONFIG,
    retryable: false,
    hint: 'Put the CA certificate of "{name}" (PEM) into the device folder and name it in {section}.ca_file.{unused}',
    texts: {
      issuer: UNKNOWN_AUTHORITY,
      // The issuer may be an intermediate authority, whose certificate the server must send.
      issuerNotSent: {
        message: UNKNOWN_AUTHORITY,
        hint: 'Put the CA certificate of "{name}" (PEM) into the device folder and name it in {section}.ca_file. If "{name}" is an intermediate authority: let the server send its full certificate chain.{unused}',
      },
      ownCertificate:
        'No TLS connection to {server}: {authorities} holds the server\'s own certificate, not that of its authority "{name}"',
      selfSigned: {
        message: 'No TLS connection to {server}: its certificate is self-signed',
        hint: "Put the server's certificate (PEM) into the device folder and name it in {section}.ca_file.{unused}",
      },
      signature: {
        message:
          'No TLS connection to {server}: its certificate was not signed by the authority of this name in {authorities}',
        hint: "Put the server's present CA certificate (PEM) into the device folder and name it in {section}.ca_file.{unused}",
      },
    },
  },

  TLS_WRONG_HOST: {
    exitStatus: EXIT.CONFIG,
    retryable: false,
    hint: 'Set {section}.host in {file} to a host name in the certificate, or install a certificate for {section}.host on the server.',
    texts: { certificate: 'No TLS connection to {server}: its certificate was issued for another host ({hosts})' },
  },

  TLS_EXPIRED: {
    exitStatus: EXIT.CONFIG,
    retryable: false,
    hint: "Renew the server's certificate; if it is valid, correct the device's clock.",
    texts: {
      certificate: 'No TLS connection to {server}: its certificate has expired',
      intermediate: {
        message:
          'No TLS connection to {server}: the certificate of the authority "{name}", which the server sends, expired on {day}',
        hint: "Replace that certificate in the server's certificate chain; if it is valid, correct the device's clock.",
      },
      authority: {
        message:
          'No TLS connection to {server}: the certificate of the authority "{name}" in {authorities} expired on {day}',
        hint: "Replace it in {authorities} by the authority's valid certificate; if it is valid, correct the device's clock.",
      },
    },
  },

  TLS_NOT_YET_VALID: {
    exitStatus: EXIT.UNAVAILABLE,
    retryable: true,
    hint: "Most likely the device's clock is wrong: check date and NTP. {again}",
    texts: { certificate: 'No TLS connection to {server}: its certificate is not valid yet' },
  },

  TLS_FAILED: {
    exitStatus: EXIT.PROTOCOL,
    retryable: false,
    hint: 'Check the TLS settings and the log of the server.',
    texts: {
      handshake: 'The TLS handshake with {server} failed: {why}',
      notTls: { message: '{server} answers, but not in TLS ({why})', hint: TLS_PORT },
      clientCertificate: {
        message: '{server} demands a client certificate ({why})',
        hint: NO_CLIENT_CERTIFICATES,
      },
      refusedCertificate: {
        message: '{server} does not take the client certificate of this device ({why})',
        hint: 'Let the server accept self-signed ones, as ThingsBoard does by default.',
      },
      oldVersion: {
        message: '{server} speaks neither TLS 1.2 nor TLS 1.3 ({why})',
        hint: 'Switch on TLS 1.2 or TLS 1.3 on the server.',
      },
      noCipher: {
        message: '{server} and this device have no TLS cipher in common ({why})',
        hint: 'Switch on the usual ciphers of TLS 1.2 or TLS 1.3 on the server, for example ECDHE with AES-GCM.',
      },
      unknownName: {
        message: '{server} has no certificate for the host name {host} ({why})',
        hint: "Set {section}.host in {file} to the server's name, or install a certificate for {host} on the server.",
      },
      weakKey: {
        message: 'The TLS handshake with {server} failed: a key or signature of the server is too weak ({why})',
        hint: 'Install a certificate with a key of at least 2048 bits (RSA) or 256 bits (EC) and SHA-256 on the server.',
      },
      certificate: {
        message: "No TLS connection to {server}: its certificate can't be used: {why} ({errno})",
        hint: 'Install a server certificate on the server that a CA issued, with a strong enough key.',
      },
    },
  },

  // The server's answers

  PROVISION_KEY_REFUSED: {
    exitStatus: EXIT.NOPERM,
    retryable: false,
    hint: 'Copy device_key and device_secret again from the device profile, and check that it allows provisioning.',
    texts: { notFound: '{server} does not know this device_key and device_secret (NOT_FOUND)' },
  },

  DEVICE_NAME_TAKEN: {
    exitStatus: EXIT.CONFIG,
    retryable: false,
    hint: TAKEN_HINT,
    texts: {
      taken: REFUSED_NAME,
      // Another device.name could make a second device.
      perhapsOurs: { message: `${REFUSED_NAME}. ${PERHAPS_OURS}`, hint: PERHAPS_OURS_HINT },
      // A fixed name can't be registered twice: the operator must act before the camera is provisioned again.
      ownName: { message: OWN_NAME, hint: OWN_NAME_HINT },
      ownNameCreates: {
        message: OWN_NAME,
        hint: 'The profile creates new devices, and registers each name only once: delete the device {name} on the server before provisioning this camera again, or set the profile to check pre-provisioned devices.',
      },
      ownNameChecks: {
        message: OWN_NAME,
        hint: 'The profile checks pre-provisioned devices: delete the server attribute provisionState of {name} on the server, then start again.',
      },
      otherSecret: {
        message: `${REFUSED_NAME}, and does not know the credentials that the board secret gives`,
        hint: `If the server has a device {name}, it was registered without this board secret, or with another server name, provisioning key or token_generation: restore what was changed, or delete the device on the server. If it has none, check the tenant's device limit. A profile that checks pre-provisioned devices issues its own credentials, which no board secret brings back: there, delete the server attribute provisionState of {name}.`,
      },
      ownNamePerhapsOurs: { message: `${OWN_NAME}. ${PERHAPS_OURS}`, hint: OWN_NAME_HINT },
    },
  },

  PROVISIONING_REFUSED: {
    exitStatus: EXIT.CONFIG,
    retryable: false,
    // No device of these names exists, so there is none to delete.
    hint: ALL_REFUSED_HINT,
    texts: {
      allNames: `${REFUSED_NAME} and {others} others`,
      perhapsOurs: {
        message: `${REFUSED_NAME} and {others} others. ${PERHAPS_OURS}`,
        hint: `Look on the server for {name}, and delete it if it exists. ${ALL_REFUSED_HINT}`,
      },
    },
  },

  ANSWER_INVALID: {
    exitStatus: EXIT.PROTOCOL,
    retryable: true,
    hint: "Check that host and port are those of ThingsBoard's MQTT transport, and its version (docs/compatibility.md).",
    texts: {
      tooMuch: '{server} sent more than {limit} bytes for one answer',
      tooLong: 'Unexpected reply to the provisioning request: it is {bytes} bytes long',
      notJson: 'Unexpected reply to the provisioning request: it is not JSON',
      noStatus: 'Unexpected reply to the provisioning request: its status is not SUCCESS, FAILURE or NOT_FOUND',
      noType: 'Unexpected reply to the provisioning request: SUCCESS without the type of the credentials',
      unknownType: 'Unexpected reply to the provisioning request: the type of its credentials is unknown',
      noToken: 'Unexpected reply to the provisioning request: SUCCESS without usable credentials',
    },
  },

  CREDENTIALS_TYPE_UNSUPPORTED: {
    exitStatus: EXIT.CONFIG,
    retryable: false,
    hint: 'Change the credentials of the device on the server to an access token, MQTT_BASIC or an X.509 certificate, and delete its server attribute provisionState, so that it may be provisioned again.',
    texts: {
      otherType: 'The device has {type} credentials on the server, which are not for MQTT',
    },
  },

  CLIENT_KEY_UNUSABLE: {
    exitStatus: EXIT.CONFIG,
    retryable: false,
    hint: "Put the private key of the certificate that the device has on the server into {path} (PEM, without a password), and delete the device's server attribute provisionState, so that it may be provisioned again.",
    texts: {
      absent: 'The device has an X.509 certificate on the server, and its private key is not here: there is no {path}',
      unreadable: "The device has an X.509 certificate on the server, and {path} can't be read",
      otherKey:
        'The device has an X.509 certificate on the server, and {path} does not hold its private key without a password',
    },
  },

  CREDENTIALS_REFUSED: {
    exitStatus: EXIT.NOPERM,
    retryable: false,
    hint: 'Check on the server whether the device still exists and whether its credentials were changed. If it was deleted, provision the device again. Otherwise write its credentials into thermal_config.json.',
    texts: {
      refused: REFUSED,
      certificate: '{server} refused the client certificate of the device ({why})',
      issued: {
        message: '{server} refuses the credentials that it issued to {name}',
        hint: 'Check on the server whether {name} still exists and whether its credentials were changed. If it was deleted: remove {path}, and the next boot registers the device again. If only they were changed: delete the device first.',
      },
    },
  },

  // The run itself

  SETTINGS_CHANGED: {
    exitStatus: EXIT.TEMPFAIL,
    retryable: false,
    hint: 'provision.json changed during the run; the agent starts again with the new settings.',
    texts: {
      once: 'provision.json was changed during the run',
      tooOften: {
        message: 'provision.json changed {times} times during the run',
        hint: 'Do not change provision.json while the agent runs; the next boot uses its new content.',
      },
    },
  },

  RESUME_LOOP: {
    exitStatus: EXIT.SOFTWARE,
    retryable: false,
    hint: 'Find out what ends the agent (power, watchdog, memory): the log and events.jsonl show where it stopped.',
    texts: { noProgress: 'The run was interrupted {resumes} times without progress' },
  },

  RUN_TIME_LIMIT: {
    exitStatus: EXIT.UNAVAILABLE,
    retryable: false,
    hint: 'The next boot resumes with the same device name; the log shows which step took so long.',
    texts: {
      tooLong: 'The run took longer than its limit',
      afterTrouble: {
        message: 'The run took longer than its limit; last problem: {trouble}',
        hint: '{advice}',
      },
      notSaved: {
        message: 'The run reached {state}, but the storage took too long to save this state',
        hint: 'Check the storage (df, dmesg); the next boot resumes from the last saved state.',
      },
    },
  },

  INTERNAL: {
    exitStatus: EXIT.SOFTWARE,
    retryable: false,
    hint: 'This is a defect of the agent: please report it with the log and provision-state/snapshot.json.',
    texts: {
      unexpected: 'Unexpected error: {what}',
      effect: 'An effect failed without a report ({event})',
      noLock: 'Could not create the lock of {folder}',
      emptyJson: 'A JSON text has no value',
      editTooWide: 'Editing thermal_config.json would have changed more than the credentials',
      noPage: "The page can't be served on {address}: {why}",
    },
  },
} as const satisfies Record<string, FailureKind>;

export type FailureCode = keyof typeof FAILURES;

/** Whether a text, for example from a file, is one of the codes. */
export const isFailureCode = (code: string): code is FailureCode => Object.hasOwn(FAILURES, code);

type Catalogue = typeof FAILURES;
export type Fact = string | number | readonly string[];
type Facts = Readonly<Record<string, Fact>>;

/** The names in braces of a template. */
type FactName<Template extends string> = Template extends `${string}{${infer Name}}${infer Rest}`
  ? Name | FactName<Rest>
  : never;

/** Message and hint of a text. */
type Templates<Text, UsualHint extends string> = Text extends {
  readonly message: infer Message extends string;
  readonly hint: infer Hint extends string;
}
  ? Message | Hint
  : (Text & string) | UsualHint;

type FactsOf<Template extends string> = { readonly [Name in FactName<Template>]: Fact };

type Situation<Code extends FailureCode> = keyof Catalogue[Code]['texts'] & string;

/** Code, situation and facts of a failure. Plain JSON. */
export type FailureReason = {
  [Code in FailureCode]: {
    [Name in Situation<Code>]: {
      readonly code: Code;
      readonly situation: Name;
      readonly facts: FactsOf<Templates<Catalogue[Code]['texts'][Name], Catalogue[Code]['hint']>>;
    };
  }[Situation<Code>];
}[FailureCode];

const fill = (template: string, facts: Facts): string =>
  template.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const fact = facts[name] ?? '';
    return typeof fact === 'object' ? fact.map((item) => `\n- ${item}`).join('') : String(fact);
  });

/** Message and hint of a failure. `FailureReason` makes sure that the code has the situation. */
export function wordsFor(
  code: FailureCode,
  situation: string,
  facts: Facts,
): { readonly message: string; readonly hint: string } {
  const { texts, hint }: FailureKind = FAILURES[code];
  const text = texts[situation] ?? '';
  const words = typeof text === 'string' ? { message: text, hint } : text;
  return { message: fill(words.message, facts), hint: fill(words.hint, facts) };
}
