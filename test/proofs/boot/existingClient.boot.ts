import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'vitest';
import { codeBlocks, readPage } from '../../docs/markdown.ts';
import { OLD_CONFIG, OLD_DEVICE } from '../../support/deviceFiles.ts';
import { startServer } from '../../support/server.ts';
import { AGENT, type Board, CLIENT, makeBoard } from './board.ts';
import { bootWhen, request, unitWhen, until } from './requests.ts';

const CAMERA = 'camera.service';
const PROGRAM = '/opt/camera/bin/client';
const DEVICE_FOLDER = '/var/lib/thermal-camera';
/** A client that says as which device it works. */
const SCRIPT = `#!/bin/sh
echo "works as $(sed -n 's/.*"device_id": *"\\([^"]*\\)".*/\\1/p' "$2")"
exec sleep infinity
`;
const CAMERA_UNIT = `[Service]
ExecStart=${PROGRAM} --config ${DEVICE_FOLDER}/thermal_config.json
`;

/** The drop-in of this path, as docs/install.md shows it. */
function dropIn(path: string): string {
  const text = codeBlocks(readPage('docs/install.md'), 'ini').find((one) => one.startsWith(`# ${path}\n`));
  if (text === undefined) throw new Error(`docs/install.md shows no ${path}`);
  return text;
}

/** A board with a client of its own, before it is switched on. */
async function boardWithClient(board: Board): Promise<void> {
  const path = join(board.paths.deviceFolder.slice(0, -DEVICE_FOLDER.length), PROGRAM);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, SCRIPT);
  await chmod(path, 0o755);
  await board.put(board.paths.thermalConfig, OLD_CONFIG);
}

/** As which devices a unit has worked since the boot. */
const devices = async (board: Board, unit: string): Promise<readonly string[]> =>
  [...(await board.journal(unit)).matchAll(/^works as (.*)$/gm)].map(([, name = '']) => name);

describe.concurrent('a client that the camera had before', () => {
  it.for([
    ['in the place of the agent’s own', CLIENT, `/etc/systemd/system/${CLIENT}.d/client.conf`],
    ['in a unit of its own', CAMERA, '/etc/systemd/system/thermal-client-restart.service.d/camera.conf'],
  ] as const)('is restarted after a success, %s', async ([_where, unit, path], { expect, onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const board = await makeBoard(onTestFinished);
    await boardWithClient(board);
    if (unit === CAMERA) {
      await board.install(`/etc/systemd/system/${CAMERA}`, CAMERA_UNIT);
      await board.edit(CAMERA, dropIn(`/etc/systemd/system/${CAMERA}.d/provisioned.conf`));
    }
    const [, changed = ''] = /system\/(.*)\.d\//.exec(path) ?? [];
    await board.edit(changed, dropIn(path));
    await board.boot();
    await bootWhen(board);
    await board.run('systemctl', 'start', unit);
    await until(
      () => devices(board, unit),
      (names) => names.length === 1,
    );

    await request(board, server.port);
    await unitWhen(board, AGENT, 'inactive');
    const names = await until(
      () => devices(board, unit),
      (found) => found.length > 1,
    );
    expect(names).toEqual([OLD_DEVICE, server.registry.devices()[0]?.name]);
  });
});
