import type { RecordedRun } from '../history/recordedRuns.ts';
import { type Html, html } from './html.ts';
import { type Page, page } from './page.ts';
import { STEPPING_SCRIPT } from './pageScript.ts';
import { recordedView } from './recording.ts';
import { eventsSection, runBody } from './runSections.ts';
import { formatTime } from './runView.ts';

/** A number from the page's address, limited to a valid range. */
function limited(text: string | null, least: number, most: number, otherwise: number): number {
  const number = text !== null && /^\d{1,9}$/.test(text) ? Number(text) : otherwise;
  return Math.min(most, Math.max(least, number));
}

const link = (run: number, step: number, rel: string, text: string, possible: boolean): Html =>
  possible ? html`<a rel="${rel}" href="?run=${run}&step=${step}">${text}</a>` : html`<span class="off">${text}</span>`;

/**
 * A recorded run at one of its log lines. In the query, `run` is the number of the run in the file and `step` the number
 * of the line in the run, both from 1. Without a query, the page shows the first line of the latest run.
 * @param version of this program
 */
export function recordingPage(
  file: string,
  runs: readonly RecordedRun[],
  query: URLSearchParams,
  version: string,
): Page {
  const run = limited(query.get('run'), 1, runs.length, runs.length);
  const recording = runs[run - 1] ?? { runId: null, records: [] };
  const count = recording.records.length;
  const step = limited(query.get('step'), 1, Math.max(1, count), 1);
  const view = recordedView(recording, step);
  const others = runs.map(({ runId, records }, index) => {
    const [first] = records;
    const name = `${runId ?? 'without a run identifier'}${first === undefined ? '' : `, ${formatTime(first.time)}`}`;
    return index === run - 1 ? html`<li><b>${name}</b></li>` : html`<li><a href="?run=${index + 1}">${name}</a></li>`;
  });
  return page({
    title: `Run ${recording.runId ?? ''}, line ${step} of ${count}`,
    body: html`<nav aria-label="Steps">
${link(run, 1, 'first', '⇤ start', step > 1)}
${link(run, step - 1, 'prev', '← back', step > 1)}
<span>line ${step} of ${count}</span>
${link(run, step + 1, 'next', 'next →', step < count)}
${link(run, count, 'last', 'end ⇥', step < count)}
</nav>
${runBody(`Run ${recording.runId ?? ''}`, view, eventsSection(view.events.toReversed(), 'events', 'Log up to this line, newest first', true))}
${runs.length < 2 ? undefined : html`<section><h2>Runs in this file</h2><ul>${others}</ul></section>`}`,
    footer: html`Recorded in ${file} · shown by thermal-provision ${version}`,
    script: STEPPING_SCRIPT,
  });
}
