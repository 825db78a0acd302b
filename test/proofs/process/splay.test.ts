import { describe, expect, it } from 'vitest';
import { readBoardIdentity } from '../../../src/device/board.ts';
import { splayMs } from '../../../src/device/splay.ts';
import { runAgentProcess, startAgent } from '../../support/agentProcess.ts';
import { makeDeviceFolder } from '../../support/deviceFolder.ts';
import { expectProvisioned } from '../../support/runChecks.ts';
import { startServer } from '../../support/server.ts';

describe.concurrent('--splay', () => {
  it.for([
    { name: 'as an option', command: ['run', '--splay', '300'], env: {} },
    { name: 'as a variable', command: ['run'], env: { THERMAL_SPLAY: '300' } },
  ])(
    '$name: the pause is logged, status shows it, SIGTERM ends it, the next start resumes',
    async (given, { expect, onTestFinished }) => {
      const server = await startServer(onTestFinished);
      const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
      const share = splayMs(await readBoardIdentity('board-1'), '', 300);
      expect(share).toBeGreaterThan(20_000);
      const agent = startAgent(onTestFinished, paths.deviceFolder, { ...given, limitMs: 30_000 });
      expect(await agent.logged('splay.waiting')).toMatchObject({ level: 'info', state: 'prepare', ms: share });

      const command = ['status', '--format', 'json'];
      const status = async (): Promise<unknown> =>
        JSON.parse((await runAgentProcess(onTestFinished, paths.deviceFolder, { command })).output);
      // A state without an effect to wait for is saved within 200 ms.
      await expect
        .poll(status)
        .toMatchObject({ status: 'running', state: { name: 'prepare' }, retry: { waitingFor: 'splay' } });
      const text = await runAgentProcess(onTestFinished, paths.deviceFolder, { command: ['status'] });
      expect(text.output).toMatch(/^waiting: +first contact with the server \(--splay\) in \d+ s /m);
      const explained = await runAgentProcess(onTestFinished, paths.deviceFolder, { command: ['explain'] });
      expect(explained.output).toContain('The first contact with the server is in');

      agent.child.kill('SIGTERM');
      expect(await agent.ended).toMatchObject({ status: 75, signal: null });
      expect(server.registry.counts.connects).toBe(0);
      const end = await runAgentProcess(onTestFinished, paths.deviceFolder);
      expect(end.log[0]?.event).toBe('run.resumed');
      await expectProvisioned(paths, end, server);
    },
  );

  it.for(['-1', '301', '1.5', 'ten'])('%s is not a valid number of seconds', async (seconds, { onTestFinished }) => {
    const { paths } = await makeDeviceFolder(onTestFinished, { port: 1, requested: false });
    const command = ['run', `--splay=${seconds}`];
    expect((await runAgentProcess(onTestFinished, paths.deviceFolder, { command })).status).toBe(64);
    const env = { THERMAL_SPLAY: seconds };
    expect((await runAgentProcess(onTestFinished, paths.deviceFolder, { env })).status).toBe(64);
  });
});
