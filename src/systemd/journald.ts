/** journald reads these prefixes as the priority of a line (sd-daemon(3)). */
const PREFIXES = { error: '<3>', warn: '<4>', info: '<6>', debug: '<7>' } as const;

const STANDARD_ERROR = 2;

// Not imported: a boot without work must stay fast (src/cli/nothingToDo.ts).
const { fstatSync } = process.getBuiltinModule('node:fs');

/**
 * Whether a descriptor is journald's stream. JOURNAL_STREAM alone does not tell: programs with redirected output inherit
 * it too. It names the device and inode of the stream (systemd.exec(5)).
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

/** Puts the priority before every line, because journald makes an entry of each line. */
export const withPriority = (level: keyof typeof PREFIXES, text: string): string =>
  text.replaceAll(/^/gm, PREFIXES[level]);
