import { defineConfig } from 'vitest/config';

/** Boots of Debian 13: `npm run test:boot`, which first makes the image, the package and the namespaces. */
export default defineConfig({
  test: {
    root: new URL('../../..', import.meta.url).pathname,
    include: ['test/proofs/boot/**/*.boot.ts'],
    globalSetup: ['test/proofs/boot/installedImage.ts'],
    // Boards mostly wait.
    maxWorkers: 3,
    maxConcurrency: 6,
    testTimeout: 180_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    deps: { interopDefault: false },
  },
});
