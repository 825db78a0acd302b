import { describe, it } from 'vitest';
import { checkUsually, PROPERTY_LIMIT_MS, SEED } from '../support/propertyTest.ts';
import { boundedRunProperty } from './boundedRunProperty.ts';

describe('whatever the outcomes of the effects are', () => {
  it(
    `the run ends, in bounded steps, and keeps its promises on the way (seed ${SEED})`,
    () => checkUsually(boundedRunProperty),
    PROPERTY_LIMIT_MS,
  );
});
