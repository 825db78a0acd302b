/** One line of a table: a figure and its goal. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** Maximum of the value; absent: no goal. */
  readonly goal?: number;
  readonly note?: string;
}

export interface Section {
  readonly title: string;
  readonly node: string;
  readonly figures: readonly Figure[];
  /** Why the section was not measured. */
  readonly skipped?: string;
}

const rounded = (value: number): string => (Number.isInteger(value) ? String(value) : value.toFixed(2));

function lineOf({ what, value, unit, goal, note }: Figure): readonly string[] {
  const verdict = goal === undefined ? '' : `${value <= goal ? 'met' : 'MISSED'}: at most ${rounded(goal)}`;
  return [what, `${rounded(value)} ${unit}`.trim(), verdict, note ?? ''];
}

/** The section as a text table. */
export function tableOf({ title, node, figures, skipped }: Section): string {
  const lines = figures.map(lineOf);
  const widths = [0, 1, 2].map((column) => Math.max(0, ...lines.map((line) => line[column]?.length ?? 0)));
  const rows = lines.map((line) =>
    `  ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd(),
  );
  const rest = skipped === undefined ? [] : [`  skipped: ${skipped}`];
  return [`${title} (Node ${node})`, ...rows, ...rest].join('\n');
}
