import { provisionJsonProperties } from '../../../config/provision/provisionJsonProperties.ts';
import { mergeCredentialsProperties } from '../../../config/thermal/mergeCredentialsProperties.ts';
import { boundedRunProperty } from '../../../machines/boundedRunProperty.ts';
import { exactlyOneProperty } from '../../../machines/exactlyOneProperty.ts';
import { anyFolderProperty } from '../../../provision/anyFolderProperty.ts';
import { documentProperties } from '../../../state/documentProperties.ts';
import type { Property } from '../../../support/property.ts';
import { exchangeProperty } from '../../../thingsboard/exchangeProperty.ts';
import { provisionResponseProperty } from '../../../thingsboard/provisionResponseProperty.ts';

export interface CertifiedProperty {
  readonly property: Property;
  /** Number of cases in a child process, and number of such processes. */
  readonly cases: number;
  readonly lots: number;
}

const certified =
  (cases: number, lots: number) =>
  (property: Property): CertifiedProperty => ({
    property,
    cases,
    lots,
  });

/** The slowest properties first, so that no worker starts one at the end. */
export const allProperties: readonly CertifiedProperty[] = [
  ...[anyFolderProperty].map(certified(300, 4)),
  ...[exactlyOneProperty, boundedRunProperty].map(certified(1800, 3)),
  ...[exchangeProperty].map(certified(2000, 1)),
  ...documentProperties.map(certified(5000, 1)),
  ...mergeCredentialsProperties.map(certified(10_000, 1)),
  ...provisionJsonProperties.map(certified(20_000, 1)),
  ...[provisionResponseProperty].map(certified(50_000, 1)),
];
