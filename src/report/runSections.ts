import { workedMs } from '../history/runHistory.ts';
import { duration } from '../time/duration.ts';
import { chartPicture, pathMarks } from './chartPicture.ts';
import { type Html, html } from './html.ts';
import { type EventView, formatTime, type Outcome, type RunView, type StepView } from './runView.ts';

const WORDS: Readonly<Record<Outcome, string>> = {
  none: 'not started',
  running: 'running',
  waiting: 'interrupted',
  done: 'done',
  attention: 'needs attention',
  failed: 'failed',
};

/** Continues a sentence after "<state>, where the run". */
const WHERE: Readonly<Record<Outcome, string>> = {
  none: 'ended',
  running: 'is now',
  waiting: 'was last seen',
  done: 'ended',
  attention: 'ended',
  failed: 'ended',
};

/** `2026-11-23 11:51:44 UTC`. */
export function timeElement(iso: string): Html {
  return html`<time datetime="${iso}">${formatTime(iso)}</time>`;
}

/** The content of every page about a run: status, facts, chart and timeline. @param details sections of this page */
export function runBody(title: string, view: RunView, details: Html): Html {
  return html`${headSection(title, view)}
<div class="columns"><section class="facts"><h2>Overview</h2>${factsSection(view.facts)}</section>
${chartSection(view)}
${stepsSection(view)}</div>
<section><h2>Details</h2>
${details}</section>`;
}

/** Title, status, and what to do. */
function headSection(title: string, view: RunView): Html {
  return html`<header>
<span class="badge ${view.outcome}" role="status">${WORDS[view.outcome]}</span>
<h1><bdi>${title}</bdi></h1>
<p>${view.summary}</p>
</header>
${view.error === null ? undefined : errorBox(view.error)}
${view.next === '' ? undefined : html`<div class="box next"><b>Next:</b> ${view.next}${view.command === '' ? undefined : html`<pre>${view.command}</pre>`}</div>`}
${view.warnings.map((warning) => html`<div class="box warning"><b>Warning:</b> ${warning}</div>`)}`;
}

function errorBox({ code, message, hint, causes }: NonNullable<RunView['error']>): Html {
  return html`<section class="box error" aria-label="Error">
<p><b><code>${code}</code></b></p>
<p>${message}</p>
${hint === '' ? undefined : html`<p><b>Hint:</b> ${hint}</p>`}
${causes.length === 0 ? undefined : html`<p class="quiet">Cause: ${causes.join(' ← ')}</p>`}
</section>`;
}

function factsSection(facts: RunView['facts']): Html {
  return html`<dl>${facts.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

/** The chart with the path of the run. */
function chartSection({ chart, steps, outcome }: RunView): Html {
  const marks = pathMarks(
    chart,
    steps.map(({ state }) => state),
    outcome,
  );
  const last = steps.at(-1)?.state;
  const caption =
    last === undefined
      ? 'No state has been entered yet.'
      : `Coloured lines: the path of the run. Thickest frame: ${last}, where the run ${WHERE[outcome]}.`;
  return html`<section class="chart"><h2>The chart${chart === 'provision' ? '' : ` of ${chart}`}</h2>
<figure><div class="scroll" tabindex="0" role="group" aria-label="Statechart, scrolls sideways">${chartPicture(chart, marks)}</div>
<figcaption>${caption}${chart === 'provision' ? ' Errors without an arrow lead to "failed".' : ''}</figcaption></figure>
</section>`;
}

/** Every state of the run, with duration and count. */
function stepsSection({ chart, steps, outcome }: RunView): Html {
  if (steps.length === 0) return html`<section><h2>Timeline</h2><p class="quiet">No step is recorded.</p></section>`;
  const longest = Math.max(1, ...steps.map(({ durationMs }) => durationMs ?? 0));
  const rows = steps.map((step, index) => {
    const sameDay = steps[index - 1]?.enteredAt.slice(0, 10) === step.enteredAt.slice(0, 10);
    return stepRow({ chart, step, longest, sameDay, outcome: index === steps.length - 1 ? outcome : undefined });
  });
  return html`<section><h2>Timeline</h2>
<p class="quiet">${steps.length} ${steps.length === 1 ? 'step' : 'steps'}, ${duration(workedMs(steps))} measured${repeats(steps)}.</p>
<ol class="steps">${rows}</ol></section>`;
}

function repeats(steps: readonly StepView[]): string {
  const retries = steps.filter(({ state }) => state === 'backoff').length;
  const resumes = steps.filter(({ resumed }) => resumed).length;
  const parts = [
    ...(retries === 0 ? [] : [`${retries} ${retries === 1 ? 'pause' : 'pauses'} before the next try`]),
    ...(resumes === 0 ? [] : [`${resumes} ${resumes === 1 ? 'interruption' : 'interruptions'}`]),
  ];
  return parts.length === 0 ? '' : `, ${parts.join(', ')}`;
}

const LAST_ROW: Readonly<Partial<Record<Outcome, string>>> = {
  running: 'current',
  waiting: 'current',
  done: 'done',
  attention: 'attention',
  failed: 'failed',
};

function durationText(step: StepView, outcome: Outcome | undefined): string {
  if (step.durationMs !== null) return duration(step.durationMs);
  if (outcome === undefined || outcome === 'waiting') return 'interrupted';
  return outcome === 'running' ? 'now' : '';
}

interface StepRow {
  readonly chart: string;
  readonly step: StepView;
  /** Duration of the longest step, ms. */
  readonly longest: number;
  /** Whether the row above has the same date. */
  readonly sameDay: boolean;
  /** Outcome of the run; only in the last row. */
  readonly outcome: Outcome | undefined;
}

function stepRow({ chart, step, longest, sameDay, outcome }: StepRow): Html {
  const shownTime = step.enteredAt.slice(sameDay ? 11 : 0, 23).replace('T', ' ');
  const kind = outcome === undefined ? '' : (LAST_ROW[outcome] ?? '');
  const width = Math.max(0.5, ((step.durationMs ?? 0) / longest) * 100).toFixed(1);
  return html`<li class="${kind}" data-state="${chart}-state-${step.state}">
<span><b>${step.state}</b>${step.attempt > 1 ? html` <span class="tag again">time ${step.attempt}</span>` : undefined}${step.resumed ? html` <span class="tag">resumed</span>` : undefined}</span>
<span class="duration">${durationText(step, outcome)}</span>
<span class="wide quiet"><time datetime="${step.enteredAt}">${shownTime} UTC</time>${step.note === '' ? undefined : html` · ${step.note}`}</span>
${step.durationMs === null ? undefined : html`<span class="wide"><svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true"><rect width="${width}" height="1"/></svg></span>`}
</li>`;
}

/** @param id of the details element; a live page uses it to keep the element open */
export function eventsSection(events: readonly EventView[], id: string, title: string, open = false): Html {
  const rows = events.map(
    ({ time, level, name, text }) =>
      html`<li>${timeElement(time)} <code class="${level}">${name}</code>${text === '' ? undefined : html`<br>${text}`}</li>`,
  );
  const body = rows.length === 0 ? html`<p class="quiet">None.</p>` : html`<ol class="events">${rows}</ol>`;
  return html`<details id="${id}"${open ? html` open` : undefined}><summary>${title} (${events.length})</summary>${body}</details>`;
}

export function contextSection(context: string | null, id: string): Html | undefined {
  if (context === null) return undefined;
  return html`<details id="${id}"><summary>Context of the chart</summary><pre>${context}</pre></details>`;
}
