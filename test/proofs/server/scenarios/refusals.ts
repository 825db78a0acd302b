import { OLD_CONFIG } from '../../../support/deviceFiles.ts';
import type { CameraOptions } from '../camera.ts';
import { check } from '../check.ts';
import type { Scenario } from '../scenario.ts';
import type { ScenarioStrategy } from '../stage.ts';

/** Exit status NOPERM. */
const REFUSED = 77;

/** @param changed what is wrong in provision.json */
const refusal = (name: string, strategy: ScenarioStrategy, changed: Partial<CameraOptions>): Scenario => ({
  name,
  limitSeconds: 120,
  async play(stage) {
    const profile = await stage.profile(strategy);
    const device = stage.name(name);
    const camera = await stage.camera(profile, { name: device, config: OLD_CONFIG, ...changed });
    const end = await camera.run();
    check(end.status, REFUSED, 'exit status', end.tail);
    check(end.log.find(({ event }) => event === 'run.failed')?.code ?? '', 'PROVISION_KEY_REFUSED', 'failure code');
    check((await camera.configText()) === OLD_CONFIG ? 'unchanged' : 'changed', 'unchanged', 'thermal_config.json');
    const found = await stage.administration.findDevice(device);
    check(found?.name ?? '', '', 'device in another profile');
    return { devices: 0 };
  },
});

export const REFUSALS = [
  refusal('wrong-key', 'ALLOW_CREATE_NEW_DEVICES', { key: 'a-key-that-no-profile-has' }),
  refusal('wrong-secret', 'ALLOW_CREATE_NEW_DEVICES', { secret: 'not-the-secret' }),
  refusal('disabled', 'DISABLED', {}),
];
