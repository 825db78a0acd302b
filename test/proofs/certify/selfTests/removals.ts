import type { MutantName } from '../mutants.ts';

/** A removed protection, and the part of a suite that must detect it. */
export interface Removal {
  /** The protection, as the certificate names it. */
  readonly protection: string;
  /** The changed build, or a disk whose `fsync` reports success and does nothing. */
  readonly by: MutantName | 'lying-disk';
  readonly suite: string;
  readonly scenario: string;
  readonly trial?: string;
  /** The expected violation: a completely broken build would cause others. */
  readonly says: RegExp;
}

export const REMOVALS: readonly Removal[] = [
  {
    protection: 'fsync of a file before it replaces another',
    by: 'no-fsync',
    suite: 'power-loss',
    scenario: '^configured$',
    says: /(thermal_config\.json is neither the complete old|credentials\.json is not complete)/,
  },
  {
    protection: 'fsync of the folder after a rename',
    by: 'no-folder-fsync',
    suite: 'power-loss',
    scenario: '^configured$',
    says: /no longer true: the generated name and credentials are stored/,
  },
  {
    protection: 'a disk whose fsync really syncs',
    by: 'lying-disk',
    suite: 'power-loss',
    scenario: '^configured$',
    says: /(thermal_config\.json is neither the complete old|credentials\.json is not complete)/,
  },
  {
    protection: 'the barrier: a state is durable before its effect starts',
    by: 'no-barrier',
    suite: 'power-loss',
    scenario: '^configured$',
    // On a slow disk the first state is saved in time, and only a later state is not.
    says: /and the snapshot knows the request|but the snapshot knows nothing/,
  },
  {
    protection: 'reconcile: after a lost answer the agent asks the server for the device',
    by: 'no-reconcile',
    suite: 'kill-in-every-state',
    scenario: '^the answer is lost$',
    trial: 'killed in the state of .*request → reconcile',
    says: /2 devices on the server/,
  },
  {
    protection: 'the lock: only one agent works on a folder',
    by: 'no-lock',
    suite: 'concurrency',
    scenario: '^one folder by its path and by a symbolic link, the path first$',
    says: /an agent that must find the lock taken ended with 0|agents work on one folder/,
  },
  {
    protection: 'the backup is durable before the configuration changes (removed by: copyFile)',
    by: 'backup-by-copyFile',
    suite: 'power-loss',
    scenario: '^configured$',
    says: /there is no copy of the old|no longer true: a backup has the old configuration/,
  },
  {
    protection: 'thermal_config.json is replaced, not written in place',
    by: 'config-in-place',
    suite: 'kill-at-every-call',
    scenario: '^configured$',
    // All writes: on a busy machine the run saves its state once more, which changes the numbers.
    trial: 'kill at write \\d+ \\(disk',
    says: /thermal_config\.json is neither the old nor a complete new one/,
  },
  {
    protection: 'the limit of the retries (removed by: one retry more)',
    by: 'one-retry-more',
    suite: 'properties',
    scenario: '^the chart: every run ends',
    trial: '\\(seed 1\\)',
    says: /more retries than provision\.json allows/,
  },
  {
    protection: 'no secret in a log line',
    by: 'secret-in-log',
    suite: 'security',
    scenario: '^secrets: logged as json at level info$',
    says: /Secret number \d+ is in the output/,
  },
  {
    protection: 'no effect starts when its state could not be saved',
    by: 'failed-save-passes',
    suite: 'error-at-every-call',
    scenario: '^configured$',
    trial: 'EIO at rename \\d+ and later \\(disk; .*snapshot\\.json',
    says: /neither provision\.txt nor credentials\.json is there, but the snapshot says/,
  },
  {
    protection: 'the time limit of an exchange with the server',
    by: 'no-time-limit',
    suite: 'network-faults',
    scenario: '^request and verify$',
    trial: '^plain, request and verify: stall at connection 1, toClient, packet 2$',
    says: /the agent did not end by itself in time/,
  },
  {
    protection: 'a resumed state restarts its effect',
    by: 'no-reenter',
    suite: 'upgrade',
    scenario: '',
    trial: '^v1, interrupted in write$',
    says: /the agent did not end by itself in time/,
  },
  {
    protection: 'writing a file follows no link',
    by: 'links-followed',
    suite: 'security',
    scenario: '^link to a file at provision-state/lock$',
    says: /a foreign file was changed/,
  },
  {
    protection: 'old backups are removed',
    by: 'backups-pile-up',
    suite: 'soak',
    scenario: '^folder$',
    says: /folder: \d+ backups/,
  },
  {
    protection: 'the private key is durable before the configuration that names it',
    by: 'key-not-durable',
    suite: 'power-loss',
    scenario: '^X\\.509$',
    says: /client_key-\w+\.pem is not the key of/,
  },
  {
    protection: 'with a board secret the token is derived, so that a lost card loses no device',
    by: 'token-not-derived',
    suite: 'kill-at-every-call',
    scenario: '^derived token, card lost$',
    trial: 'kill at (?:rename|unlink|fsync)',
    says: /the next boot ended with 78/,
  },
  {
    protection: 'with a board secret the agent asks first whether the server knows the device',
    by: 'no-question-first',
    suite: 'kill-at-every-call',
    scenario: '^derived token, card lost$',
    trial: 'kill at (?:rename|unlink|fsync)',
    says: /asked for registration, not for itself/,
  },
];
