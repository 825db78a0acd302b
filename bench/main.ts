/** npm run bench: costs of a boot, a run and normal operation, compared with their goals (docs/performance.md). */

import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { durability, hasStrace } from './parts/durability.ts';
import { normalOperation } from './parts/normalOperation.ts';
import { type Section, tableOf } from './parts/result.ts';
import { resume } from './parts/resume.ts';
import { type Bench, bootWithoutWork, provisioning, slowNetwork } from './parts/sections.ts';
import { openWorkshop } from './parts/workshop.ts';

const HELP = `npm run bench -- [options]
  --runs N        interleaved runs of each program (default 21)
  --only NAME     ${'boot, run, network, durability, resume or normal'}; may be repeated (default: all but normal)
  --node PATH     Node.js executable; may be repeated (default: this one)
  --minutes N     duration of the measurement of normal operation (default 10)
  --agent PATH    main.js of the agent (default: a new build for the Debian package)
  --json FILE     write the figures as JSON
`;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '21' },
    only: { type: 'string', multiple: true, default: ['boot', 'run', 'network', 'durability', 'resume'] },
    node: { type: 'string', multiple: true, default: [process.execPath] },
    minutes: { type: 'string', default: '10' },
    agent: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

const MEASUREMENTS: Readonly<
  Record<string, { readonly title: string; measure(bench: Bench): Promise<Section['figures']> }>
> = {
  boot: { title: 'Boot without work', measure: bootWithoutWork },
  run: { title: 'Provisioning on loopback, and its memory', measure: provisioning },
  network: { title: 'Provisioning over a slow network', measure: slowNetwork },
  durability: { title: 'Cost of durability', measure: durability },
  resume: { title: 'Resume', measure: resume },
  normal: { title: 'Normal operation', measure: (bench) => normalOperation(bench, Number(values.minutes)) },
};

/** The project's root, where npm runs scripts. */
const ROOT = process.cwd();

const load = (): string =>
  loadavg()
    .map((value) => value.toFixed(1))
    .join(' ');

async function main(): Promise<void> {
  const machine = {
    cpu: cpus()[0]?.model ?? '?',
    cores: cpus().length,
    memoryMb: Math.round(totalmem() / 2 ** 20),
    kernel: release(),
  };
  const loadBefore = load();
  console.log(
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryMb} MB, Linux ${machine.kernel}; load ${loadBefore}`,
  );
  console.log(`medians of ${values.runs} interleaved runs\n`);
  const workshop = await openWorkshop(ROOT, values.agent === undefined ? undefined : resolve(values.agent));
  const sections: Section[] = [];
  try {
    for (const name of values.only) {
      const measurement = MEASUREMENTS[name];
      if (measurement === undefined) throw new Error(`--only ${name} is unknown\n${HELP}`);
      for (const node of values.node) {
        const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim().slice(1);
        const bench: Bench = { workshop, node, major: Number.parseInt(version, 10), runs: Number(values.runs) };
        const missing =
          name === 'durability' && !hasStrace() ? 'strace is not installed (apt-get install strace)' : undefined;
        const figures = missing === undefined ? await measurement.measure(bench) : [];
        const section = {
          title: measurement.title,
          node: version,
          figures,
          ...(missing === undefined ? {} : { skipped: missing }),
        };
        sections.push(section);
        console.log(`${tableOf(section)}\n`);
      }
    }
  } finally {
    await workshop.close();
  }
  console.log(`load now ${load()}`);
  if (values.json === undefined) return;
  const document = { machine, loadBefore, loadAfter: load(), runs: Number(values.runs), sections };
  await writeFile(values.json, `${JSON.stringify(document, null, 2)}\n`);
}

if (values.help) console.log(HELP);
else await main();
