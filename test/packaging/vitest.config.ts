import { defineConfig } from 'vitest/config';

/** Tests of packages, bills of materials and releases that build for long: part of `npm run check:deb`. */
export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/packaging/**/*.deb.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    deps: { interopDefault: false },
  },
});
