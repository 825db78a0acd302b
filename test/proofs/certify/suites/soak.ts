import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Simulator, startSimulator } from '../../../../src/simulator/simulator.ts';
import { DEVICE_KEY, DEVICE_SECRET } from '../../../support/server.ts';
import { buildChildProgram, type ChildProgram } from '../childProgram.ts';
import { inParallel } from '../inParallel.ts';
import type { SoakResult } from '../soak/soakResult.ts';
import type { Suite, SuiteOptions, SuiteResult } from '../suite.ts';

const LIMIT_MS = 900_000;
const PROVISIONINGS = 2000;

interface Soak {
  readonly kind: 'provision' | 'telemetry' | 'folder';
  /** Number of provisionings, of simulated hours, or of runs in the folder. */
  readonly count: number;
}

const soaksOf = ({ full }: SuiteOptions): readonly Soak[] => [
  { kind: 'provision', count: full ? 5 * PROVISIONINGS : PROVISIONINGS },
  { kind: 'telemetry', count: full ? 7 * 24 : 24 },
  { kind: 'folder', count: full ? 400 : 100 },
];

function resultIn(output: string): SoakResult | undefined {
  const line = output.split('\n').findLast((text) => text.startsWith('{"runs":'));
  return line === undefined ? undefined : JSON.parse(line);
}

async function carryOut(program: ChildProgram, soak: Soak, server: Simulator, folder: string): Promise<SoakResult> {
  await mkdir(folder);
  const args = [soak.kind, folder, String(server.port), String(soak.count)];
  const { status, output } = await program.run(args, LIMIT_MS, ['--expose-gc', '--no-opt']);
  const result = resultIn(output);
  if (status === 0 && result !== undefined) return result;
  return { runs: 0, problems: [`ended with ${status}: ${output.slice(-500)}`] };
}

async function run(options: SuiteOptions): Promise<SuiteResult> {
  const soaks = soaksOf(options).filter(({ kind }) => options.part?.scenario.test(kind) ?? true);
  const violations: string[] = [];
  const servers: Simulator[] = [];
  const program = await buildChildProgram('soak', 'test/proofs/certify/soak/soakProgram.ts');
  let runs = 0;
  try {
    await inParallel(
      soaks,
      options.workers,
      async (soak) => {
        const server = await startSimulator({ deviceKey: DEVICE_KEY, deviceSecret: DEVICE_SECRET });
        servers.push(server);
        const progress = setInterval(() => options.progress(server.registry.size, soak.count), 5000);
        const result = await carryOut(program, soak, server, join(options.scratch, soak.kind));
        clearInterval(progress);
        runs += result.runs;
        violations.push(...result.problems.map((problem) => `${soak.kind}: ${problem}`));
        const { size } = server.registry;
        if (soak.kind !== 'telemetry' && size !== soak.count) {
          violations.push(`${soak.kind}: ${soak.count} runs made ${size} devices`);
        }
      },
      options.progress,
    );
  } finally {
    await program.remove();
    for (const server of servers) await server.close();
  }
  return { points: soaks.length, runs, faults: 0, violations };
}

export const soak: Suite = {
  name: 'soak',
  shows:
    'during 2,000 provisionings in one process, 24 hours of normal operation with lost connections and 100 runs in one folder the memory does not grow, no descriptor, listener or timer is left, and snapshot, events and backups stay within their limits',
  run,
};
