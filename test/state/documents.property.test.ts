import { describe, it } from 'vitest';
import { checkUsually, PROPERTY_LIMIT_MS, SEED } from '../support/propertyTest.ts';
import { documentProperties } from './documentProperties.ts';

describe(`with any content of the agent's own files (seed ${SEED})`, () => {
  it.each(documentProperties)('$name', checkUsually, PROPERTY_LIMIT_MS);
});
