import { existsSync } from 'node:fs';
import { describe, it } from 'vitest';
import type { Simulator } from '../../../src/simulator/simulator.ts';
import { provisionedProblems } from '../../support/provisionedDevice.ts';
import { startServer, watchEvents } from '../../support/server.ts';
import { AGENT, type Board, makeBoard, WATCHER } from './board.ts';
import { bootWhen, request, requestText, stateOf, unitWhen, until } from './requests.ts';

const WAITING = { ActiveState: 'active', SubState: 'waiting' };

describe.concurrent('files that are put into the folder of a running system', () => {
  it('start a run when the trigger comes last', async ({ expect, onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const board = await makeBoard(onTestFinished);
    await board.boot();
    expect(await bootWhen(board)).toBe('running\n');
    await request(board, server.port);
    expect(await unitWhen(board, AGENT, 'inactive')).toMatchObject({ Result: 'success', ExecMainStatus: '0' });
    expect(await provisionedProblems(board.paths, server)).toEqual([]);
    expect(await stateOf(board, WATCHER)).toMatchObject(WAITING);
  });

  it('also start a successful run when the trigger comes first', async ({ expect, onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const board = await makeBoard(onTestFinished);
    await board.boot();
    expect(await bootWhen(board)).toBe('running\n');
    await board.put(board.paths.provisionTxt, '');
    expect(await unitWhen(board, AGENT, 'failed')).toMatchObject({ ExecMainStatus: '66', NRestarts: '0' });
    await board.put(board.paths.provisionJson, requestText(server.port));
    expect(await unitWhen(board, AGENT, 'inactive')).toMatchObject({ Result: 'success', ExecMainStatus: '0' });
    expect(await provisionedProblems(board.paths, server)).toEqual([]);
    expect(await stateOf(board, WATCHER)).toMatchObject(WAITING);
  });

  it('start another run when the trigger comes again right after the first run', async (context) => {
    const { expect, onTestFinished } = context;
    const server = await startServer(onTestFinished);
    const board = await makeBoard(onTestFinished);
    await request(board, server.port);
    await board.boot();
    await unitWhen(board, AGENT, 'inactive');
    await board.put(board.paths.provisionTxt, '');
    await secondRun(board, server);
    expect(await provisionedProblems(board.paths, server, 2)).toEqual([]);
    expect(await stateOf(board, WATCHER)).toMatchObject(WAITING);
  });

  it('start another run when the trigger comes again during the first run', async (context) => {
    const { expect, onTestFinished } = context;
    const watch = watchEvents();
    const server = await startServer(onTestFinished, { latencyMs: 500, onEvent: watch.onEvent });
    const board = await makeBoard(onTestFinished);
    const again = new Promise<void>((resolve, reject) => {
      watch.when('commit', () => void board.put(board.paths.provisionTxt, '').then(resolve, reject));
    });
    await request(board, server.port);
    await board.boot();
    await again;
    await secondRun(board, server);
    expect(await provisionedProblems(board.paths, server, 2)).toEqual([]);
    expect(await stateOf(board, WATCHER)).toMatchObject(WAITING);
  });
});

/** Expects a second run: the camera gets a new name, and the log names the first device for deletion. */
async function secondRun(board: Board, server: Simulator): Promise<void> {
  await until(
    async () => server.registry.size,
    (size) => size === 2,
  );
  await until(
    () => stateOf(board, AGENT),
    ({ ActiveState }) => ActiveState === 'inactive' && !existsSync(board.paths.credentials),
  );
}
