import { readdirSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { runAgentProcess, startAgent } from '../../support/agentProcess.ts';
import { contentId, fileContentId } from '../../support/contentId.ts';
import { OLD_CONFIG } from '../../support/deviceFiles.ts';
import { makeDeviceFolder } from '../../support/deviceFolder.ts';
import { expectFailed, expectProvisioned } from '../../support/runChecks.ts';
import { startServer, watchEvents } from '../../support/server.ts';

const OTHERS_CONFIG = OLD_CONFIG.replace('"interval_seconds": 15', '"interval_seconds": 99');
const backupsIn = (folder: string): string[] => readdirSync(folder).filter((name) => name.includes('.backup.'));

describe.concurrent('FR-010, SC-004: another program changes thermal_config.json during the run', () => {
  it('before the backup: its change is in the backup and in the new file', async ({ onTestFinished }) => {
    const watch = watchEvents();
    const server = await startServer(onTestFinished, { latencyMs: 200, onEvent: watch.onEvent });
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    watch.when('attributeRequest', () => void writeFile(paths.thermalConfig, OTHERS_CONFIG));
    const end = await runAgentProcess(onTestFinished, paths.deviceFolder);
    await expectProvisioned(paths, end, server);
    const backups = backupsIn(paths.deviceFolder);
    expect(backups).toHaveLength(1);
    expect(await readFile(`${paths.deviceFolder}/${backups.join()}`, 'utf8')).toBe(OTHERS_CONFIG);
    expect(await readFile(paths.thermalConfig, 'utf8')).toContain('"interval_seconds": 99');
  });

  it('between backup and write: backed up again, no change is lost', async ({ onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    const act = { do: 'write', path: paths.thermalConfig, text: OTHERS_CONFIG } as const;
    const end = await runAgentProcess(onTestFinished, paths.deviceFolder, {
      intrusions: [{ call: 'rename', path: 'Z', after: true, act }],
    });
    await expectProvisioned(paths, end, server);
    expect(end.log.map(({ event }) => event)).toContain('config.changed');
    expect(backupsIn(paths.deviceFolder)).toHaveLength(2);
    expect(await readFile(paths.thermalConfig, 'utf8')).toContain('"interval_seconds": 99');
  });

  it('removed between backup and write: a new file, the removed one is in the backup', async ({ onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    const act = { do: 'remove', path: paths.thermalConfig } as const;
    const end = await runAgentProcess(onTestFinished, paths.deviceFolder, {
      intrusions: [{ call: 'rename', path: 'Z', after: true, act }],
    });
    await expectProvisioned(paths, end, server);
    const backups = backupsIn(paths.deviceFolder);
    expect(await readFile(`${paths.deviceFolder}/${backups.join()}`, 'utf8')).toBe(OLD_CONFIG);
  });

  it('again and again: CONFIG_KEEPS_CHANGING, the file keeps its content; the next boot completes', async ({
    onTestFinished,
  }) => {
    const server = await startServer(onTestFinished);
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    const act = { do: 'append', path: paths.thermalConfig, text: '\n' } as const;
    const end = await runAgentProcess(onTestFinished, paths.deviceFolder, {
      intrusions: [{ call: 'rename', path: 'Z', after: true, lasting: true, act }],
    });
    const config = contentId(`${OLD_CONFIG}\n\n\n`);
    await expectFailed({ paths, config }, end, { code: 'CONFIG_KEEPS_CHANGING', server });
    await expectProvisioned(paths, await runAgentProcess(onTestFinished, paths.deviceFolder), server);
  });

  it.for([
    ['the backup is restored', {}],
    ['without an earlier file: removed again', { config: null }],
  ] as const)(
    'right after the write, %s, CONFIG_NOT_WRITTEN; the next boot completes',
    async ([, before], { onTestFinished }) => {
      const server = await startServer(onTestFinished);
      const device = await makeDeviceFolder(onTestFinished, { port: server.port, ...before });
      const { paths } = device;
      const act = { do: 'write', path: paths.thermalConfig, text: '{"half":' } as const;
      const end = await runAgentProcess(onTestFinished, paths.deviceFolder, {
        intrusions: [{ call: 'rename', path: '/thermal_config.json', after: true, act }],
      });
      await expectFailed(device, end, { code: 'CONFIG_NOT_WRITTEN', hint: /Check the storage/, server });
      await expectProvisioned(paths, await runAgentProcess(onTestFinished, paths.deviceFolder), server);
    },
  );

  it('made unusable during the run: kept in a backup, the run completes', async ({ onTestFinished }) => {
    const watch = watchEvents();
    const server = await startServer(onTestFinished, { latencyMs: 200, onEvent: watch.onEvent });
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    const agent = startAgent(onTestFinished, paths.deviceFolder);
    watch.when('attributeRequest', () => void writeFile(paths.thermalConfig, '{"half":'));
    await expectProvisioned(paths, await agent.ended, server);
    const [backup = ''] = backupsIn(paths.deviceFolder);
    expect(await readFile(`${paths.deviceFolder}/${backup}`, 'utf8')).toBe('{"half":');
  });

  it('removed before the backup: a new file, no backup', async ({ onTestFinished }) => {
    const watch = watchEvents();
    const server = await startServer(onTestFinished, { latencyMs: 200, onEvent: watch.onEvent });
    const { paths } = await makeDeviceFolder(onTestFinished, { port: server.port });
    watch.when('attributeRequest', () => void rm(paths.thermalConfig));
    await expectProvisioned(paths, await runAgentProcess(onTestFinished, paths.deviceFolder), server);
    expect(backupsIn(paths.deviceFolder)).toEqual([]);
    expect(await fileContentId(paths.thermalConfig)).not.toBe(contentId(OLD_CONFIG));
  });
});
