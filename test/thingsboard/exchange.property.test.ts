import { describe, it } from 'vitest';
import { checkUsually, PROPERTY_LIMIT_MS, SEED } from '../support/propertyTest.ts';
import { exchangeProperty } from './exchangeProperty.ts';

describe('an exchange', () => {
  it(
    `ends in time with any bytes from the server, and shows none of them (seed ${SEED})`,
    () => checkUsually(exchangeProperty),
    PROPERTY_LIMIT_MS,
  );
});
