import type { Kill } from './killTrial.ts';

function shares(title: string, words: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  const lines = [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(
      ([word, count]) => `  ${word.padEnd(28)}${String(count).padStart(5)}${percent(count, words.length).padStart(8)}`,
    );
  return [title, ...lines];
}

export const percent = (part: number, whole: number): string =>
  `${whole === 0 ? '0.0' : ((100 * part) / whole).toFixed(1)} %`;

/** Share of the kills between PUBLISH and the rename of provision.txt, from 0 to 1. */
export const decisiveShare = (kills: readonly Kill[]): number =>
  kills.filter(({ betweenPublishAndRename }) => betweenPublishAndRename).length / Math.max(1, kills.length);

/** The kills, counted by several criteria, as lines of text. */
export function tallyKills(kills: readonly Kill[]): string {
  const decisive = kills.filter(({ betweenPublishAndRename }) => betweenPublishAndRename).length;
  return [
    ...shares(
      'kills by state of the agent (its last log line):',
      kills.map(({ state }) => state ?? '(no state yet)'),
    ),
    ...shares(
      'kills by state in snapshot.json:',
      kills.map(({ durableState }) => durableState),
    ),
    ...shares(
      'kills by the last event of the server:',
      kills.map(({ lastSeen }) => lastSeen),
    ),
    `between PUBLISH and the final rename: ${decisive} of ${kills.length} kills, ${percent(decisive, kills.length)}`,
  ].join('\n');
}
