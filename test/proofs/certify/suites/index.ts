import type { Suite } from '../suite.ts';
import { concurrency } from './concurrency.ts';
import { errorAtEveryCall } from './errorAtEveryCall.ts';
import { killAtEveryCall } from './killAtEveryCall.ts';
import { killInEveryState } from './killInEveryState.ts';
import { networkFaults } from './networkFaults.ts';
import { powerLoss } from './powerLoss.ts';
import { properties } from './properties.ts';
import { security } from './security.ts';
import { selfTests } from './selfTests.ts';
import { soak } from './soak.ts';
import { upgrade } from './upgrade.ts';

/** All suites, in the order in which they run. */
export const suites: readonly Suite[] = [
  killAtEveryCall,
  errorAtEveryCall,
  powerLoss,
  properties,
  networkFaults,
  killInEveryState,
  concurrency,
  upgrade,
  security,
  soak,
  selfTests,
];
