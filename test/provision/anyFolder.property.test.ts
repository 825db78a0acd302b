import { describe, it } from 'vitest';
import { checkUsually, PROPERTY_LIMIT_MS, SEED } from '../support/propertyTest.ts';
import { anyFolderProperty } from './anyFolderProperty.ts';

describe('with any content of the files of a device', () => {
  it(
    `a start ends with a documented status, and the configuration is old or proven (seed ${SEED})`,
    () => checkUsually(anyFolderProperty),
    PROPERTY_LIMIT_MS,
  );
});
