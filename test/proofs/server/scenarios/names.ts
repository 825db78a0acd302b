import type { ServerDevice, ServerProfile } from '../administration.ts';
import type { Camera } from '../camera.ts';
import { check } from '../check.ts';
import type { Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { eventually } from '../waiting.ts';

const LIMIT_SECONDS = 180;
/** Exit status CONFIG. */
const TAKEN = 78;
const PROVISION_STATE = 'provisionState';
const STATE_LIMIT_MS = 10_000;

async function checkTaken(camera: Camera): Promise<void> {
  const end = await camera.run();
  check(end.status, TAKEN, 'exit status of the second camera', end.tail);
  const code = end.log.find(({ event }) => event === 'run.failed')?.code ?? '';
  check(code, 'DEVICE_NAME_TAKEN', 'failure code of the second camera');
  check((await camera.configText()) ?? '', '', 'thermal_config.json of the second camera');
}

const fixedName: Scenario = {
  name: 'fixed-name-twice',
  limitSeconds: LIMIT_SECONDS,
  async play(stage) {
    const profile = await stage.profile();
    const name = stage.name('fixed');
    const first = await stage.camera(profile, { name });
    const end = await first.run();
    await stage.checkProvisioned(first, end, profile);
    await checkTaken(await stage.camera(profile, { name }));
    // The first camera's token still belongs to the device.
    await stage.checkProvisioned(first, end, profile);
    return { devices: 1 };
  },
};

interface PreProvisioned {
  readonly profile: ServerProfile;
  readonly device: ServerDevice;
  readonly token: string;
}

async function preProvisioned(stage: Stage): Promise<PreProvisioned> {
  const profile = await stage.profile('CHECK_PRE_PROVISIONED_DEVICES');
  const token = `${stage.options.run}-stored-token`;
  return { profile, device: await stage.administration.createDevice(profile, stage.name('stored'), token), token };
}

async function provisionStored(stage: Stage, { profile, device, token }: PreProvisioned): Promise<void> {
  const camera = await stage.camera(profile, { name: device.name });
  await stage.checkProvisioned(camera, await camera.run(), profile);
  const { token: received } = await camera.configured();
  check(received === token ? 'stored' : 'other', 'stored', 'token in thermal_config.json');
}

const once: Scenario = {
  name: 'pre-provisioned',
  limitSeconds: LIMIT_SECONDS,
  async play(stage) {
    await provisionStored(stage, await preProvisioned(stage));
    return { devices: 1 };
  },
};

const twice: Scenario = {
  name: 'pre-provisioned-twice',
  limitSeconds: LIMIT_SECONDS,
  async play(stage) {
    const stored = await preProvisioned(stage);
    await provisionStored(stage, stored);
    const { profile, device } = stored;
    const second = await stage.camera(profile, { name: device.name });
    const end = await second.run();
    const { release } = stage.options;
    const again = release === undefined ? end.status === 0 : release === '3.8';
    if (again) await stage.checkProvisioned(second, end, profile);
    else {
      check(end.status, TAKEN, 'exit status of the second run', end.tail);
      const code = end.log.find(({ event }) => event === 'run.failed')?.code ?? '';
      check(code, 'DEVICE_NAME_TAKEN', 'failure code of the second run');
    }
    return { devices: 1, note: again ? 'SUCCESS again (before 4.2.1.1)' : 'refused (4.2.1.1 and later)' };
  },
};

const afterDeletion: Scenario = {
  name: 'pre-provisioned-again',
  limitSeconds: LIMIT_SECONDS,
  async play(stage) {
    const stored = await preProvisioned(stage);
    await provisionStored(stage, stored);
    const { administration } = stage;
    const isSet = async (): Promise<boolean> =>
      (await administration.attributesOf(stored.device, 'SERVER')).has(PROVISION_STATE);
    // Without the attribute nothing is deleted, and the next run shows whether the server needs it.
    await eventually(PROVISION_STATE, async () => ((await isSet()) ? true : undefined), STATE_LIMIT_MS).catch(() => {});
    await administration.deleteServerAttribute(stored.device, PROVISION_STATE);
    await eventually(`no ${PROVISION_STATE}`, async () => ((await isSet()) ? undefined : true));
    await provisionStored(stage, stored);
    return { devices: 1 };
  },
};

export const NAMES = [fixedName, once, twice, afterDeletion];
