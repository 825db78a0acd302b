/** How many backups of thermal_config.json are kept (FR-010). */
export const DEFAULT_KEEP_BACKUPS = 5;

/** The largest number of backups that can be asked for. */
export const MAX_KEEP_BACKUPS = 1000;

/** Of --splay, seconds: a longer pause would leave a run too little of its time limit. */
export const MAX_SPLAY = 300;
