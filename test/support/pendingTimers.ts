import { createHook } from 'node:async_hooks';

/** Who set the timers that are still to fire or to be cleared: the stack of each. */
const pending = new Map<number, string>();
createHook({
  init(id, type) {
    if (type === 'Timeout') pending.set(id, String(new Error('set here').stack));
  },
  destroy(id) {
    pending.delete(id);
  },
}).enable();

/** Timers that the product's own code, or the library it speaks MQTT with, has set and not cleared. */
export function pendingTimers(): string[] {
  return [...pending.values()].filter((stack) => /\/src\/thingsboard\/|\/node_modules\/mqtt\//.test(stack));
}
