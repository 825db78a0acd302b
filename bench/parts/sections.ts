/** The measurements, one function for each section of the output. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { interleaved, type Medians, median } from './interleaved.ts';
import { startLinkProxy } from './linkProxy.ts';
import type { Figure } from './result.ts';
import { timeOf } from './timedProcess.ts';
import type { Workshop } from './workshop.ts';

export interface Bench {
  readonly workshop: Workshop;
  /** Path of node. */
  readonly node: string;
  /** 20, 22, 24, … */
  readonly major: number;
  readonly runs: number;
}

const usesOf = ({ name, ms, leastMs, cpuMs, peakMb }: Medians): readonly Figure[] => [
  { what: `${name}: time`, value: ms, unit: 'ms', note: `least ${leastMs.toFixed(1)} ms` },
  { what: `${name}: CPU`, value: cpuMs, unit: 'ms' },
  { what: `${name}: peak memory`, value: peakMb, unit: 'MB' },
];

const emptyProgram = ({ workshop, node }: Bench) => ({
  name: 'empty program',
  command: async () => ({ node, args: [workshop.empty] }),
});

const wholeRun = ({ workshop, node }: Bench) => ({
  name: 'run',
  command: async () => ({ node, args: [workshop.agent, 'run', '--dir', await workshop.deviceFolder()] }),
});

const measured = ({ workshop, runs }: Bench) => ({ runs, scratch: workshop.scratch, preload: workshop.preload });

/** Compares `run` without provision.txt with an empty program. */
export async function bootWithoutWork(bench: Bench): Promise<readonly Figure[]> {
  const { workshop, node, major } = bench;
  const idle = join(workshop.scratch, 'idle');
  await mkdir(idle, { recursive: true });
  const run = {
    name: 'run without provision.txt',
    command: async () => ({ node, args: [workshop.agent, 'run', '--dir', idle] }),
  };
  const [empty, boot] = await interleaved([emptyProgram(bench), run], measured(bench));
  if (empty === undefined || boot === undefined) return [];
  return [
    ...usesOf(empty),
    ...usesOf(boot),
    { what: 'times an empty program', value: boot.ms / empty.ms, unit: '', ...(major < 22 ? { goal: 1.15 } : {}) },
    { what: 'more than an empty program', value: boot.ms - empty.ms, unit: 'ms', ...(major < 22 ? {} : { goal: 5 }) },
    { what: 'CPU, times an empty program', value: boot.cpuMs / empty.cpuMs, unit: '' },
    { what: 'memory more than an empty program', value: boot.peakMb - empty.peakMb, unit: 'MB', goal: 6 },
  ];
}

/** Compares a run on loopback with a minimal MQTT.js script, and its memory with an empty program. */
export async function provisioning(bench: Bench): Promise<readonly Figure[]> {
  const { workshop, node } = bench;
  const bare = (name: string, script: string) => ({
    name,
    command: async () => ({ node, args: [script, await workshop.deviceFolder()] }),
  });
  const contestants = [
    emptyProgram(bench),
    bare('bare script, bundled', workshop.bareBundled),
    bare('bare script from node_modules', workshop.bare),
    wholeRun(bench),
  ];
  const [empty, bundled, unbundled, run] = await interleaved(contestants, measured(bench));
  if (empty === undefined || bundled === undefined || unbundled === undefined || run === undefined) return [];
  return [
    ...[empty, bundled, unbundled, run].flatMap(usesOf),
    { what: 'run: times the bare script, bundled', value: run.ms / bundled.ms, unit: '', goal: 1.25 },
    { what: 'run: times the bare script from node_modules', value: run.ms / unbundled.ms, unit: '', goal: 1.25 },
    { what: 'run: CPU, times the bare script, bundled', value: run.cpuMs / bundled.cpuMs, unit: '' },
    { what: 'run: memory more than an empty program', value: run.peakMb - empty.peakMb, unit: 'MB', goal: 20 },
  ];
}

const LINKS_MS = [0, 100, 300];
/** For TCP. TLS needs one round trip more and has no goal. */
const GOAL_ROUND_TRIPS = 5;

/** Runs over links with long round trips. */
async function overSlowLink({ workshop, node, runs }: Bench, useSsl: boolean): Promise<readonly Figure[]> {
  const rounds = Math.max(3, Math.ceil(runs / 4));
  const times = LINKS_MS.map((): number[] => []);
  let counted = 0;
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, roundTripMs] of LINKS_MS.entries()) {
      const targetPort = useSsl ? workshop.tlsPort : workshop.port;
      const proxy = await startLinkProxy({ targetPort, roundTripMs, isMqtt: !useSsl });
      try {
        const folder = await workshop.deviceFolder({ port: proxy.port, useSsl });
        times[index]?.push(await timeOf({ node, args: [workshop.agent, 'run', '--dir', folder] }));
        if (roundTripMs > 0) counted = Math.max(counted, proxy.roundTrips());
      } finally {
        await proxy.close();
      }
    }
  }
  const [none = 0, ...slow] = times.map(median);
  const [name, goal] = useSsl ? ['TLS', {}] : ['TCP', { goal: GOAL_ROUND_TRIPS }];
  return [
    { what: `${name}: without delay`, value: none, unit: 'ms' },
    ...slow.flatMap((ms, index): readonly Figure[] => {
      const link = LINKS_MS[index + 1] ?? 1;
      return [
        { what: `${name}: round trip of ${link} ms`, value: ms, unit: 'ms' },
        { what: `${name}: round trip of ${link} ms, in round trips`, value: (ms - none) / link, unit: '', ...goal },
      ];
    }),
    // In TLS the proxy can't distinguish an answer from a session ticket, for which the client does not wait.
    ...(useSsl ? [] : [{ what: `${name}: round trips by cause`, value: counted, unit: '', ...goal }]),
  ];
}

export const slowNetwork = async (bench: Bench): Promise<readonly Figure[]> => [
  ...(await overSlowLink(bench, false)),
  ...(await overSlowLink(bench, true)),
];
