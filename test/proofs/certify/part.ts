/** A part of a suite: enough to repeat a violation, or to show what a missing protection breaks. */
export interface Part {
  /** Only scenarios with such a name; of `properties`, the properties. */
  readonly scenario: RegExp;
  /** Only trials with such a text, as it stands before a violation. */
  readonly trial: RegExp;
}

/** What `main.ts` was told. @param trial likewise; absent: all of them */
export const partOf = (scenario: string | undefined, trial: string | undefined): Part | undefined =>
  scenario === undefined && trial === undefined
    ? undefined
    : { scenario: new RegExp(scenario ?? ''), trial: new RegExp(trial ?? '') };

/** Those that belong to the part. @param part absent: all */
export const scenariosIn = <Scenario extends { readonly name: string }>(
  scenarios: readonly Scenario[],
  part: Part | undefined,
): readonly Scenario[] => scenarios.filter(({ name }) => part?.scenario.test(name) ?? true);

/** @param text of a trial */
export const isInPart = (text: string, part: Part | undefined): boolean => part?.trial.test(text) ?? true;
