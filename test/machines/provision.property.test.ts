import { describe, it } from 'vitest';
import { checkUsually, PROPERTY_LIMIT_MS, SEED } from '../support/propertyTest.ts';
import { boundedRunProperty } from './boundedRunProperty.ts';

describe('with any results of the effects', () => {
  it(
    `the run ends, in bounded steps, and keeps its promises on the way (seed ${SEED})`,
    () => checkUsually(boundedRunProperty),
    PROPERTY_LIMIT_MS,
  );
});
