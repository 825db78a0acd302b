/**
 * Does something for each item, several at once, in the order of the list.
 * @param workers how many at once
 * @param onDone told after each item how many are done
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
