import { describe, expect, it } from 'vitest';
import { answers, failureAnswer, nameOf, notRegistered, registered, unknownOutcome } from '../support/chartAnswers.ts';
import { startChart } from '../support/chartRun.ts';
import { modelServer } from '../support/modelServer.ts';
import { checkUsually, PROPERTY_LIMIT_MS, SEED } from '../support/propertyTest.ts';
import { exactlyOneProperty, LATEST_COMMIT } from './exactlyOneProperty.ts';

describe('exactly one device', () => {
  it(
    `is on the server after a successful run, and never two, with power losses, lost and late answers (seed ${SEED})`,
    () => checkUsually(exactlyOneProperty),
    PROPERTY_LIMIT_MS,
  );

  it('keeps its own name, not the next one, when the commit is as late as possible', async () => {
    const server = modelServer(new Set());
    const run = startChart();
    await run.until('request');
    const sentAt = run.now();
    server.request(1, sentAt, { arrives: true, answered: false, limited: false, commitsAfter: LATEST_COMMIT });
    await run.answer('request', unknownOutcome);
    await run.answer('reconcile', notRegistered);
    await run.wait(1000);
    // Refused for another reason, e.g. the tenant's limit: FAILURE does not tell about the first request.
    await run.answer('request', failureAnswer);
    while (run.state() !== 'verifyCredentials') {
      if (run.underWay() === 'reconcile') {
        await run.answer('reconcile', server.knows(1, run.now()) ? registered : notRegistered);
      } else {
        await run.wait(run.pauseLeft() ?? 0);
      }
    }
    expect(run.context().granted?.deviceName).toBe(nameOf(1));
    expect(run.input('verifyCredentials').settingsDigest).toBe(answers.validate(0, {}).settings.digest);
  });
});
