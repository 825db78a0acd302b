/**
 * The commands that read a device's files, one part of the bundle. With a part for each of them the code that they
 * share with `run` would lie in more files, and `run` would have to load them all.
 */
export { runBackups } from '../backups/runBackups.ts';
export { explainRun } from '../explain/explainRun.ts';
export { resetRun } from '../reset/resetRun.ts';
export { showStatus } from '../status/showStatus.ts';
