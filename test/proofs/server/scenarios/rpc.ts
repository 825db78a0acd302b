import { check } from '../check.ts';
import type { Scenario } from '../scenario.ts';
import { eventually } from '../waiting.ts';

const LIMIT_SECONDS = 240;
const START_LIMIT_MS = 90_000;
/** `start` ends with it when the server has asked for a new device. */
const START_AGAIN = 75;

const rpc: Scenario = {
  name: 'rpc',
  limitSeconds: LIMIT_SECONDS,
  async play(stage) {
    const { administration } = stage;
    const profile = await stage.profile();
    const camera = await stage.camera(profile);
    const first = camera.start('start', () => {}, ['--allow-rpc']);
    await first.logged('session.connected', START_LIMIT_MS);
    const before = (await camera.configured()).name;
    const device = await eventually(`device ${before}`, () => administration.findDevice(before));
    const ask = (method: string): Promise<unknown> => administration.ask(device, method);
    const status = JSON.stringify(await ask('provisioningStatus'));
    check(status.includes('"status":"done"') ? 'done' : status, 'done', 'provisioningStatus');
    check(status.includes(profile.secret) ? 'secret' : 'none', 'none', 'secret in the answer');
    const unknown = JSON.stringify(await ask('reboot'));
    check(unknown.includes('unknown method') ? 'refused' : unknown, 'refused', 'an unknown method');
    const answer = JSON.stringify(await ask('reprovision'));
    check(answer.includes('"requested"') ? 'requested' : answer, 'requested', 'reprovision');
    check((await first.ended).status, START_AGAIN, 'exit status after reprovision');
    // What the unit does.
    const second = camera.start('start');
    await second.logged('session.connected', START_LIMIT_MS);
    second.signal('SIGTERM');
    const replaced = await stage.checkProvisioned(camera, await second.ended, profile);
    check(replaced.name === before ? 'the same' : 'new', 'new', 'device after reprovision');
    return { devices: 2 };
  },
};

export const RPC: readonly Scenario[] = [rpc];
