import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runAgentProcess, startAgent } from '../../support/agentProcess.ts';
import type { AtEnd } from '../../support/atEnd.ts';
import { makeDeviceFolder, makeFolder } from '../../support/deviceFolder.ts';
import { expectFailureReport, expectProvisioned } from '../../support/runChecks.ts';
import { startServer, watchEvents } from '../../support/server.ts';

async function linkTo(folder: string, atEnd: AtEnd): Promise<string> {
  const link = join(await makeFolder(atEnd), 'camera');
  await symlink(folder, link);
  return link;
}

describe.concurrent('a second agent', () => {
  it.for(['the same path', 'a link to the folder'])(
    'by %s: ends with 75 at once and names the pid; the first agent continues',
    async (way, { onTestFinished }) => {
      const watch = watchEvents();
      const server = await startServer(onTestFinished, {
        onEvent: watch.onEvent,
        faults: [{ on: 'request', nth: 1, action: 'delay', ms: 1500 }],
      });
      const { paths } = await makeDeviceFolder(onTestFinished, {
        port: server.port,
        provisioning: { timeout_seconds: 9 },
      });
      const asked = new Promise<void>((resolve) => watch.when('request', resolve));
      const first = startAgent(onTestFinished, paths.deviceFolder);
      await asked;
      const folder = way === 'the same path' ? paths.deviceFolder : await linkTo(paths.deviceFolder, onTestFinished);
      const second = await runAgentProcess(onTestFinished, folder);
      expectFailureReport(second, { code: 'LOCKED', says: new RegExp(`process ${first.pid}\\b`) });
      const end = await first.ended;
      await expectProvisioned(paths, end, server);
      expect(second.endedAt).toBeLessThan(end.endedAt);
      expect(server.registry.counts.provisionRequests).toBe(1);
    },
  );
});
