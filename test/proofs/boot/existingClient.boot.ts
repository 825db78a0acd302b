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
/** A client that prints the device it is configured as. */
const SCRIPT = `#!/bin/sh
echo "configured as $(sed -n 's/.*"device_id": *"\\([^"]*\\)".*/\\1/p' "$2")"
exec sleep infinity
`;
const CAMERA_UNIT = `[Service]
ExecStart=${PROGRAM} --config ${DEVICE_FOLDER}/thermal_config.json
`;

/** The drop-in of this path from docs/install.md. */
function dropIn(path: string): string {
  const text = codeBlocks(readPage('docs/install.md'), 'ini').find((one) => one.startsWith(`# ${path}\n`));
  if (text === undefined) throw new Error(`docs/install.md does not show ${path}`);
  return text;
}

/** Installs the camera's own client on a board before the boot. */
async function boardWithClient(board: Board): Promise<void> {
  const path = join(board.paths.deviceFolder.slice(0, -DEVICE_FOLDER.length), PROGRAM);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, SCRIPT);
  await chmod(path, 0o755);
  await board.put(board.paths.thermalConfig, OLD_CONFIG);
}

/** The devices that a unit was configured as since the boot. */
const devices = async (board: Board, unit: string): Promise<readonly string[]> =>
  [...(await board.journal(unit)).matchAll(/^configured as (.*)$/gm)].map(([, name = '']) => name);

describe.concurrent('an existing client of the camera', () => {
  it.for([
    ["in place of the agent's client", CLIENT, `/etc/systemd/system/${CLIENT}.d/client.conf`],
    ['in its own unit', CAMERA, '/etc/systemd/system/thermal-client-restart.service.d/camera.conf'],
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
