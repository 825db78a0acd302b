import { externalSettings } from '../../config/provision/externalSettings.ts';
import type { DevicePaths } from '../../device/paths.ts';
import type { Finding, Verdict } from '../../doctor/check.ts';
import { type CheckReport, examine, TRIGGER } from '../../doctor/examine.ts';
import type { Plan } from '../../doctor/plan.ts';
import { EXIT } from '../../failures/exit.ts';
import { boardId } from '../options.ts';
import { type Colour, type Paint, paintDiff, paintFor, printable } from '../terminal/paint.ts';

const MARKS: Readonly<Record<Verdict, readonly [mark: string, colour: Colour]>> = {
  passed: ['✓', 'green'],
  warning: ['!', 'yellow'],
  failed: ['✗', 'red'],
  skipped: ['–', 'dim'],
};
const TITLE_WIDTH = 21;

export interface DoctorOptions {
  readonly plan?: boolean;
  readonly keyCheck: boolean;
  readonly format: 'text' | 'json';
}

/**
 * Prints the result of each check as soon as it is known.
 * @returns the exit status that `run` would end with
 */
export async function runDoctor(paths: DevicePaths, options: DoctorOptions): Promise<number> {
  const examination = examine({
    paths,
    now: Date.now(),
    boardId: boardId(),
    keyCheck: options.keyCheck,
    externalSettings: externalSettings(process.env),
  });
  const paint = paintFor(process.stdout);
  const asText = options.format === 'text';
  const reports: CheckReport[] = [];
  for (const pending of examination.reports) {
    const report = await pending;
    reports.push(report);
    if (asText) process.stdout.write(reportText(report, paint));
  }
  const plan = options.plan === true ? await examination.plan : undefined;
  const exitStatus = firstFailure(reports)?.exitStatus ?? EXIT.OK;
  if (asText) {
    if (options.plan === true) process.stdout.write(planText(plan, paint));
    process.stdout.write(summary(reports, paths, paint));
  } else {
    process.stdout.write(
      `${JSON.stringify(document(reports, exitStatus, options.plan === true ? plan : undefined), null, 2)}\n`,
    );
  }
  return exitStatus;
}

const findingsOf = (reports: readonly CheckReport[]): readonly Finding[] => reports.flatMap(({ findings }) => findings);

const firstFailure = (reports: readonly CheckReport[]): Finding | undefined =>
  findingsOf(reports).find(({ verdict }) => verdict === 'failed');

function reportText({ title, findings }: CheckReport, paint: Paint): string {
  return findings.map((finding, index) => findingText(index === 0 ? title : '', finding, paint)).join('');
}

function findingText(title: string, { verdict, message, hint, code }: Finding, paint: Paint): string {
  const [mark, colour] = MARKS[verdict];
  const text = `${code === undefined ? '' : `${code}: `}${message}`;
  const [first = '', ...more] = printable(text).split('\n');
  const lines = [`${paint(colour, mark)} ${title.padEnd(TITLE_WIDTH)}${first}`, ...more.map((line) => `    ${line}`)];
  if (hint !== undefined) lines.push(`    → ${printable(hint)}`);
  return `${lines.join('\n')}\n`;
}

function planText(plan: Plan | undefined, paint: Paint): string {
  if (plan === undefined) return '\nPlan: unknown until the checks above pass.\n';
  if (plan.diff === '') return `\nPlan: no change of ${printable(plan.file)}.\n`;
  return `\nPlan for ${printable(plan.file)}:\n${paintDiff(plan.diff, paint)}`;
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

function summary(reports: readonly CheckReport[], { deviceFolder, provisionTxt }: DevicePaths, paint: Paint): string {
  const count = (verdict: Verdict): number => findingsOf(reports).filter((one) => one.verdict === verdict).length;
  const warnings = count('warning') === 0 ? '' : `, ${counted(count('warning'), 'warning')}`;
  const failure = firstFailure(reports);
  if (failure === undefined) {
    const verdict = paint('green', 'No problem found');
    const isAsked = reports.some(({ title, findings }) => title === TRIGGER && findings[0]?.verdict === 'passed');
    const ask = isAsked ? '' : `touch ${provisionTxt} && `;
    return `\n${verdict}${warnings}. Next: ${printable(ask)}thermal-provision run --dir ${printable(deviceFolder)}\n`;
  }
  const problems = paint('red', counted(count('failed'), 'problem'));
  return `\n${problems}${warnings}. A run would end with ${failure.exitStatus} (${failure.code}): correct the first ✗, then start doctor again.\n`;
}

/** Keys in alphabetical order, so that two outputs can be compared line by line. */
function document(reports: readonly CheckReport[], exitStatus: number, plan: Plan | undefined): object {
  const checks = reports.flatMap(({ title, findings }) =>
    findings.map(({ code, hint, message, verdict }) => ({
      check: title,
      code: code ?? null,
      hint: hint ?? null,
      message,
      verdict,
    })),
  );
  const shownPlan = plan === undefined ? null : { deviceName: plan.deviceName, diff: plan.diff, file: plan.file };
  return { checks, exitStatus, plan: shownPlan };
}
