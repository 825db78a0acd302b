/** What journald takes for a line's priority, and does not show (sd-daemon(3)). */
const PREFIXES = { error: '<3>', warn: '<4>', info: '<6>', debug: '<7>' } as const;

const STANDARD_ERROR = 2;

// Part of a boot without work, see src/cli/nothingToDo.ts.
const { fstatSync } = process.getBuiltinModule('node:fs');

/**
 * Whether a descriptor is journald's stream: JOURNAL_STREAM has its device and inode, and is inherited also by those
 * whose output goes elsewhere (systemd.exec(5)).
 */
export function isJournalStream(
  env: Readonly<Record<string, string | undefined>>,
  descriptor: number = STANDARD_ERROR,
): boolean {
  if (env.JOURNAL_STREAM === undefined) return false;
  try {
    const { dev, ino } = fstatSync(descriptor, { bigint: true });
    return env.JOURNAL_STREAM === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

/** Every line of a text with its priority: journald makes an entry of each. */
export const withPriority = (level: keyof typeof PREFIXES, text: string): string =>
  text.replaceAll(/^/gm, PREFIXES[level]);
