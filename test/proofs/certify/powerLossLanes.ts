/**
 * Runs the tasks of several lanes: several lanes at the same time, but the tasks of one lane in sequence. The longest
 * free lane comes first, so that all lanes end at about the same time.
 * @param workers number of lanes at the same time
 */
export async function inLanes(lanes: readonly (readonly (() => Promise<void>)[])[], workers: number): Promise<void> {
  const waiting = lanes.map((tasks) => [...tasks]);
  const busy = new Set<readonly (() => Promise<void>)[]>();
  const worker = async (): Promise<void> => {
    for (;;) {
      // The worker of a busy lane returns to it.
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
