import { readFile } from 'node:fs/promises';
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

  it('with the drop-in for metrics writes them after a failure and after a success', async ({
    expect,
    onTestFinished,
  }) => {
    const server = await startServer(onTestFinished);
    const board = await makeBoard(onTestFinished);
    await board.edit(AGENT, await readFile('packaging/systemd/examples/metrics.conf', 'utf8'));
    await board.install('/etc/tmpfiles.d/metrics.conf', 'd /var/lib/prometheus/node-exporter\n');
    const metrics = (): Promise<string> => board.run('cat', '/var/lib/prometheus/node-exporter/thermal-provision.prom');
    await request(board, server.port, { device_key: 'wrong' });
    await board.boot();
    await unitWhen(board, AGENT, 'failed');
    expect(await metrics()).toContain('thermal_provision_error{code="PROVISION_KEY_REFUSED"} 1\n');
    await request(board, server.port);
    await board.run('systemctl', 'restart', AGENT);
    expect(await metrics()).toContain('thermal_provision_status{status="done"} 1\n');
    expect(await board.run('stat', '-c', '%a %U', '/var/lib/prometheus/node-exporter/thermal-provision.prom')).toBe(
      '644 root\n',
    );
  });
});
