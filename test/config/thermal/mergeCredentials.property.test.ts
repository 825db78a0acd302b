import { describe, it } from 'vitest';
import { checkUsually, PROPERTY_LIMIT_MS, SEED } from '../../support/propertyTest.ts';
import { mergeCredentialsProperties } from './mergeCredentialsProperties.ts';

describe(`with any configuration (seed ${SEED})`, () => {
  it.each(mergeCredentialsProperties)('$name', checkUsually, PROPERTY_LIMIT_MS);
});
