import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'vitest';
import { startServer } from '../../support/server.ts';
import { AGENT, makeBoard } from './board.ts';
import { request, unitWhen } from './requests.ts';

/** Preloaded into the agent: writes its peak memory, KiB. */
const MEASURE = `import { writeFileSync } from 'node:fs';
process.on('exit', () => {
  writeFileSync(process.env.THERMAL_DIR + '/memory', String(process.resourceUsage().maxRSS));
});
`;
const MAX_AGENT_SECONDS = 30;
const MAX_MEMORY_KIB = 150 * 1024;

const secondsBetween = (from = '', to = ''): number => (Number(to) - Number(from)) / 1_000_000;

it('a provisioning takes little time and memory', async ({ expect, onTestFinished }) => {
  const server = await startServer(onTestFinished);
  const board = await makeBoard(onTestFinished);
  await board.install('/usr/lib/measure.mjs', MEASURE);
  await board.edit(AGENT, '[Service]\nEnvironment=NODE_OPTIONS=--import=/usr/lib/measure.mjs\n');
  await request(board, server.port);
  await board.boot();
  const unit = await unitWhen(board, AGENT, 'inactive');
  const started = unit.ExecMainStartTimestampMonotonic;
  const ended = unit.ExecMainExitTimestampMonotonic;
  const booted = await board.run('systemctl', 'show', '--value', '--property=UserspaceTimestampMonotonic');
  const agent = secondsBetween(started, ended);
  const memory = Number(await readFile(join(board.paths.deviceFolder, 'memory'), 'utf8'));
  console.log(
    `boot to provisioned: ${secondsBetween(booted, ended).toFixed(1)} s, ` +
      `of which the agent ${agent.toFixed(1)} s, with ${Math.round(memory / 1024)} MiB at most`,
  );
  expect(agent).toBeLessThan(MAX_AGENT_SECONDS);
  expect(memory).toBeLessThan(MAX_MEMORY_KIB);
});
