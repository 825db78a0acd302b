import type { CameraOptions } from '../camera.ts';
import { check } from '../check.ts';
import type { Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

/** Exit status NOPERM. */
const REFUSED = 77;

/** @param changed what is wrong in provision.json */
async function checkRefused(stage: Stage, what: string, changed: Partial<CameraOptions>): Promise<void> {
  const camera = await stage.camera(await stage.profile(), { name: stage.name(what), ...changed });
  const examined = await camera.start('doctor').ended;
  check(examined.status, REFUSED, `exit status of doctor with the wrong ${what}`, examined.tail);
  const refused = /^✗ .*PROVISION_KEY_REFUSED/m.test(examined.tail);
  check(refused ? 'named' : '', 'named', `the wrong ${what} in doctor's output`, examined.tail);
  const unasked = await camera.start('doctor', undefined, ['--no-key-check']).ended;
  check(unasked.status, 0, `exit status of doctor --no-key-check with the wrong ${what}`, unasked.tail);
  check((await stage.devices()).length, 0, 'devices after doctor');
}

export const DOCTOR: readonly Scenario[] = [
  {
    name: 'doctor',
    limitSeconds: 120,
    async play(stage) {
      const profile = await stage.profile();
      const name = stage.name('doctor');
      const camera = await stage.camera(profile, { name });
      const examined = await camera.start('doctor').ended;
      check(examined.status, 0, 'exit status of doctor', examined.tail);
      check(/MQTT CONNECT/.test(examined.tail) ? 'shown' : '', 'shown', 'check MQTT CONNECT', examined.tail);
      check((await stage.devices()).length, 0, 'devices after doctor');
      // The folder that doctor approved can be provisioned.
      await stage.checkProvisioned(camera, await camera.run(), profile);
      return { devices: 1 };
    },
  },
  {
    name: 'doctor-wrong-key',
    limitSeconds: 120,
    async play(stage) {
      await checkRefused(stage, 'key', { key: 'a-key-that-no-profile-has' });
      await checkRefused(stage, 'secret', { secret: 'not-the-secret' });
      return { devices: 0 };
    },
  },
];
