import { describe, it } from 'vitest';
import { runAgentProcess, startAgent } from '../../support/agentProcess.ts';
import { makeDeviceFolder } from '../../support/deviceFolder.ts';
import { expectProvisioned } from '../../support/runChecks.ts';
import { startServer } from '../../support/server.ts';

/**
 * `Environment=X=` in a systemd drop-in. THERMAL_STATE_DIR is tested in test/cli: an agent that wrongly used `/`, the
 * working directory of these processes, would remove all other users' access to `/`.
 */
const EMPTY = { THERMAL_LOG_LEVEL: '', THERMAL_LOG_FORMAT: '', THERMAL_SPLAY: '', THERMAL_KEEP_BACKUPS: '' };

describe.concurrent('an empty variable counts as not set', () => {
  it.for(Object.keys(EMPTY))('for run with work: %s', async (name, { onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    const end = await runAgentProcess(onTestFinished, paths.deviceFolder, { env: { [name]: '' } });
    await expectProvisioned(paths, end, server);
  });

  it('for run with an option that needs the parser', async ({ onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    const command = ['run', '--keep-backups=3'];
    const end = await runAgentProcess(onTestFinished, paths.deviceFolder, { command, env: EMPTY });
    await expectProvisioned(paths, end, server);
  });

  it('for run without work', async ({ expect, onTestFinished }) => {
    const { paths } = await makeDeviceFolder(onTestFinished, { port: 1, requested: false });
    const end = await runAgentProcess(onTestFinished, paths.deviceFolder, { env: EMPTY });
    expect(end.status).toBe(0);
    expect(end.log.map(({ event }) => event)).toEqual(['run.nothing']);
  });

  it('for start', async ({ expect, onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    const agent = startAgent(onTestFinished, paths.deviceFolder, { command: ['start'], env: EMPTY });
    await agent.logged('run.provisioned');
    agent.child.kill('SIGTERM');
    expect((await agent.ended).status).toBe(0);
  });
});

it("run with the name of an object's method as an option is a wrong command line", async ({
  expect,
  onTestFinished,
}) => {
  const { paths } = await makeDeviceFolder(onTestFinished, { port: 1, requested: false });
  const command = ['run', 'constructor', 'x'];
  expect((await runAgentProcess(onTestFinished, paths.deviceFolder, { command })).status).toBe(64);
});
