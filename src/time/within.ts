/**
 * Waits for work, but not for ever: the work goes on, only nobody waits for it any longer.
 * @param ms the longest wait
 * @throws what the work throws, when it does so in time
 */
export async function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
