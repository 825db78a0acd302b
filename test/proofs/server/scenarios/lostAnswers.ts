import { check } from '../check.ts';
import { CUTS, type Cut, startLossyProxy } from '../lossyProxy.ts';
import type { Scenario } from '../scenario.ts';

const lost = (cut: Cut): Scenario => ({
  name: `lost-after-${cut}`,
  limitSeconds: 180,
  async play(stage) {
    const profile = await stage.profile();
    const proxy = await startLossyProxy(stage.options.mqtt, cut);
    try {
      const camera = await stage.camera(profile, { server: proxy.endpoint });
      await stage.checkProvisioned(camera, await camera.run(), profile);
      check(proxy.cuts(), 1, 'cut connections');
    } finally {
      await proxy.close();
    }
    return { devices: 1 };
  },
});

export const LOST_ANSWERS = CUTS.map(lost);
