import { OLD_CONFIG } from '../../../support/deviceFiles.ts';
import { check } from '../check.ts';
import type { Scenario } from '../scenario.ts';

const LIMIT_SECONDS = 120;

const successNew: Scenario = {
  name: 'success-new',
  limitSeconds: LIMIT_SECONDS,
  async play(stage) {
    const profile = await stage.profile();
    const camera = await stage.camera(profile);
    await stage.checkProvisioned(camera, await camera.run(), profile);
    return { devices: 1 };
  },
};

const successConfigured: Scenario = {
  name: 'success-configured',
  limitSeconds: LIMIT_SECONDS,
  async play(stage) {
    const profile = await stage.profile();
    const camera = await stage.camera(profile, { config: OLD_CONFIG });
    await stage.checkProvisioned(camera, await camera.run(), profile);
    const text = (await camera.configText()) ?? '';
    const kept = ['12345678901234567890123', 'caf\\u00e9', '"interval_seconds": 15'];
    check(kept.filter((part) => !text.includes(part)).join(', '), '', 'settings that were lost');
    return { devices: 1 };
  },
};

const tls: Scenario = {
  name: 'tls',
  limitSeconds: LIMIT_SECONDS,
  leftOut: ({ options }) => (options.tls === undefined ? 'no --mqtts' : undefined),
  async play(stage) {
    const { tls: server = { ...stage.options.mqtt, ca: undefined } } = stage.options;
    const profile = await stage.profile();
    const { host, port, ca } = server;
    const camera = await stage.camera(profile, { server: { host, port }, tls: { ca } });
    await stage.checkProvisioned(camera, await camera.run(), profile);
    const encrypted = /"use_ssl":\s*true/.test((await camera.configText()) ?? '');
    check(encrypted ? 'TLS' : 'clear text', 'TLS', 'connection in thermal_config.json');
    return { devices: 1 };
  },
};

export const SUCCESS = [successNew, successConfigured];
export const TLS = [tls];
