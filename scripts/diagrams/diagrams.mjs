// Draws state-diagrams/ from machines/. With --check it only compares, and fails when the diagrams are stale.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { loadTypeScript } from '../loadTypeScript.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const check = process.argv.includes('--check');

const { machines, chartGraph, mainFlow, toMermaid, toSvg } = await loadTypeScript(`
  import { provisionMachine } from './machines/provision.machine.ts';
  import { telemetryMachine } from './machines/telemetry.machine.ts';
  export * from './scripts/diagrams/chartGraph.ts';
  export * from './scripts/diagrams/drawChart.ts';
  export * from './scripts/diagrams/mermaid.ts';
  export const machines = { provision: provisionMachine, telemetry: telemetryMachine };
`);

const files = new Map();
for (const [name, machine] of Object.entries(machines)) {
  const graph = chartGraph(machine);
  const draw = (file, part) => {
    files.set(`${file}.mmd`, toMermaid(part));
    files.set(`${file}.svg`, toSvg(part));
  };
  const resumes = graph.edges.some(({ kind }) => kind === 'resume');
  draw(name, resumes ? mainFlow(graph) : graph);
  if (resumes) draw(`${name}.resume`, graph);
  files.set(`${name}.json`, `${JSON.stringify(graph, null, 2)}\n`);
}

await mkdir(`${root}state-diagrams`, { recursive: true });
let stale = 0;
for (const [name, content] of files) {
  const path = `${root}state-diagrams/${name}`;
  if (!check) await writeFile(path, content);
  else if ((await readFile(path, 'utf8').catch(() => '')) !== content) {
    console.error(`state-diagrams/${name} is stale: run npm run diagrams`);
    stale += 1;
  }
}
console.log(check ? `${files.size - stale} of ${files.size} diagrams are up to date` : `drew ${files.size} files`);
process.exitCode = stale > 0 ? 1 : 0;
