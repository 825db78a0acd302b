/** The style of every page, for phones, dark and light screens, and print. */
export const PAGE_STYLE = `
:root { color-scheme: light dark;
  --paper: #fff; --raised: #f6f8fa; --ink: #1f2328; --quiet: #59636e; --line: #d1d9e0; --faint: #afb8c1;
  --blue: #0969da; --green: #1a7f37; --amber: #9a6700; --red: #cf222e; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #0d1117; --raised: #161b22; --ink: #e6edf3; --quiet: #9198a1; --line: #3d444d; --faint: #656c76;
  --blue: #4493f8; --green: #3fb950; --amber: #d29922; --red: #f85149; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
main, body > footer { max-width: 70rem; margin: 0 auto; padding: 0 1rem; }
header { padding: 1.25rem 0 0.5rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0.5rem 0; }
h2 { font-size: 1.125rem; margin: 2rem 0 0.5rem; }
p { margin: 0.5rem 0; }
a { color: var(--blue); }
code, pre, time { font-family: ui-monospace, "Liberation Mono", monospace; font-size: 0.875em; }
.badge { display: inline-block; padding: 0.1rem 0.7rem; border-radius: 1rem; border: 2px solid currentcolor; font-weight: 600; }
.running, .waiting { color: var(--blue); } .done { color: var(--green); }
.attention { color: var(--amber); } .failed { color: var(--red); } .none { color: var(--quiet); }
.quiet { color: var(--quiet); }
.box { background: var(--raised); border: 1px solid var(--line); border-left: 0.3rem solid var(--quiet); border-radius: 0.4rem; padding: 0.6rem 1rem; margin: 1rem 0; }
.box.error { border-left-color: var(--red); } .box.next { border-left-color: var(--blue); } .box.warning { border-left-color: var(--amber); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.2rem 1rem; margin: 0.5rem 0; }
dt { color: var(--quiet); } dd { margin: 0; min-width: 0; }
ol.steps { list-style: none; margin: 0; padding: 0; }
ol.steps > li { display: grid; grid-template-columns: 1fr max-content; gap: 0 1rem; padding: 0.45rem 0; border-top: 1px solid var(--line); }
ol.steps b { font-weight: 600; } ol.steps .duration { text-align: right; }
ol.steps > li > .wide { grid-column: 1 / -1; }
ol.steps svg { display: block; width: 100%; height: 4px; } ol.steps rect { fill: var(--blue); }
li.current b { color: var(--blue); } li.failed b { color: var(--red); } li.done b { color: var(--green); } li.attention b { color: var(--amber); }
li.failed rect { fill: var(--red); }
.tag { border: 1px solid var(--line); border-radius: 0.3rem; padding: 0 0.4rem; font-size: 0.8125rem; color: var(--quiet); white-space: nowrap; }
.tag.again { color: var(--amber); border-color: currentcolor; }
figure { margin: 0; } figcaption { color: var(--quiet); font-size: 0.875rem; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 0.4rem; }
.scroll > svg { display: block; width: 100%; min-width: 50rem; max-width: 60rem; height: auto; margin: 0 auto; }
.scroll > svg text { fill: var(--quiet); } .scroll > svg .title { fill: var(--ink); font-size: 14px; font-weight: bold; }
.scroll > svg rect { fill: var(--raised); stroke: var(--line); } .scroll > svg .transient rect { stroke-dasharray: 5 3; }
.scroll > svg path { fill: none; stroke: var(--faint); } .scroll > svg polygon, .scroll > svg circle { fill: var(--faint); }
.scroll > svg .main path { stroke-width: 2.5; } .scroll > svg .main rect { stroke: var(--faint); stroke-width: 1.5; }
.scroll > svg [data-mark] path, .scroll > svg [data-mark] rect { stroke: var(--mark); stroke-width: 3; }
.scroll > svg [data-mark] polygon, .scroll > svg .edge[data-mark] text { fill: var(--mark); }
.scroll > svg .state[data-mark] text { fill: var(--ink); }
.scroll > svg .state[data-mark]:not([data-mark="taken"]) rect { stroke-width: 4; fill: var(--mark); fill-opacity: 0.2; }
.scroll > svg .pointed rect { stroke: var(--ink); stroke-width: 4; }
[data-mark] { --mark: var(--blue); } [data-mark="done"] { --mark: var(--green); }
[data-mark="attention"] { --mark: var(--amber); } [data-mark="failed"] { --mark: var(--red); }
ol.events { list-style: none; margin: 0; padding: 0; }
ol.events > li { padding: 0.35rem 0; border-top: 1px solid var(--line); }
ol.events .warn { color: var(--amber); } ol.events .error { color: var(--red); }
details { margin: 1rem 0; } summary { cursor: pointer; font-weight: 600; }
pre { white-space: pre-wrap; background: var(--raised); border: 1px solid var(--line); border-radius: 0.4rem; padding: 0.75rem; margin: 0.5rem 0; }
nav { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; align-items: center; padding: 0.75rem 0 0; }
nav a, nav .off { display: inline-block; min-width: 2.75rem; padding: 0.35rem 0.8rem; text-align: center; border: 1px solid var(--line); border-radius: 0.4rem; text-decoration: none; }
nav .off { color: var(--quiet); border-style: dashed; }
body > footer { color: var(--quiet); font-size: 0.875rem; padding-top: 1rem; padding-bottom: 2rem; margin-top: 2rem; border-top: 1px solid var(--line); }
@media (max-width: 30rem) { dl { gap: 0.2rem 0.75rem; } dt { font-size: 0.875rem; line-height: 1.5rem; }
  nav { gap: 0.5rem; } nav > span:not(.off) { order: -1; flex-basis: 100%; } nav a, nav .off { flex: 1; min-width: 0; padding: 0.35rem 0.25rem; white-space: nowrap; } }
@media screen and (min-width: 75rem) { main, body > footer { max-width: 84rem; } header p, .box { max-width: 60rem; }
  .columns { display: grid; grid: "facts chart" auto "steps chart" 1fr / minmax(0, 1fr) 48rem; column-gap: 2rem; }
  .columns > * { grid-area: steps; } .columns > .facts { grid-area: facts; } .columns > .chart { grid-area: chart; }
  .scroll > svg { min-width: 0; } }
@media print {
  :root { --paper: #fff; --raised: #fff; --ink: #000; --quiet: #444; --line: #bbb; --faint: #999; --blue: #0550ae; --green: #116329; --amber: #7d4e00; --red: #a40e26; }
  body { font-size: 10pt; } nav, .screen { display: none; } .box, li, dl { break-inside: avoid; } h2 { break-after: avoid; }
  .scroll { overflow: visible; border: 0; } .scroll > svg { min-width: 0; max-height: 24cm; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
