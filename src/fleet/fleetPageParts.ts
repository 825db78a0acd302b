/** The style of the fleet's page, in addition to src/report/pageStyle.ts. On a phone each row is a box. */
export const FLEET_STYLE = `
main, body > footer { max-width: 84rem; }
main > section, main > header, main > ul { max-width: 70rem; } main > #all { max-width: none; }
h3 { font-size: 1rem; margin: 0 0 0.3rem; }
button { font: inherit; color: inherit; background: var(--raised); border: 1px solid var(--line); border-radius: 0.4rem; padding: 0.4rem 0.8rem; cursor: pointer; }
button:hover, button[aria-pressed="true"] { border-color: currentcolor; } button[aria-pressed="true"] { box-shadow: 0 0 0 1px currentcolor; }
.tiles { display: flex; flex-wrap: wrap; gap: 0.6rem; list-style: none; margin: 1rem 0; padding: 0; }
.tiles b { font-size: 1.5rem; line-height: 1.2; display: block; } .tiles button { min-width: 6.5rem; text-align: left; }
.message { white-space: pre-wrap; }
.box p:first-child { margin-top: 0; } .box details { margin: 0.5rem 0; }
.names { columns: 16rem; margin: 0.5rem 0; padding-left: 1.2rem; }
.lists { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); gap: 1.2rem 2rem; }
.lists table { width: 100%; } .lists th { text-align: left; font-weight: 400; } .lists td { text-align: right; white-space: nowrap; color: var(--quiet); vertical-align: top; }
.lists th bdi, #cameras bdi, .names bdi { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden; }
table { border-collapse: collapse; } th, td { padding: 0.2rem 0; }
.tools { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; align-items: center; } .tools[hidden] { display: none; }
#search { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: 0.4rem; padding: 0.4rem 0.8rem; flex: 1 1 14rem; max-width: 26rem; min-width: 0; }
#shown { color: var(--quiet); }
#cameras { width: 100%; table-layout: fixed; font-size: 0.875rem; }
#cameras th { position: sticky; top: 0; background: var(--paper); text-align: left; vertical-align: bottom; box-shadow: inset 0 -1px var(--line); }
#cameras th, #cameras td { padding: 0.35rem 0.8rem 0.35rem 0; vertical-align: top; } #cameras td { border-top: 1px solid var(--line); }
#cameras th button { width: 100%; padding: 0.2rem 0; border: 0; background: none; text-align: left; font-weight: 600; }
#cameras th button::after { content: " \\2195"; color: var(--faint); } #cameras th[aria-sort="ascending"] button::after { content: " \\2191"; color: inherit; } #cameras th[aria-sort="descending"] button::after { content: " \\2193"; color: inherit; }
#cameras small { display: block; color: var(--quiet); font-size: 0.8125rem; }
#cameras th:nth-child(1) { width: 22%; } #cameras th:nth-child(2) { width: 7rem; } #cameras th:nth-child(3) { width: 18%; }
#cameras th:nth-child(5), #cameras th:nth-child(7) { width: 7.5rem; } #cameras th:nth-child(6) { width: 6.5rem; } #cameras th:nth-child(8) { width: 6rem; }
@media screen and (max-width: 55rem) {
  #cameras, #cameras tbody { display: block; }
  #cameras thead tr { display: flex; flex-wrap: wrap; gap: 0.4rem; padding: 0.4rem 0; } #cameras thead, #cameras thead th { display: block; }
  #cameras thead tr::before { content: "Sort by"; color: var(--quiet); align-self: center; }
  #cameras thead th, #cameras thead th:nth-child(n) { position: static; width: auto; padding: 0; box-shadow: none; }
  #cameras th button { padding: 0.3rem 0.6rem; border: 1px solid var(--line); border-radius: 0.4rem; font-weight: 400; }
  #cameras tbody tr { display: block; border-top: 1px solid var(--line); padding: 0.5rem 0; }
  #cameras td { display: flex; gap: 0.8rem; padding: 0.05rem 0; border: 0; } #cameras td:empty { display: none; }
  #cameras td:first-child { display: block; font-weight: 600; } #cameras td small { font-weight: 400; }
  #cameras td:not(:first-child)::before { color: var(--quiet); flex: 0 0 5rem; }
  #cameras td:nth-child(2)::before { content: "Status"; } #cameras td:nth-child(3)::before { content: "Code"; } #cameras td:nth-child(4)::before { content: "Server"; } #cameras td:nth-child(5)::before { content: "Last run"; }
  #cameras td:nth-child(6)::before { content: "Took"; } #cameras td:nth-child(7)::before { content: "Seen"; } #cameras td:nth-child(8)::before { content: "Agent"; }
}
@media print { .tiles button { box-shadow: none; } #cameras { font-size: 7.5pt; } #cameras th { position: static; } tr { break-inside: avoid; } #cameras th button::after { content: none; } }
`;

/**
 * Sorts the table by a column, and shows only the rows with the searched words and the chosen status. Rows beyond the
 * first ones are not part of the document, because a phone needs seconds to lay out thousands of rows.
 */
export const FLEET_SCRIPT = `
'use strict';
const table = document.getElementById('cameras');
const body = table.tBodies[0];
let rows = [...body.rows];
const search = document.getElementById('search');
const shown = document.getElementById('shown');
const more = document.getElementById('more');
const filters = [...document.querySelectorAll('.tiles button')];
const texts = new Map();
const textOf = (row) => {
  let text = texts.get(row);
  if (text === undefined) { text = [...row.cells].map((cell) => cell.textContent).join(' ').toLowerCase(); texts.set(row, text); }
  return text;
};
const STEP = 250;
let limit = STEP;
let status = '';
const show = () => {
  const words = search.value.toLowerCase().split(/\\s+/).filter((word) => word !== '');
  const fitting = rows.filter((row) => (status === '' || row.dataset.status === status) && words.every((word) => textOf(row).includes(word)));
  body.replaceChildren(...fitting.slice(0, limit));
  shown.textContent = fitting.length === rows.length ? rows.length + ' cameras' : fitting.length + ' of ' + rows.length + ' cameras';
  const left = fitting.length - limit;
  more.hidden = left <= 0;
  more.textContent = 'Show ' + Math.min(left, STEP) + ' of ' + left + ' more';
  for (const button of filters) button.setAttribute('aria-pressed', String(button.dataset.status === status));
};
const showFirst = () => { limit = STEP; show(); };
let waiting;
search.addEventListener('input', () => { clearTimeout(waiting); waiting = setTimeout(showFirst, 100); });
more.addEventListener('click', () => { limit += STEP; show(); });
for (const button of filters) {
  button.addEventListener('click', () => { status = status === button.dataset.status ? '' : button.dataset.status; showFirst(); });
}
for (const button of document.querySelectorAll('[data-search]')) {
  button.addEventListener('click', () => {
    status = '';
    search.value = button.dataset.search;
    showFirst();
    document.getElementById('all').scrollIntoView();
  });
}
addEventListener('beforeprint', () => { limit = Infinity; show(); });
addEventListener('afterprint', showFirst);
const collator = new Intl.Collator('en', { numeric: true });
const keyOf = (cell, kind) => {
  if (kind === 'text') return cell.textContent;
  return cell.dataset.v === '' ? '' : Number(cell.dataset.v);
};
const sort = (head) => {
  const down = head.getAttribute('aria-sort') === 'ascending';
  for (const other of table.tHead.rows[0].cells) other.removeAttribute('aria-sort');
  head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
  const sign = down ? -1 : 1;
  const kind = head.dataset.kind;
  const keyed = rows.map((row) => ({ row, key: keyOf(row.cells[head.cellIndex], kind) }));
  // Rows without a value are last in both directions.
  keyed.sort((one, other) => (one.key === '') - (other.key === '')
    || sign * (kind === 'text' ? collator.compare(one.key, other.key) : one.key - other.key));
  rows = keyed.map(({ row }) => row);
  showFirst();
};
for (const head of table.tHead.rows[0].cells) {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = head.textContent;
  button.addEventListener('click', () => sort(head));
  head.replaceChildren(button);
}
document.querySelector('.tools').hidden = false;
show();
`;
