import type { TestContext } from 'vitest';

/**
 * Registers a clean-up for the end of the test: `onTestFinished` of the test's own context. In concurrent tests Vitest
 * can't tell which test an imported `onTestFinished` belongs to.
 */
export type AtEnd = TestContext['onTestFinished'];
