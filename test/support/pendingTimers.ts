import { createHook } from 'node:async_hooks';

/** The stack of each pending timer's creation. */
const pending = new Map<number, string>();
createHook({
  init(id, type) {
    if (type === 'Timeout') pending.set(id, String(new Error('set here').stack));
  },
  destroy(id) {
    pending.delete(id);
  },
}).enable();

/** Pending timers of src/thingsboard and of MQTT.js. */
export function pendingTimers(): string[] {
  return [...pending.values()].filter((stack) => /\/src\/thingsboard\/|\/node_modules\/mqtt\//.test(stack));
}
