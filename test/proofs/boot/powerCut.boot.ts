import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import type { ProvisionState } from '../../../machines/provision.states.ts';
import type { FaultPoint } from '../../../src/simulator/faults.ts';
import type { Simulator, SimulatorOptions } from '../../../src/simulator/simulator.ts';
import { readSnapshot } from '../../../src/state/snapshotFile.ts';
import type { AtEnd } from '../../support/atEnd.ts';
import { OLD_CONFIG, OLD_TOKEN } from '../../support/deviceFiles.ts';
import { provisionedProblems } from '../../support/provisionedDevice.ts';
import { DEVICE_KEY, DEVICE_SECRET, startServer, watchEvents } from '../../support/server.ts';
import { instantProblems } from '../certify/invariants.ts';
import { AGENT, type Board, makeBoard } from './board.ts';
import { request, SHORT_PAUSES, unitWhen, until } from './requests.ts';

interface Cut {
  readonly state: ProvisionState;
  /** The power fails while the disk hangs in the nth fsync of the state. */
  readonly fsync?: number;
  /** The power fails while the server does not answer at this point. */
  readonly silent?: FaultPoint;
  readonly server?: SimulatorOptions;
  /** A file that the card damages when it is replaced. */
  readonly spoiled?: string;
}

const UNREACHED: SimulatorOptions = { faults: [{ on: 'provisionConnect', nth: 1, action: 'close' }] };
const LOST_ANSWER: SimulatorOptions = { faults: [{ on: 'request', nth: 1, action: 'dropAnswerAndClose' }] };

/** The server commits nothing, or it commits a device and its answer is lost. */
const SILENT_REQUEST: SimulatorOptions = { faults: [{ on: 'request', nth: 1, action: 'silence' }] };
const SILENT_SUCCESS: SimulatorOptions = { faults: [{ on: 'request', nth: 1, action: 'dropAnswer' }] };
const SILENT_RECONCILE: SimulatorOptions = {
  faults: [
    { on: 'request', nth: 1, action: 'dropAnswerAndClose' },
    { on: 'deviceConnect', nth: 1, action: 'stallConnack' },
  ],
};
const SILENT_PROOF: SimulatorOptions = { faults: [{ on: 'attributeRequest', nth: 1, action: 'silence' }] };

const CUTS: readonly Cut[] = [
  { state: 'detect', fsync: 1 },
  { state: 'validate', fsync: 1 },
  { state: 'prepare', fsync: 1 },
  { state: 'prepare', fsync: 2 },
  { state: 'request', fsync: 1 },
  { state: 'request', silent: 'request', server: SILENT_REQUEST },
  { state: 'request', silent: 'request', server: SILENT_SUCCESS },
  { state: 'request', fsync: 3 },
  { state: 'backoff', fsync: 1, server: UNREACHED },
  { state: 'reconcile', fsync: 1, server: LOST_ANSWER },
  { state: 'reconcile', silent: 'deviceConnect', server: SILENT_RECONCILE },
  { state: 'verifyCredentials', silent: 'attributeRequest', server: SILENT_PROOF },
  { state: 'backup', fsync: 1 },
  { state: 'backup', fsync: 2 },
  { state: 'write', fsync: 1 },
  { state: 'write', fsync: 2 },
  { state: 'write', fsync: 3 },
  { state: 'restore', fsync: 1, spoiled: 'thermal_config.json' },
  { state: 'restore', fsync: 2, spoiled: 'thermal_config.json' },
  { state: 'finalize', fsync: 1 },
  { state: 'finalize', fsync: 2 },
  { state: 'provisioned', fsync: 1 },
];

const momentOf = ({ fsync, silent, server }: Cut): string => {
  if (fsync !== undefined) return `fsync ${fsync}`;
  return `no answer to ${silent}${server === SILENT_SUCCESS ? ' (committed)' : ''}`;
};

/** Time limits that are longer than the test waits for the power failure. */
const LONG_LIMITS = { max_retries: 3, timeout_seconds: 60 };
const SECRETS = [DEVICE_KEY, DEVICE_SECRET, OLD_TOKEN];

const stuckDisk = ({ state, fsync = 0, spoiled }: Cut): string => `[Service]
Environment=NODE_OPTIONS=--import=/usr/lib/stuckDisk.mjs
Environment=STUCK_IN=${state} STUCK_AFTER=${fsync - 1} ${spoiled === undefined ? '' : `SPOILED=${spoiled}`}
`;

/** The state of the chart at the power failure. The snapshot may be older. */
async function stateAtCut({ paths }: Board): Promise<string> {
  const read = await readSnapshot(paths.snapshot);
  if (read.kind === 'snapshot' && read.snapshot.state === 'provisioned') return 'provisioned';
  const log = await readFile(paths.events, 'utf8').catch(() => '');
  const entered = [...log.matchAll(/"state":"(\w+)","attempt":\d+,"event":"(?:state\.entered|backoff\.waiting)"/g)].at(
    -1,
  );
  return entered?.[1] ?? 'detect';
}

/** Boots a board with a request, and cuts the power at the planned moment. */
async function cutBoard(atEnd: AtEnd, cut: Cut): Promise<{ board: Board; server: Simulator }> {
  const watch = watchEvents();
  const server = await startServer(atEnd, { ...cut.server, onEvent: watch.onEvent });
  const board = await makeBoard(atEnd);
  await board.put(board.paths.thermalConfig, OLD_CONFIG);
  await request(board, server.port, LONG_LIMITS);
  if (cut.fsync !== undefined) {
    await board.install('/usr/lib/stuckDisk.mjs', await readFile(join(import.meta.dirname, 'stuckDisk.mjs'), 'utf8'));
    await board.edit(AGENT, stuckDisk(cut));
  }
  const stuck = join(board.paths.deviceFolder, 'stuck');
  await board.boot();
  await until(
    async () =>
      cut.silent === undefined
        ? existsSync(stuck)
        : watch.events.some((event) => event.type === 'fault' && event.on === cut.silent),
    (reached) => reached,
    20,
  );
  await board.cutPower();
  await rm(stuck, { force: true });
  return { board, server };
}

describe.concurrent('a power failure', () => {
  it.for(CUTS.map((cut) => ({ ...cut, moment: momentOf(cut) })))(
    'in $state, $moment: the next boot completes the run',
    async (cut, context) => {
      const { expect, onTestFinished } = context;
      const { board, server } = await cutBoard(onTestFinished, cut);
      const device = { paths: board.paths, server, configBefore: Buffer.from(OLD_CONFIG), secrets: SECRETS };
      expect(await stateAtCut(board)).toBe(cut.state);
      // The damaged configuration is neither the old nor the new one until it is restored.
      if (cut.spoiled === undefined) expect(await instantProblems(device, '')).toEqual([]);

      await board.edit(AGENT, SHORT_PAUSES);
      await board.boot();
      const unit = await unitWhen(board, AGENT, 'inactive');
      expect(unit.Result).toBe('success');
      // After restoring the configuration the run fails, and systemd starts the next run.
      if (cut.state !== 'restore') expect(unit.NRestarts).toBe('0');
      expect(await provisionedProblems(board.paths, server)).toEqual([]);
      expect(await instantProblems(device, await board.journal(AGENT))).toEqual([]);
    },
  );
});
