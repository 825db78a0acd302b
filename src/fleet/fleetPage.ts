import { type Html, html } from '../report/html.ts';
import { page } from '../report/page.ts';
import { formatTime } from '../report/runView.ts';
import type { StatusWord } from '../status/deviceStatus.ts';
import { duration } from '../time/duration.ts';
import type { Camera } from './camera.ts';
import { type Cause, camerasText, causesOf, countsOf } from './causes.ts';
import { type Fleet, fleetExit, REFUSALS, STATUS_ORDER, severityOf } from './fleet.ts';
import { FLEET_SCRIPT, FLEET_STYLE } from './fleetPageParts.ts';
import { longestUnchanged, longestUnseen, slowest } from './ranking.ts';

export interface FleetPageOptions {
  /** Whether long lists are complete; the table always is. */
  readonly all: boolean;
  /** ms since the epoch */
  readonly now: number;
  /** Of this program. */
  readonly version: string;
}

const MAX_NAMES = 100;
const MAX_REFUSED = 100;

/** Classes of src/report/pageStyle.ts. */
const LOOKS: Readonly<Record<StatusWord, string>> = {
  error: 'failed',
  degraded: 'attention',
  running: 'running',
  'not started': 'none',
  done: 'done',
};

const OVERALL = [
  { look: 'done', text: 'nothing to do' },
  { look: 'failed', text: 'errors' },
  { look: 'attention', text: 'needs attention' },
] as const;

const timeText = (ms: number | null): string => (ms === null ? '' : formatTime(new Date(ms).toISOString()));

/** The fleet as one self-contained page, whose table of all cameras can be sorted and searched. */
export function fleetPage(fleet: Fleet, options: FleetPageOptions): string {
  const { cameras } = fleet;
  const overall = OVERALL[fleetExit(fleet)] ?? OVERALL[1];
  const title = `Fleet: ${camerasText(cameras.length)}`;
  const causes = causesOf(cameras);
  const body = html`<header>
<span class="badge ${overall.look}" role="status">${overall.text}</span>
<h1>${title}</h1>
${olderText(fleet)}
</header>
${tiles(cameras)}
${causes.length === 0 ? undefined : html`<section><h2>Needs somebody</h2>${causes.map((cause) => causeBox(cause, options))}</section>`}
${refusedSection(fleet, options)}
<section><h2>Overview</h2><div class="lists">
${list('By code', countRows(cameras.flatMap(({ problem }) => problem?.code ?? [])))}
${list(
  'Slowest runs',
  cameraRows(slowest(cameras), ({ durationMs }) => duration(durationMs)),
)}
${list(
  'Last run longest ago',
  cameraRows(longestUnchanged(cameras), ({ since }) => timeText(since)),
)}
${list(
  'Seen longest ago',
  cameraRows(longestUnseen(cameras), ({ seenAt }) => timeText(seenAt)),
)}
${list('Version of the agent', countRows(cameras.map(({ agentVersion }) => agentVersion ?? 'no run')))}
</div></section>
${table(cameras)}`;
  const footer = html`Fleet of ${timeText(options.now)}, made by thermal-provision ${options.version}. This page contains no secret.`;
  return page({ title, body, footer, script: FLEET_SCRIPT, style: FLEET_STYLE }).text;
}

const olderText = ({ older }: Fleet): Html | undefined =>
  older === 0 ? undefined : html`<p class="quiet">Older documents of the same cameras, not counted: ${older}.</p>`;

/** The number of cameras in each status. Each shows only these cameras in the table. */
function tiles(cameras: readonly Camera[]): Html {
  const counts = new Map(countsOf(cameras.map(({ status }) => status)));
  const found = STATUS_ORDER.filter((word) => counts.has(word));
  return html`<ul class="tiles">${found.map(
    (word) =>
      html`<li><button type="button" class="${LOOKS[word]}" data-status="${word}" aria-pressed="false"><b>${counts.get(word)}</b> ${word}</button></li>`,
  )}</ul>`;
}

function causeBox({ status, code, server, message, hint, cameras }: Cause, { all }: FleetPageOptions): Html {
  const shown = all ? cameras : cameras.slice(0, MAX_NAMES);
  const left = cameras.length - shown.length;
  return html`<div class="box ${status === 'error' ? 'error' : 'warning'}">
<p><b>${camerasText(cameras.length)}: <code>${code}</code></b>${server === null ? '' : ` on ${server}`}</p>
${message === '' ? undefined : html`<p class="message">${message}</p>`}
${hint === '' ? undefined : html`<p><b>Hint:</b> ${hint}</p>`}
<details><summary>Names</summary><ul class="names">${shown.map(({ name }) => html`<li><bdi>${name}</bdi></li>`)}</ul>${
    left === 0 ? undefined : html`<p class="quiet">And ${left} more, in the table.</p>`
  }</details>
<p class="screen"><button type="button" data-search="${`${code} ${server ?? ''}`.trim()}">Show in the table</button></p>
</div>`;
}

function refusedSection({ refused, refusals }: Fleet, { all }: FleetPageOptions): Html | undefined {
  const kinds = REFUSALS.filter((kind) => refusals[kind] > 0);
  if (kinds.length === 0) return undefined;
  const total = kinds.reduce((sum, kind) => sum + refusals[kind], 0);
  const shown = all ? refused : refused.slice(0, MAX_REFUSED);
  return html`<section><h2>Not counted</h2>
<p>${kinds.map((kind) => `${kind}: ${refusals[kind]}`).join(', ')}</p>
<details><summary>Which inputs</summary><ul>${shown.map(
    ({ source, why }) => html`<li><bdi>${source}</bdi>: ${why}</li>`,
  )}</ul>${total === shown.length ? undefined : html`<p class="quiet">And ${total - shown.length} more.</p>`}</details></section>`;
}

type ListRow = readonly [name: string, value: string];

const countRows = (values: readonly string[]): readonly ListRow[] =>
  countsOf(values)
    .slice(0, 20)
    .map(([value, count]) => [value, String(count)]);

const cameraRows = (cameras: readonly Camera[], value: (camera: Camera) => string): readonly ListRow[] =>
  cameras.map((camera) => [camera.name, value(camera)]);

const list = (title: string, rows: readonly ListRow[]): Html | undefined =>
  rows.length === 0
    ? undefined
    : html`<section><h3>${title}</h3><table>${rows.map(
        ([name, value]) => html`<tr><th scope="row"><bdi>${name}</bdi></th><td>${value}</td></tr>`,
      )}</table></section>`;

/** Columns of the table. `number`: rows are sorted by the number in `data-v`. */
const COLUMNS: readonly (readonly [title: string, kind: 'text' | 'number'])[] = [
  ['Camera', 'text'],
  ['Status', 'number'],
  ['Code', 'text'],
  ['Server', 'text'],
  ['Last run', 'number'],
  ['Took', 'number'],
  ['Seen', 'number'],
  ['Agent', 'text'],
];

function table(cameras: readonly Camera[]): Html {
  return html`<section id="all"><h2>All cameras</h2>
<p class="screen tools" hidden><input id="search" type="search" placeholder="Search" aria-label="Search cameras" autocomplete="off"> <span id="shown" role="status"></span></p>
<table id="cameras"><thead><tr>${COLUMNS.map(([title, kind]) => html`<th scope="col" data-kind="${kind}">${title}</th>`)}</tr></thead>
<tbody>${cameras.map(row)}</tbody></table>
<p class="screen"><button id="more" type="button" hidden></button></p></section>`;
}

function row({ name, source, status, problem, server, since, durationMs, seenAt, agentVersion }: Camera): Html {
  return html`<tr data-status="${status}"><td><bdi>${name}</bdi>${
    source === name ? undefined : html`<small><bdi>${source}</bdi></small>`
  }</td><td class="${LOOKS[status]}" data-v="${severityOf(status)}">${status}</td><td>${problem?.code}</td><td>${server}</td><td data-v="${since}">${timeText(since)}</td><td data-v="${durationMs}">${duration(durationMs)}</td><td data-v="${seenAt}">${timeText(seenAt)}</td><td>${agentVersion}</td></tr>
`;
}
