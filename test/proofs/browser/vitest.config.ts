import { defineConfig } from 'vitest/config';

/** Tests in a browser: `npm run test:browser`, which finds or installs Chromium first. */
export default defineConfig({
  test: {
    root: new URL('../../..', import.meta.url).pathname,
    include: ['test/proofs/browser/**/*.browser.ts'],
    globalSetup: ['test/support/lastingFolder.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    deps: { interopDefault: false },
  },
});
