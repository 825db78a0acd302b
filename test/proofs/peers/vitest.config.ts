import { defineConfig } from 'vitest/config';

/** ThingsBoard's own clients: `npm run test:peers`, which makes their virtual environment first. */
export default defineConfig({
  test: {
    root: new URL('../../..', import.meta.url).pathname,
    include: ['test/proofs/peers/**/*.peer.ts'],
    testTimeout: 120_000,
  },
});
