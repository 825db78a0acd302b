import { defineConfig } from 'vitest/config';

/** Boots of Debian 13: `npm run test:boot`, which makes the image, the package and the namespaces first. */
export default defineConfig({
  test: {
    root: new URL('../../..', import.meta.url).pathname,
    include: ['test/proofs/boot/**/*.boot.ts'],
    globalSetup: ['test/proofs/boot/installedImage.ts'],
    // Boards wait more than they compute.
    maxWorkers: 3,
    maxConcurrency: 6,
    testTimeout: 180_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    deps: { interopDefault: false },
  },
});
