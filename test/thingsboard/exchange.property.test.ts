import { describe, it } from 'vitest';
import { checkUsually, PROPERTY_LIMIT_MS, SEED } from '../support/propertyTest.ts';
import { exchangeProperty } from './exchangeProperty.ts';

describe('an exchange', () => {
  it(
    `ends in time, whatever bytes the server sends, and shows nothing of them (seed ${SEED})`,
    () => checkUsually(exchangeProperty),
    PROPERTY_LIMIT_MS,
  );
});
