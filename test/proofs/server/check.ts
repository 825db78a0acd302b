/** @param more what helps to understand the failure, e.g. the end of the agent's output */
export function check(actual: string | number | null, wanted: string | number, what: string, more = ''): void {
  if (actual === wanted) return;
  const shown = [actual, wanted].map((value) => (value === '' ? 'none' : String(value)));
  throw new Error(`${what}: ${shown[0]} instead of ${shown[1]}${more === '' ? '' : `\n${more.trim()}`}`);
}
