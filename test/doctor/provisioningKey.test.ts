import { describe, expect, it, onTestFinished } from 'vitest';
import type { DevicePaths } from '../../src/device/paths.ts';
import { examine } from '../../src/doctor/examine.ts';
import { makeDeviceFolder } from '../support/deviceFolder.ts';
import { startServer } from '../support/server.ts';

async function device(layout: Parameters<typeof makeDeviceFolder>[1]): Promise<DevicePaths> {
  return (await makeDeviceFolder(onTestFinished, layout)).paths;
}

/** The findings about key and secret, and each as `verdict CODE: message`. */
async function examined(paths: DevicePaths) {
  const reports = await Promise.all(examine({ paths, now: Date.now() }).reports);
  const findings = reports.find(({ title }) => title === 'provisioning key')?.findings ?? [];
  return { findings, said: findings.map(({ verdict, code, message }) => `${verdict} ${code ?? '-'}: ${message}`) };
}

describe.each(['ALLOW_CREATE_NEW_DEVICES', 'CHECK_PRE_PROVISIONED_DEVICES'] as const)(
  'key and secret, %s',
  (strategy) => {
    it('are right or wrong, and no device is created', async () => {
      const server = await startServer(onTestFinished, { strategy });
      const right = await examined(await device({ port: server.port }));
      expect(right.said).toEqual([expect.stringMatching(/^passed -: key and secret are right/)]);
      for (const wrong of ['device_key', 'device_secret']) {
        const { said } = await examined(
          await device({ port: server.port, provisioning: { [wrong]: 'another-one-12345' } }),
        );
        expect(said).toEqual([expect.stringMatching(/^failed PROVISION_KEY_REFUSED: /)]);
      }
      expect(server.registry.size).toBe(0);
      expect(server.registry.counts.provisionRequests).toBe(3);
    });
  },
);

describe('key and secret', () => {
  it('are not asked about with --no-key-check', async () => {
    const server = await startServer(onTestFinished);
    const { reports } = examine({ paths: await device({ port: server.port }), now: Date.now(), keyCheck: false });
    const titles = (await Promise.all(reports)).map(({ title }) => title);
    expect(titles).toContain('MQTT CONNECT');
    expect(titles).not.toContain('provisioning key');
    expect(server.registry.counts.provisionRequests).toBe(0);
  });

  it('of a disabled profile are refused, and a failing back end has the code of a run', async () => {
    const disabled = await startServer(onTestFinished, { strategy: 'DISABLED' });
    const refused = await examined(await device({ port: disabled.port }));
    expect(refused.said).toEqual([expect.stringContaining('PROVISION_KEY_REFUSED')]);
    const failing = await startServer(onTestFinished, {
      faults: [{ on: 'request', action: 'silenceThenPubackAndClose', ms: 10 }],
    });
    const lost = await examined(await device({ port: failing.port }));
    expect(lost.said).toEqual([expect.stringContaining('CONNECTION_LOST')]);
  });

  it('are doubtful at a server that creates a device with this name', async () => {
    const payload = '{"credentialsValue":"t","credentialsType":"ACCESS_TOKEN","status":"SUCCESS"}';
    const server = await startServer(onTestFinished, { faults: [{ on: 'request', action: 'answer', payload }] });
    const { findings } = await examined(await device({ port: server.port }));
    expect(findings).toMatchObject([
      { verdict: 'warning', hint: expect.stringContaining('Delete the device whose name begins with key-check') },
    ]);
  });
});
