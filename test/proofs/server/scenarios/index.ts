import type { Scenario } from '../scenario.ts';
import { DOCTOR } from './doctor.ts';
import { FLEET } from './fleet.ts';
import { KILLS } from './kills.ts';
import { LOST_ANSWERS } from './lostAnswers.ts';
import { NAMES } from './names.ts';
import { NORMAL_OPERATION } from './normalOperation.ts';
import { REFUSALS } from './refusals.ts';
import { RPC } from './rpc.ts';
import { SETUP_PROFILE } from './setupProfile.ts';
import { SUCCESS, TLS } from './success.ts';

/** All scenarios, in the order in which they are played. */
export const SCENARIOS: readonly Scenario[] = [
  ...SUCCESS,
  ...DOCTOR,
  ...REFUSALS,
  ...NAMES,
  ...SETUP_PROFILE,
  ...LOST_ANSWERS,
  ...TLS,
  ...NORMAL_OPERATION,
  ...RPC,
  ...KILLS,
  ...FLEET,
];
