/**
 * Calls `work` for each item, in the order of the list, several calls at the same time.
 * @param workers number of calls at the same time
 * @param onDone called after each item with the number of finished items
 */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  workers: number,
  work: (item: Item, index: number) => Promise<Result>,
  onDone: (done: number, total: number) => void = () => {},
): Promise<readonly Result[]> {
  const results: Result[] = [];
  let done = 0;
  const waiting = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of waiting) {
      results[index] = await work(item, index);
      done += 1;
      onDone(done, items.length);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, workers) }, worker));
  return results;
}
