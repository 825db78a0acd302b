import { defineConfig } from 'vitest/config';

/** Packages that take long to build: part of `npm run check:deb`. */
export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/packaging/**/*.deb.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    deps: { interopDefault: false },
  },
});
