import { setTimeout as pause } from 'node:timers/promises';
import { describe, it } from 'vitest';
import { codeBlocks, readPage } from '../../docs/markdown.ts';
import { startServer } from '../../support/server.ts';
import { AGENT, type Board, CLIENT, makeBoard, WATCHER } from './board.ts';
import { bootWhen, request, stateOf, unitWhen, until } from './requests.ts';

const RESTART = 'thermal-client-restart.service';
const MAX_EXPOSURE = 1.5;
/** Longer than one round of the units takes. */
const QUIET_MS = 1500;

const pages = readPage('docs/install.md') + readPage('docs/operate.md');
/** The drop-ins on the pages for operators. The first line of each has its path. */
const dropIns = codeBlocks(pages, 'ini').flatMap((text) => {
  const [, unit = '', name = ''] = /^# \/etc\/systemd\/system\/([^/\s]+)\.d\/(\S+)\n/.exec(text) ?? [];
  return unit === '' ? [] : [{ unit, name, text }];
});

/** systemd-analyze prints nothing and ends with 0 for units without an unknown setting. */
const verify = (board: Board): Promise<string> =>
  board.run('sh', '-c', `systemd-analyze verify --man=no ${AGENT} ${WATCHER} ${CLIENT} ${RESTART} 2>&1`);

describe.concurrent('the units in Debian 13', () => {
  it('have no unknown setting and a low exposure level', async ({ expect, onTestFinished }) => {
    const board = await makeBoard(onTestFinished);
    await board.boot();
    expect(await verify(board)).toBe('');
    for (const unit of [AGENT, CLIENT, RESTART]) {
      const text = await board.run('systemd-analyze', 'security', '--offline=true', '--no-pager', unit);
      const [, exposure] = /exposure level for \S+: ([\d.]+)/.exec(text) ?? [];
      expect(Number(exposure)).toBeLessThanOrEqual(MAX_EXPOSURE);
    }
  });

  it('have no unknown setting with the documented drop-ins', async ({ expect, onTestFinished }) => {
    expect(dropIns.map(({ unit }) => unit)).toContain(CLIENT);
    const board = await makeBoard(onTestFinished);
    for (const { unit, name, text } of dropIns) await board.edit(unit, text, name);
    await board.boot();
    for (const [, program = ''] of dropIns.flatMap(({ text }) => [
      ...text.matchAll(/^Exec\w+=(\/(?!usr\/bin)\S+)/gm),
    ])) {
      await board.run('install', '-D', '/usr/bin/true', program);
    }
    expect(await verify(board)).toBe('');
  });

  it('do not start each other endlessly when work is left after a success', async ({ expect, onTestFinished }) => {
    const board = await makeBoard(onTestFinished);
    await board.edit(AGENT, '[Service]\nExecStart=\nExecStart=/usr/bin/true\n');
    // The unit's limit is twenty starts.
    await board.edit(RESTART, '[Unit]\nStartLimitBurst=5\n');
    await board.put(board.paths.provisionTxt, '');
    await board.boot();
    await until(
      () => stateOf(board, RESTART),
      ({ Result }) => Result === 'start-limit-hit',
    );
    const { ExecMainStartTimestampMonotonic } = await unitWhen(board, AGENT, 'inactive');
    await pause(QUIET_MS);
    expect(await stateOf(board, AGENT)).toMatchObject({ ActiveState: 'inactive', ExecMainStartTimestampMonotonic });
  });

  it('show the end of a run in systemctl status, and pass log levels to journald', async ({
    expect,
    onTestFinished,
  }) => {
    const server = await startServer(onTestFinished);
    const board = await makeBoard(onTestFinished);
    await request(board, server.port, { device_key: 'of another profile' });
    await board.boot();
    await bootWhen(board);
    await unitWhen(board, AGENT, 'failed');
    expect((await board.unit(AGENT)).StatusText).toMatch(/^failed: .*does not know this device_key/);
    const grave = await board.run('journalctl', '--no-pager', '--output=cat', '--priority=err', '--unit', AGENT);
    expect(grave).toMatch(/^\{.*"event":"run\.failed"/m);
    expect(grave).not.toContain('"level":"info"');
  });
});
