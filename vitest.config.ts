import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/lastingFolder.ts', 'test/support/buildBundle.ts'],
    // Tests that run at the same time start processes, and the smallest machines have two cores.
    maxConcurrency: 3,
    // One more than cores: many tests wait for a pause or for a process.
    maxWorkers: 3,
    // A crowded machine may be slow; nothing here waits that long.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    // CommonJS is imported as Node does it, so that tests run what is shipped (src/thingsboard/mqttClient.ts).
    deps: { interopDefault: false },
    coverage: {
      provider: 'v8',
      include: ['machines/**/*.ts', 'src/**/*.ts'],
      reporter: ['text', 'json-summary'],
      // What the promises rest on has no line and no branch that no test has seen. (The types have no code.)
      thresholds: {
        'machines/provision.machine.ts': { lines: 100, branches: 100 },
        'src/device/**': { lines: 100, branches: 100 },
        'src/failures/*Failure.ts': { lines: 100, branches: 100 },
        'src/files/**': { lines: 100, branches: 100 },
        'src/provision/{snapshotWriter,startUp}.ts': { lines: 100, branches: 100 },
        'src/state/**': { lines: 100, branches: 100 },
        'src/thingsboard/**': { lines: 100, branches: 100 },
        'src/time/**': { lines: 100, branches: 100 },
      },
    },
  },
});
