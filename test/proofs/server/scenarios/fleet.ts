import { check } from '../check.ts';
import type { Scenario } from '../scenario.ts';

export const FLEET: readonly Scenario[] = [
  {
    name: 'fleet',
    limitSeconds: 900,
    async play(stage) {
      const { agents, progress } = stage.options;
      const profile = await stage.profile();
      const cameras = [];
      for (let index = 0; index < agents; index += 1) cameras.push(await stage.camera(profile));
      const startedAt = performance.now();
      let done = 0;
      const ends = await Promise.all(
        cameras.map(async (camera) => {
          const end = await camera.run();
          done += 1;
          if (done % 25 === 0) progress(`${done} of ${agents} agents have ended`);
          return end;
        }),
      );
      const seconds = (performance.now() - startedAt) / 1000;
      const names = new Set<string>();
      for (const [index, end] of ends.entries()) {
        const camera = cameras[index];
        if (camera !== undefined) names.add((await stage.checkProvisioned(camera, end, profile)).name);
      }
      check(names.size, agents, 'different devices');
      return { devices: agents, note: `${agents} agents at once in ${seconds.toFixed(1)} s` };
    },
  },
];
