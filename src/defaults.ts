/** How many backups of thermal_config.json are kept (FR-010). */
export const DEFAULT_KEEP_BACKUPS = 5;
