import { describe, it } from 'vitest';
import { provisionedProblems } from '../../support/provisionedDevice.ts';
import { startServer } from '../../support/server.ts';
import { AGENT, makeBoard, WATCHER } from './board.ts';
import { bootWhen, request, unitWhen } from './requests.ts';

describe.concurrent('a boot', () => {
  it('without provision.txt starts nothing', async ({ expect, onTestFinished }) => {
    const board = await makeBoard(onTestFinished);
    await board.boot();
    expect(await bootWhen(board)).toBe('running\n');
    expect(await board.unit(AGENT)).toMatchObject({
      ActiveState: 'inactive',
      ConditionResult: 'no',
      Result: 'success',
    });
    expect(await board.unit(WATCHER)).toMatchObject({ ActiveState: 'active', SubState: 'waiting' });
  });

  it('with provision.txt provisions, and the next boot does nothing', async ({ expect, onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const board = await makeBoard(onTestFinished);
    await request(board, server.port);
    await board.boot();
    const unit = await unitWhen(board, AGENT, 'inactive');
    expect(unit).toMatchObject({ Result: 'success', ExecMainStatus: '0', NRestarts: '0' });
    expect(await board.unit(WATCHER)).toMatchObject({ ActiveState: 'active', SubState: 'waiting' });
    expect(await provisionedProblems(board.paths, server)).toEqual([]);

    await board.cutPower();
    await board.boot();
    expect(await bootWhen(board)).toBe('running\n');
    expect(await board.unit(AGENT)).toMatchObject({ ActiveState: 'inactive', ConditionResult: 'no' });
    expect(await provisionedProblems(board.paths, server)).toEqual([]);
  });
});
