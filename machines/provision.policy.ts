/**
 * Every limit of the provisioning chart. Times are in milliseconds. The number of retries is not here: each camera has
 * its own (`max_retries` in provision.json).
 */
export const PROVISION_POLICY = {
  /** Pause before the first retry or probe. Each further pause is twice as long: 1, 2, 4 s (FR-011). */
  firstPauseMs: 1_000,
  /** Longest pause. Without it a run with many retries would spend its time limit on one pause. */
  longestPauseMs: 60_000,
  /**
   * Probes with the generated token after the server answered FAILURE, the first one at once. A commit under way
   * becomes visible within seconds. If all probes are refused, another device has the name.
   */
  probesAfterFailure: 4,
  /**
   * The same for the second and third random name. Two random names in turn are never both taken by other devices, so
   * the server refuses every name, and no answer of a longer wait would change that.
   */
  probesAfterLaterFailure: 1,
  /**
   * After an unanswered request no name counts as taken before this time has passed. ThingsBoard's own timeouts end
   * after 10 to 20 s, so after this time no earlier request can still succeed.
   */
  quietTimeMs: 25_000,
  /** Random names that one run tries. Collisions are rare: after three refusals the server refuses every name. */
  maxNames: 3,
  /** Refusals of new credentials before the run fails. A cluster node may see a new device a moment late. */
  maxVerifications: 3,
  /** Writes that may find thermal_config.json changed by another program before the run fails. */
  maxWriteRounds: 3,
  /** Interruptions without progress before the run fails: a step that always kills the agent must not loop. */
  maxResumes: 20,
  /** Newest warnings that a run keeps for the operator: the snapshot must not grow without limit. */
  maxWarnings: 20,
} as const;
