import { describe, it } from 'vitest';
import { checkUsually, PROPERTY_LIMIT_MS, SEED } from '../../support/propertyTest.ts';
import { provisionJsonProperties } from './provisionJsonProperties.ts';

describe(`with any bytes (seed ${SEED})`, () => {
  it.each(provisionJsonProperties)('$name', checkUsually, PROPERTY_LIMIT_MS);
});
