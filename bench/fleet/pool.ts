/**
 * Does something for every index from 0 to below `count`, `limit` of them at the same time, in order of their numbers.
 * @throws what the work throws, at once
 */
export async function inFlight(count: number, limit: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      await work(index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, count) }, lane));
}
