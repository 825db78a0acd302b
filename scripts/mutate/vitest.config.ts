// Vitest for the mutation test (mutate.mjs): the chosen tests inside vitest's process, in a quick order.
import { relative } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestModule, type TestSpecification } from 'vitest/node';
import base from '../../vitest.config.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Stryker's: `dry-run` measures which tests reach which mutants. */
    mode: string;
  }
}

/**
 * The first failed test ends the trial of a mutant. The file that ended the trial before comes first, because the next
 * mutant is near the previous one. Then come the quick files.
 */
class LikelyFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    for (const { project } of files) {
      // One process for all files of a trial: most of the time would go into starts. Only the measurement needs more.
      project.config.isolate = project.getProvidedContext().mode === 'dry-run';
      // Stryker chooses tests by their names. A lazy value was made by the first test of a file that needed it.
      if (process.env.MUTATE_WHOLE_FILES) delete project.config.testNamePattern;
    }
    const rank = ({ project, moduleId }: TestSpecification): number => {
      const last = this.ctx.cache.getFileTestResults(`${project.name}:${relative(this.ctx.config.root, moduleId)}`);
      return last?.failed ? 0 : (last?.duration ?? 0);
    };
    return files.toSorted((one, other) => rank(one) - rank(other));
  }
}

/** Stryker looks at tests alone. A mutant that breaks an import leaves none, and would count as survived. */
const reportBrokenImports = {
  onTestModuleEnd(module: TestModule): void {
    for (const error of module.errors()) module.project.vitest.state.catchError(error, 'Broken import');
  },
};

export default defineConfig({
  plugins: [
    {
      name: 'processes',
      // Stryker asks for threads, but a thread can't set the umask or change its user.
      configureVitest: ({ project }) => {
        project.config.pool = 'forks';
      },
    },
  ],
  test: {
    ...base.test,
    globalSetup: [],
    // Many mutants wait for what never comes. These limits end such a test sooner than Stryker would.
    testTimeout: 20_000,
    expect: { poll: { timeout: 10_000 } },
    // Random cases are slow, and would find a mutant only by chance.
    exclude: ['**/*.property.test.ts'],
    include: JSON.parse(process.env.MUTATE_TESTS ?? '[]'),
    sequence: { sequencer: LikelyFirst },
    reporters: [reportBrokenImports],
  },
});
