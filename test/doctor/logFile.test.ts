import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkLogFile } from '../../src/doctor/logFile.ts';
import { scratchFolder } from '../config/scratch.ts';

/** The finding for a `logging` section of an otherwise empty configuration. */
async function findingFor(logging: unknown) {
  const folder = await scratchFolder();
  const { findings } = await checkLogFile(folder, Buffer.from(JSON.stringify({ logging })));
  expect(findings).toHaveLength(1);
  return { ...findings[0], folder };
}

describe('the check of the log file', () => {
  it.each([undefined, {}, { output: 'console', log_file: '/nowhere/log' }])(
    'passes when none is used: %j',
    async (it) => {
      expect(await findingFor(it)).toMatchObject({ verdict: 'passed', message: expect.stringMatching(/^not used/) });
    },
  );

  it('passes without a configuration', async () => {
    const { findings } = await checkLogFile(await scratchFolder(), undefined);
    expect(findings).toMatchObject([{ verdict: 'passed' }]);
  });

  it('passes for a file that start can create, relative to the device folder', async () => {
    const { folder, ...finding } = await findingFor({ output: 'file' });
    expect(finding).toEqual({ verdict: 'passed', message: `${join(folder, 'thermal-mqtt.log')} appears writable` });
  });

  it.each(['file', 'both'])('warns with path and reason when the file can not be written: %s', async (output) => {
    expect(await findingFor({ output, log_file: '/proc/nowhere/log' })).toMatchObject({
      verdict: 'warning',
      message:
        '/proc/nowhere/log can\'t be written: ENOENT (its folder does not exist); "start" would log to standard error',
      hint: expect.stringContaining('logging.log_file'),
    });
  });

  it('is skipped for a section that the camera refuses', async () => {
    expect(await findingFor({ output: 'nowhere' })).toMatchObject({ verdict: 'skipped' });
  });
});
