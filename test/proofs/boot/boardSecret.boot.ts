import { readFile } from 'node:fs/promises';
import { describe, it } from 'vitest';
import { codeBlocks, readPage } from '../../docs/markdown.ts';
import { BOARD_SECRET } from '../../support/boardSecret.ts';
import { startServer } from '../../support/server.ts';
import { AGENT, makeBoard } from './board.ts';
import { bootWhen, request, unitWhen } from './requests.ts';

const FOLDER = '/var/lib/thermal-camera';
/** Stands for fuses or a TPM. */
const FUSES = '/etc/board-fuses';
const examples = codeBlocks(readPage('docs/security.md'), 'ini');
const exampleOf = (part: string): string => examples.find((block) => block.includes(part)) ?? '';
/** The unit that reads the secret at each boot, with another reader than that of a TPM. */
const READER = exampleOf('tpm2_nvread')
  .replace(/^ConditionPathExists=.*$/m, '')
  .replace(/^ExecStart=.*$/m, `ExecStart=/usr/bin/install -m 600 ${FUSES} /run/board-secret`);
const DROP_IN = exampleOf('Requires=board-secret.service');

describe.concurrent('a board secret, as docs/security.md gives it to the service', () => {
  it('with an overlay in RAM over the root: three boots are one device', async ({ expect, onTestFinished }) => {
    const server = await startServer(onTestFinished);
    const board = await makeBoard(onTestFinished, { root: 'overlayroot' });
    await board.install(FUSES, BOARD_SECRET);
    await board.install('/usr/lib/systemd/system/board-secret.service', READER);
    await board.enable('board-secret.service');
    await board.edit(AGENT, DROP_IN);
    // The image asks for provisioning at each boot.
    await request(board, server.port, { device_name: 'hall-7' });
    const configs: unknown[] = [];
    for (let boots = 0; boots < 3; boots += 1) {
      await board.boot();
      await bootWhen(board);
      expect(await unitWhen(board, AGENT, 'inactive')).toMatchObject({ Result: 'success', NRestarts: '0' });
      const journal = await board.journal(AGENT);
      expect(journal).toContain('"event":"storage.volatile"');
      expect(journal.includes('"event":"reconcile.recovered"')).toBe(boots > 0);
      expect(journal).not.toContain(BOARD_SECRET);
      const status = await board.run('thermal-provision', 'status', '--dir', FOLDER);
      expect(status).toMatch(/^status: done$/m);
      expect(status).not.toMatch(/^warning:/m);
      configs.push(JSON.parse(await board.run('cat', `${FOLDER}/thermal_config.json`)).thingsboard);
      await board.cutPower();
    }
    expect(new Set(configs.map((config) => JSON.stringify(config))).size).toBe(1);
    expect(server.registry.counts.provisionRequests).toBe(1);
    expect(server.registry.size).toBe(1);
    expect(await readFile(board.paths.provisionTxt, 'utf8')).toBe('');
  });
});
