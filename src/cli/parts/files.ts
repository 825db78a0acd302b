/**
 * The commands that read the files of a device: one part of the bundle. With one part for each command, the code shared
 * with `run` would be split into more files, and `run` would load them all.
 */
export { runBackups } from '../backups/runBackups.ts';
export { explainRun } from '../explain/explainRun.ts';
export { resetRun } from '../reset/resetRun.ts';
export { showStatus } from '../status/showStatus.ts';
