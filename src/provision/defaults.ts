/** Number of backups of thermal_config.json that are kept (FR-010). */
export const DEFAULT_KEEP_BACKUPS = 5;

/** Largest value of --keep-backups. */
export const MAX_KEEP_BACKUPS = 1000;

/** Largest value of --splay, in seconds. A longer pause would use up too much of the run's time limit. */
export const MAX_SPLAY = 300;
