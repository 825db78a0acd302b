import type { TestContext } from 'vitest';

/**
 * Registers what is to be done when the test is over: `onTestFinished` of the test's own context, because Vitest does
 * not know whose an imported one is while several tests run at the same time.
 */
export type AtEnd = TestContext['onTestFinished'];
