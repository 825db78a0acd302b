/**
 * How often, how long and how many: every limit of the provisioning chart. Times are in milliseconds. Retries of one
 * step are not here: each camera has its own number (`max_retries` in provision.json).
 */
export const PROVISION_POLICY = {
  /** Pause before the first retry or probe; each further pause is twice as long: 1, 2, 4 s (FR-011). */
  firstPauseMs: 1_000,
  /** A pause gets no longer than this, so that a run with many retries still uses its time limit. */
  longestPauseMs: 60_000,
  /**
   * Probes with our token after the server answered FAILURE, the first of them at once: a commit that is under way
   * becomes visible within seconds. Only then does the name count as taken by another device.
   */
  probesAfterFailure: 4,
  /**
   * After a request of unknown outcome no name counts as taken before this time has passed. ThingsBoard gives up on
   * its own back end after 10 to 20 s, so no earlier request can succeed any more.
   */
  quietTimeMs: 25_000,
  /** Random names that one run tries. Collisions are rare: a third refusal means that the server refuses everything. */
  maxNames: 3,
  /** Refusals of new credentials before the run fails: a node of a cluster may know a new device a moment late. */
  maxVerifications: 3,
  /** Times that another program may change thermal_config.json between backup and write before the run fails. */
  maxWriteRounds: 3,
  /** Interruptions without progress before the run fails: a step that always kills the agent must not loop for ever. */
  maxResumes: 20,
  /** Warnings that a run keeps for the operator, the newest ones: the snapshot must not grow. */
  maxWarnings: 20,
} as const;
