/** A part of a suite, for repeating a violation or for a self-test. */
export interface Part {
  /** Pattern for the names of the scenarios; for the suite `properties`, of the properties. */
  readonly scenario: RegExp;
  /** Pattern for the texts of the trials, as printed before a violation. */
  readonly trial: RegExp;
}

/** The part for two options of `main.ts`. @param scenario a pattern; absent: all @param trial a pattern; absent: all */
export const partOf = (scenario: string | undefined, trial: string | undefined): Part | undefined =>
  scenario === undefined && trial === undefined
    ? undefined
    : { scenario: new RegExp(scenario ?? ''), trial: new RegExp(trial ?? '') };

/** The scenarios of a part. @param part absent: all scenarios */
export const scenariosIn = <Scenario extends { readonly name: string }>(
  scenarios: readonly Scenario[],
  part: Part | undefined,
): readonly Scenario[] => scenarios.filter(({ name }) => part?.scenario.test(name) ?? true);

/** Whether a trial belongs to a part. @param text text of the trial */
export const isInPart = (text: string, part: Part | undefined): boolean => part?.trial.test(text) ?? true;
