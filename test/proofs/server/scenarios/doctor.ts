import { check } from '../check.ts';
import type { Scenario } from '../scenario.ts';

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
];
