/** The states that a run goes through when all goes well, before it is `provisioned`. */
export const STEPS_OF_A_GOOD_RUN = [
  'detect',
  'validate',
  'prepare',
  'request',
  'verifyCredentials',
  'backup',
  'write',
  'finalize',
] as const;
