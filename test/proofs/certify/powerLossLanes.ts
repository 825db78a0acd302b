/**
 * Does the tasks of several lanes, several lanes at once, but the tasks of one lane one after the other; the fullest
 * free lane goes first, so that all end at about the same time.
 * @param workers how many lanes at once
 */
export async function inLanes(lanes: readonly (readonly (() => Promise<void>)[])[], workers: number): Promise<void> {
  const waiting = lanes.map((tasks) => [...tasks]);
  const busy = new Set<readonly (() => Promise<void>)[]>();
  const worker = async (): Promise<void> => {
    for (;;) {
      // A lane that is busy has its own worker, who will come back to it.
      const free = waiting.filter((lane) => lane.length > 0 && !busy.has(lane));
      const lane = free.sort((a, b) => b.length - a.length)[0];
      const task = lane?.shift();
      if (lane === undefined || task === undefined) return;
      busy.add(lane);
      try {
        await task();
      } finally {
        busy.delete(lane);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, workers) }, worker));
}
