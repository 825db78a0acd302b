import type { MutantName } from '../mutants.ts';

/** A protection that is taken away, and the part of a suite that must notice it. */
export interface Removal {
  /** In words, for the certificate. */
  readonly protection: string;
  /** A changed build, or a disk that says `fsync` was done and does nothing. */
  readonly by: MutantName | 'lying-disk';
  readonly suite: string;
  readonly scenario: string;
  readonly trial?: string;
  /** What the suite must say: another violation may come from a build that is broken altogether. */
  readonly says: RegExp;
}

export const REMOVALS: readonly Removal[] = [
  {
    protection: 'fsync of a file before it replaces another',
    by: 'no-fsync',
    suite: 'power-loss',
    scenario: '^configured$',
    says: /(thermal_config\.json is neither the complete old|credentials\.json is not whole)/,
  },
  {
    protection: 'fsync of the folder after a rename',
    by: 'no-folder-fsync',
    suite: 'power-loss',
    scenario: '^configured$',
    says: /not true any more: the drawn name and token are stored/,
  },
  {
    protection: 'a disk that keeps its word about fsync',
    by: 'lying-disk',
    suite: 'power-loss',
    scenario: '^configured$',
    says: /(thermal_config\.json is neither the complete old|credentials\.json is not whole)/,
  },
  {
    protection: 'the barrier: the state is on disk before its effect begins',
    by: 'no-barrier',
    suite: 'power-loss',
    scenario: '^configured$',
    // Where the disk is slow, the first state is saved in time, and only a later one is not.
    says: /and that it left is known|but the snapshot knows nothing/,
  },
  {
    protection: 'reconcile: the server is asked what became of a lost answer',
    by: 'no-reconcile',
    suite: 'kill-in-every-state',
    scenario: '^the answer is lost$',
    trial: 'killed in the state of .*request → reconcile',
    says: /2 devices on the server/,
  },
  {
    protection: 'the lock: one agent works on a folder',
    by: 'no-lock',
    suite: 'concurrency',
    scenario: '^one folder by its path and by a symbolic link, the path first$',
    says: /an agent that should find the lock taken ended with 0|agents work on one folder/,
  },
  {
    protection: 'a backup that is durable before the configuration is changed (here: copyFile)',
    by: 'backup-by-copyFile',
    suite: 'power-loss',
    scenario: '^configured$',
    says: /there is no copy of the old|not true any more: the old configuration is kept in a backup/,
  },
  {
    protection: 'thermal_config.json is replaced, not written in place',
    by: 'config-in-place',
    suite: 'kill-at-every-call',
    scenario: '^configured$',
    // All of them: on a busy machine the run saves its state once more, and the numbers move.
    trial: 'kill at write \\d+ \\(disk',
    says: /thermal_config\.json is neither the old nor a whole new one/,
  },
  {
    protection: 'the bound of the retries (here: one more)',
    by: 'one-retry-more',
    suite: 'properties',
    scenario: '^the chart: every run ends',
    trial: '\\(seed 1\\)',
    says: /more retries than provision\.json allows/,
  },
  {
    protection: 'no secret in a line of the log',
    by: 'secret-in-log',
    suite: 'security',
    scenario: '^secrets: logged as json at level info$',
    says: /Secret number \d+ is in the output/,
  },
  {
    protection: 'a state that could not be saved lets no effect pass',
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
    protection: 'a resumed state starts its effect again',
    by: 'no-reenter',
    suite: 'upgrade',
    scenario: '',
    trial: '^v1, cut in write$',
    says: /the agent did not end by itself in time/,
  },
  {
    protection: 'no link is followed where a file is written',
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
];
