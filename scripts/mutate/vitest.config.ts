// Vitest for the mutation test (mutate.mjs): the chosen tests inside vitest's process, the quickest file first.
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import base from '../../vitest.config.ts';

/** The first failed test ends the trial of a mutant. Therefore long tests come last. */
class QuickestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).reverse();
  }
}

export default defineConfig({
  plugins: [
    {
      name: 'a process for each test file',
      // Stryker asks for threads, but a thread can't set the umask or change its user.
      configureVitest: ({ project }) => {
        project.config.pool = 'forks';
      },
    },
  ],
  test: {
    ...base.test,
    globalSetup: [],
    include: JSON.parse(process.env.MUTATE_TESTS ?? '[]'),
    sequence: { sequencer: QuickestFirst },
  },
});
