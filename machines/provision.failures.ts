/** A failure that the chart itself finds, without words: `wordedFailure` in src/failures adds them. */
export type ChartFailure =
  | {
      readonly code: 'DEVICE_NAME_TAKEN';
      readonly situation:
        | 'taken'
        | 'perhapsOurs'
        | 'otherSecret'
        | 'ownName'
        | 'ownNameCreates'
        | 'ownNameChecks'
        | 'ownNamePerhapsOurs';
      readonly facts: { readonly server: string; readonly name: string };
    }
  | {
      readonly code: 'PROVISIONING_REFUSED';
      readonly situation: 'allNames' | 'perhapsOurs';
      readonly facts: { readonly server: string; readonly name: string; readonly others: number };
    }
  | {
      readonly code: 'CONFIG_KEEPS_CHANGING';
      readonly situation: 'duringRun';
      readonly facts: { readonly times: number };
    }
  | { readonly code: 'CONFIG_NOT_WRITTEN'; readonly situation: 'backupPutBack'; readonly facts: Record<never, never> }
  | { readonly code: 'RESUME_LOOP'; readonly situation: 'noProgress'; readonly facts: { readonly resumes: number } }
  | { readonly code: 'RUN_TIME_LIMIT'; readonly situation: 'tooLong'; readonly facts: Record<never, never> }
  | {
      readonly code: 'RUN_TIME_LIMIT';
      readonly situation: 'afterTrouble';
      /** Message and hint of the latest failure that an effect reported. */
      readonly facts: { readonly trouble: string; readonly advice: string };
    }
  | { readonly code: 'INTERNAL'; readonly situation: 'effect'; readonly facts: { readonly event: string } };
