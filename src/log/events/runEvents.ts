import { type EventKind, FAILURE, FILE, NAMED } from './eventKind.ts';

/** `token` is a fingerprint. */
const DEVICE = { deviceName: 'text', token: 'text' } as const;

/** The events of a run. */
export const RUN_EVENTS = {
  'run.nothing': { level: 'info', meaning: 'no trigger and no unfinished run' },
  'run.started': {
    level: 'info',
    fields: { agentVersion: 'text' },
    meaning: 'a new run begins; the message says why',
  },
  'run.resumed': { level: 'info', fields: { from: 'text' }, meaning: 'an interrupted run resumes in the state from' },
  'run.swept': { level: 'info', meaning: 'the clean-up left over from a finished run was completed' },
  'run.provisioned': {
    level: 'info',
    fields: {
      deviceName: 'text or null',
      server: 'text or null',
      backup: 'text or null',
      seconds: 'number',
    },
    optional: { token: 'text' },
    meaning: 'success',
  },
  'run.failed': { level: 'error', fields: FAILURE, meaning: 'the run or the start failed' },
  'run.reset': {
    level: 'warn',
    fields: { movedTo: 'texts' },
    meaning: 'an operator gave up the run; its files were moved',
  },
  'run.interrupted': { level: 'warn', meaning: 'SIGTERM or SIGINT; the next start resumes the run' },
  'run.withdrawn': { level: 'warn', meaning: 'the trigger was removed during the run; no further request is sent' },
  'run.superseded': {
    level: 'warn',
    meaning: 'provision.json names another server, key or name; a new run begins',
  },
  'state.entered': {
    level: 'info',
    optional: { resumed: 'flag' },
    meaning: 'the run entered a state of the chart',
  },
  'state.tightened': { level: 'warn', meaning: "the agent's folder was open to others; its mode was corrected" },
  'state.unsynced': { level: 'warn', meaning: 'a new state folder may not survive a power loss' },
  'backoff.waiting': {
    level: 'warn',
    fields: { ms: 'number' },
    // Absent in lines of version 1.0.0. With the fields of the failure, if the pause follows one.
    optional: { waitingFor: 'text or null', ...FAILURE },
    meaning: 'a pause',
  },
  'validate.passed': {
    level: 'info',
    fields: { server: 'text', tls: 'flag', nameSource: 'text' },
    optional: { provisionJson: 'text', proxy: 'text' },
    meaning: 'all input files are complete',
  },
  'validate.warning': { level: 'warn', meaning: 'an unknown key, or a rule that the configuration breaks' },
  'settings.taken': { level: 'info', meaning: 'a key of provision.json in another spelling was taken for a known key' },
  'storage.volatile': { level: 'warn', meaning: 'a reboot loses what the run writes; a setting allows this' },
  'storage.unseen': { level: 'warn', meaning: 'what the run writes may be lost, for example with its container' },
  'board.volatile': { level: 'warn', meaning: 'after a reboot an interrupted run would not resume on this board' },
  'settings.changed': { level: 'warn', meaning: 'provision.json has changed since the run began' },
  'candidate.drawn': { level: 'info', fields: DEVICE, meaning: 'a new name and token were generated' },
  'candidate.adopted': {
    level: 'info',
    fields: { ...DEVICE, drawnByRun: 'text' },
    meaning: 'name and token of an earlier attempt are reused',
  },
  'request.connected': { level: 'debug', fields: { server: 'text' }, meaning: 'connected for the request' },
  'request.sent': { level: 'info', fields: { server: 'text' }, meaning: 'the request may have reached the server' },
  'request.granted': {
    level: 'info',
    fields: { ...DEVICE, tokenFrom: 'text' },
    meaning: 'the server answered SUCCESS',
  },
  'request.failure': { level: 'warn', fields: NAMED, meaning: 'the server answered FAILURE' },
  'request.unknown': {
    level: 'warn',
    fields: { code: 'text' },
    meaning: 'no usable answer; the state reconcile asks the server',
  },
  'reconcile.accepted': { level: 'info', fields: DEVICE, meaning: 'an earlier request had succeeded' },
  'reconcile.recovered': {
    level: 'info',
    fields: DEVICE,
    meaning: 'the board secret brought back a device that the server knew',
  },
  'reconcile.refused': { level: 'info', fields: NAMED, meaning: 'the server does not know our token (yet)' },
  'verify.proven': { level: 'info', fields: DEVICE, meaning: 'the new credentials work' },
  'verify.unanswered': {
    level: 'warn',
    fields: NAMED,
    meaning: 'the token was accepted, but the attribute request was not answered',
  },
  'verify.ownToken': {
    level: 'warn',
    fields: DEVICE,
    meaning: "the token in the answer was garbled; the device's own is used",
  },
  'verify.refused': {
    level: 'warn',
    fields: NAMED,
    meaning: 'the server refused credentials that it had issued; tried three times',
  },
  'backup.made': {
    level: 'info',
    fields: { backup: 'text', bytes: 'number' },
    meaning: 'the configuration was copied',
  },
  'backup.present': {
    level: 'info',
    fields: { backup: 'text', bytes: 'number' },
    meaning: 'the newest backup already equals the configuration',
  },
  'backup.none': { level: 'info', meaning: 'there is no configuration yet' },
  'backup.pruned': { level: 'info', fields: { removed: 'texts' }, meaning: 'old backups were removed' },
  'certificate.pruned': {
    level: 'info',
    fields: { removed: 'texts' },
    meaning: 'files of client certificates that nothing names were removed',
  },
  'backup.unpruned': { level: 'warn', meaning: 'old backups could not be removed' },
  'backup.skipped': {
    level: 'warn',
    fields: FILE,
    meaning: 'a backup is unusable; the settings come from an older one or are the defaults',
  },
  'config.written': {
    level: 'info',
    fields: { ...FILE, ...DEVICE, server: 'text' },
    meaning: 'the configuration holds the new credentials',
  },
  'config.already': { level: 'info', fields: FILE, meaning: 'the configuration held the new credentials already' },
  'config.base': {
    level: 'warn',
    meaning: 'the configuration was unusable or repaired; the message says where the settings come from',
  },
  'config.login': {
    level: 'warn',
    meaning: "the device logs in without an access token, which the former client of the camera can't",
  },
  'config.changed': {
    level: ['warn', 'info'],
    meaning: 'run (warn): another program changed the file; start (info): new settings are used',
  },
  'config.overtaken': {
    level: 'warn',
    meaning: 'another program replaced the file right after the write; it is written again',
  },
  'config.unusable': {
    level: ['error', 'warn'],
    optional: { code: 'text' },
    meaning: 'run (error): read back differs; start (warn): the last good settings stay',
  },
  'config.restored': { level: 'warn', fields: { backup: 'text' }, meaning: 'the backup was put back' },
  'config.replaced': {
    level: 'warn',
    meaning: 'the configuration was replaced before the run ended; it is written again',
  },
  'config.removed': {
    level: 'warn',
    fields: FILE,
    meaning: 'the new file was removed, because there was none before',
  },
  'trigger.processed': { level: 'info', fields: FILE, meaning: 'the trigger was renamed' },
  'trigger.newer': { level: 'warn', meaning: 'a newer trigger was dropped during the run; it asks for another run' },
  'splay.waiting': {
    level: 'info',
    fields: { ms: 'number' },
    meaning: 'a pause of ms before the first contact (--splay)',
  },
  'secret.removed': {
    level: 'info',
    fields: FILE,
    meaning: 'the secret was removed from provision.json (scrub)',
  },
  'secret.left': {
    level: 'warn',
    fields: FILE,
    meaning: 'the secret could not be removed from provision.json; remove it by hand',
  },
  'device.former': {
    level: 'info',
    fields: { former: 'text' },
    meaning: 'the previous device is no longer used; delete it on the server',
  },
  'snapshot.damaged': {
    level: 'warn',
    fields: { ...FILE, movedTo: 'text' },
    meaning: 'an unreadable snapshot was set aside',
  },
  'snapshot.unsaved': { level: 'warn', meaning: 'the failed state could not be saved' },
  'credentials.damaged': {
    level: 'warn',
    fields: { ...FILE, movedTo: 'text' },
    meaning: 'unreadable credentials were set aside; a device may be stranded',
  },
  'credentials.foreign': {
    level: 'warn',
    fields: { movedTo: 'text' },
    meaning: "another board's credentials were set aside (a cloned card)",
  },
  'credentials.notDerived': {
    level: 'warn',
    meaning: 'the run keeps credentials that the board secret does not give',
  },
  'credentials.superseded': {
    level: 'warn',
    fields: { movedTo: 'text' },
    meaning: 'credentials for another server, key or name were set aside',
  },
  'credentials.tightened': {
    level: 'warn',
    fields: { ...FILE, mode: 'text' },
    meaning: 'credentials.json was open to others; its mode was corrected',
  },
  'credentials.left': {
    level: 'warn',
    meaning: 'credentials.json could not be removed at the end; the next start removes it',
  },
  'credentials.removed': { level: 'debug', fields: FILE, meaning: 'the run is complete' },
  'callback.failed': { level: 'warn', meaning: "library only: the program's own onProgress failed; the run continues" },
} as const satisfies Readonly<Record<string, EventKind>>;
