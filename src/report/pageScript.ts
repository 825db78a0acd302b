/** Scrolls the picture to the main path, then as far as the current state needs. Pointing at a step highlights its state. */
export const POINTING_SCRIPT = `
'use strict';
const point = (event) => {
  const row = event.target instanceof Element ? event.target.closest('[data-state]') : null;
  for (const part of document.querySelectorAll('.pointed')) part.classList.remove('pointed');
  if (row !== null) document.getElementById(row.dataset.state)?.classList.add('pointed');
};
const showCurrent = () => {
  for (const box of document.querySelectorAll('.scroll')) {
    const place = (state) => state.getBoundingClientRect();
    const outer = place(box);
    const path = box.querySelector('.main .state');
    if (path !== null) box.scrollLeft += place(path).left + place(path).width / 2 - outer.left - outer.width / 2;
    const current = box.querySelector('.state[data-mark]:not([data-mark="taken"])');
    if (current === null) continue;
    const { left, right } = place(current);
    box.scrollLeft += Math.max(0, right + 8 - outer.right) + Math.min(0, left - 8 - outer.left);
  }
};
showCurrent();
document.addEventListener('pointerover', point);
document.addEventListener('click', point);
`;

/** Steps through a recording with the arrow keys. */
export const STEPPING_SCRIPT = `${POINTING_SCRIPT}
document.addEventListener('keydown', (event) => {
  const rel = { ArrowLeft: 'prev', ArrowRight: 'next', Home: 'first', End: 'last' }[event.key];
  if (rel === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
  const link = document.querySelector('a[rel="' + rel + '"]');
  if (link !== null) { event.preventDefault(); link.click(); }
});
`;

/** Shows the new content that the server sends. Open details stay open, and the scroll position stays. */
export const LIVE_SCRIPT = `${POINTING_SCRIPT}
const content = document.getElementById('content');
const live = new EventSource('events');
const show = (text) => { document.getElementById('connection').textContent = text; };
let over = false;
live.onopen = () => { over = false; show('live'); };
live.onmessage = (event) => {
  const open = new Set([...content.querySelectorAll('details[open]')].map(({ id }) => id));
  content.innerHTML = JSON.parse(event.data);
  for (const part of content.querySelectorAll('details')) if (open.has(part.id)) part.open = true;
  showCurrent();
  show(over ? 'the agent has ended; this page stays as it is' : 'live');
};
live.addEventListener('end', () => { over = true; live.close(); show('the agent has ended; this page stays as it is'); });
live.onerror = () => { if (!over) show('no connection: the agent has ended or is busy'); };
`;
