import { defineConfig } from 'vitest/config';

/** Boards that people have: `npm run test:boards`, which first makes the images, the packages and the namespaces. */
export default defineConfig({
  test: {
    root: new URL('../../..', import.meta.url).pathname,
    include: ['test/proofs/boards/**/*.boards.ts'],
    globalSetup: ['test/support/buildBundle.ts', 'test/proofs/boards/boards.ts'],
    maxWorkers: 2,
    maxConcurrency: 3,
    testTimeout: 180_000,
    hookTimeout: 180_000,
    deps: { interopDefault: false },
  },
});
