import { describe, it } from 'vitest';
import { fileContentId } from '../../support/contentId.ts';
import { OLD_CONFIG } from '../../support/deviceFiles.ts';
import { provisionedProblems } from '../../support/provisionedDevice.ts';
import { startServer } from '../../support/server.ts';
import { AGENT, makeBoard, WATCHER } from './board.ts';
import { bootWhen, request, requestText, SHORT_PAUSES, stateOf, unitWhen, until } from './requests.ts';

/** More starts than systemd's default limit of five in ten seconds. */
const STARTS = 7;
describe.concurrent('a board', () => {
  it("tries more often than systemd's default start limit, until the server is up", async (context) => {
    const { expect, onTestFinished } = context;
    const down = await startServer(onTestFinished);
    const { port } = down;
    await down.close();
    const board = await makeBoard(onTestFinished);
    await board.edit(AGENT, SHORT_PAUSES);
    await request(board, port);
    await board.boot();
    await until(
      () => stateOf(board, AGENT),
      ({ NRestarts }) => Number(NRestarts) >= STARTS,
    );
    expect(await stateOf(board, WATCHER)).toMatchObject({ ActiveState: 'active', Result: 'success' });

    const server = await startServer(onTestFinished, { port });
    expect(await unitWhen(board, AGENT, 'inactive')).toMatchObject({ Result: 'success', ExecMainStatus: '0' });
    expect(await stateOf(board, WATCHER)).toMatchObject({ ActiveState: 'active', SubState: 'waiting' });
    expect(await provisionedProblems(board.paths, server)).toEqual([]);
  });

  it('fails at once with a wrong key, and starts again with a corrected provision.json', async (context) => {
    const { expect, onTestFinished } = context;
    const server = await startServer(onTestFinished);
    const board = await makeBoard(onTestFinished);
    await board.put(board.paths.thermalConfig, OLD_CONFIG);
    const before = await fileContentId(board.paths.thermalConfig);
    await request(board, server.port, { device_key: 'of another profile' });
    await board.boot();
    expect(await bootWhen(board)).toBe('degraded\n');
    const refused = { ActiveState: 'failed', Result: 'exit-code', ExecMainStatus: '77', NRestarts: '0' };
    expect(await stateOf(board, AGENT)).toMatchObject(refused);
    expect(await board.journal(AGENT)).toContain('PROVISION_KEY_REFUSED');
    expect(await stateOf(board, WATCHER)).toMatchObject({ ActiveState: 'active', SubState: 'waiting' });
    expect(server.registry.devices()).toEqual([]);
    expect(await fileContentId(board.paths.thermalConfig)).toBe(before);

    await board.put(board.paths.provisionJson, requestText(server.port));
    expect(await unitWhen(board, AGENT, 'inactive')).toMatchObject({ Result: 'success', ExecMainStatus: '0' });
    expect(await provisionedProblems(board.paths, server)).toEqual([]);
  });
});
