import { chmod, mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { acquireLock } from '../../src/device/lock.ts';
import { type DevicePaths, devicePaths } from '../../src/device/paths.ts';
import { settle } from '../../src/doctor/check.ts';
import { examine } from '../../src/doctor/examine.ts';
import { attemptLogin } from '../../src/doctor/loginAttempt.ts';
import { checkNameResolution } from '../../src/doctor/nameResolution.ts';
import { checkTcpConnection } from '../../src/doctor/tcpConnection.ts';
import { checkTlsConnection } from '../../src/doctor/tlsConnection.ts';
import { readStorageSources, storageOf } from '../../src/files/storage.ts';
import { failureOf } from '../config/scratch.ts';
import { runDevice } from '../support/agentRun.ts';
import { startBlackHole } from '../support/blackHole.ts';
import { OLD_CONFIG, OLD_TOKEN } from '../support/deviceFiles.ts';
import { type DeviceFolderOptions, makeDeviceFolder } from '../support/deviceFolder.ts';
import { plainServer, tlsServer } from '../support/exchangeCalls.ts';
import { AUTHORITY, certificateFor } from '../support/provocation.ts';
import { startServer } from '../support/server.ts';
import { closedPort, startSilentServer } from '../support/strangeServers.ts';

const BOARD = 'board-1';

async function device(layout: Partial<DeviceFolderOptions> = {}): Promise<DevicePaths> {
  const { paths } = await makeDeviceFolder(onTestFinished, { port: await closedPort(), ...layout });
  await chmod(paths.provisionJson, 0o600);
  if (layout.config !== null) await chmod(paths.thermalConfig, 0o600);
  return paths;
}

async function examined(paths: DevicePaths, boardId = BOARD) {
  const { reports, plan } = examine({ paths, now: Date.now(), boardId });
  const all = await Promise.all(reports);
  const of = (title: string) => all.find((report) => report.title === title)?.findings ?? [];
  return {
    plan: await plan,
    verdicts: all.flatMap(({ title, findings }) => findings.map(({ verdict }) => [title, verdict])),
    of,
    /** `verdict CODE: message` of each finding of a check. */
    said: (title: string): string[] =>
      of(title).map(({ verdict, code, message }) => `${verdict} ${code ?? '-'}: ${message}`),
  };
}

describe('the files', () => {
  it('that are nearly named right are named, and the folder', async () => {
    const paths = await device();
    await rename(paths.provisionTxt, `${paths.provisionTxt}.txt`);
    await rename(paths.provisionJson, join(paths.deviceFolder, 'Provision.json'));
    const { said } = await examined(paths);
    expect(said('provision.txt')).toEqual([
      `warning -: missing in ${paths.deviceFolder}; run has nothing to do and would exit with 0`,
      'warning -: perhaps meant: "provision.txt.txt"',
    ]);
    expect(said('provision.json')).toEqual([
      `failed PROVISION_JSON_MISSING: There is no ${paths.provisionJson}; perhaps meant: "Provision.json"`,
    ]);
  });

  it('with a configuration that needs a repair: what is wrong, and that all settings stay', async () => {
    const paths = await device({
      config: `// hall 3, key 4711\n${OLD_CONFIG.replace('"interval_seconds": 15', '"interval_seconds": 0')}`,
    });
    const { said, of, plan } = await examined(paths);
    expect(said('thermal_config.json').slice(1)).toEqual([
      `warning -: ${paths.thermalConfig} is not valid JSON: a comment (JSON has none) at line 1, column 1`,
      'warning -: telemetry.interval_seconds: expected an integer from 1 to 3600',
    ]);
    expect(of('thermal_config.json')[1]?.hint).toContain('repairs it: all settings stay');
    expect(of('new configuration')[0]?.message).toContain('all other values stay');
    expect(plan?.diff).toContain(`--- ${paths.thermalConfig} (repaired)`);
    expect(plan?.diff).not.toContain('4711');
  });

  it('of a provisioned device ask for no other provision.txt, which would register another device', async () => {
    const paths = await device({ requested: false });
    expect((await examined(paths)).of('provision.txt')).toMatchObject([
      { verdict: 'warning', hint: expect.stringMatching(/^Run: touch/) },
    ]);
    await writeFile(paths.provisionTxtProcessed, '');
    const [found] = (await examined(paths)).of('provision.txt');
    expect(found).toMatchObject({ verdict: 'passed', message: expect.stringContaining('has provisioned this device') });
    expect(found?.hint).toBeUndefined();
  });

  it('a mistyped --state-dir is no fault of the storage', async () => {
    const paths = await device();
    const { said } = await examined(devicePaths(paths.deviceFolder, join(paths.deviceFolder, 'no', 'where')));
    expect(said('state folder')).toEqual([
      expect.stringMatching(/^failed USAGE: The state folder .* can't be created/),
    ]);
  });

  it('pass as a device has them before its first boot, each check in its place', async () => {
    const paths = await device();
    const { verdicts, plan } = await examined(paths);
    const { kind } = await storageOf(paths.deviceFolder, await readStorageSources());
    expect(verdicts).toEqual([
      ['device folder', 'passed'],
      ['state folder', 'passed'],
      ['other agents', 'passed'],
      ['provision.txt', 'passed'],
      ['credentials.json', 'passed'],
      ['snapshot.json', 'passed'],
      ['provision.json', 'passed'],
      ['board secret', 'passed'],
      ['authorities', 'skipped'],
      ['proxy', 'passed'],
      ['thermal_config.json', 'passed'],
      ['log file', 'passed'],
      ['link target', 'passed'],
      ['free space', 'passed'],
      // A container's own folders are lost with the container.
      ['storage', kind === 'unseen' ? 'warning' : 'passed'],
      ['board identity', 'passed'],
      ['clock', 'passed'],
      // Nothing listens on its port.
      ['name resolution', 'passed'],
      ['TCP connection', 'failed'],
      ['TLS', 'skipped'],
      ['MQTT CONNECT', 'skipped'],
      ['provisioning key', 'skipped'],
      ['new configuration', 'passed'],
    ]);
    expect(plan?.deviceName).toBe('thermal-camera-XXXXXX');
    expect(plan?.diff).not.toContain(OLD_TOKEN);
    expect(plan?.diff).toMatch(/^\+.*\[the new access token\]/m);
  });

  it('lead to a plan without a configuration, with the requested name', async () => {
    const { said, plan } = await examined(await device({ config: null, device: { name: 'cam-1' } }));
    expect(said('thermal_config.json')).toEqual(['passed -: does not exist yet; provisioning creates it']);
    expect(plan).toMatchObject({ deviceName: 'cam-1', diff: expect.stringContaining('--- (no file)') });
  });

  it("lead to a plan from the newest usable backup if the file can't be used", async () => {
    const paths = await device({ config: '{' });
    const name = 'thermal_config.json.backup.20260101T000000.000Z';
    await writeFile(join(paths.deviceFolder, name), '{"mine":1}', { mode: 0o600 });
    const { plan, of } = await examined(paths);
    expect(of('thermal_config.json')[1]?.hint).toContain(name);
    expect(plan?.diff).toContain(`--- ${name}`);
  });

  it('are shown with what a key in another spelling is taken for', async () => {
    const { said } = await examined(await device({ provisioning: { deviceName: 'cam-1' } }));
    expect(said('provision.json')).toEqual([
      expect.stringMatching(/^passed -: complete: /),
      'passed -: provisioning.deviceName is taken for device.name',
    ]);
  });

  it('cause warnings if the camera refuses them or others can read them', async () => {
    const paths = await device({ config: '{"thingsboard":{"host":"h","port":0,"access_token":"t","device_id":"d"}}' });
    await chmod(paths.thermalConfig, 0o644);
    await chmod(paths.provisionJson, 0o644);
    await chmod(paths.deviceFolder, 0o777);
    await mkdir(paths.stateFolder, { mode: 0o700 });
    await chmod(paths.stateFolder, 0o755);
    const { said } = await examined(paths);
    expect(said('thermal_config.json')).toEqual([
      expect.stringMatching(/^passed/),
      expect.stringMatching(/^warning -: thingsboard\.port: expected an integer/),
      expect.stringMatching(/^warning -: telemetry/),
      expect.stringMatching(/^warning -: every user can read/),
    ]);
    expect(said('provision.json')[1]).toMatch(/other users can read the secret/);
    expect(said('device folder')).toEqual([
      expect.stringMatching(/^warning -: every user of this device can write to /),
    ]);
    expect(said('state folder')).toEqual([expect.stringMatching(/^warning -: other users can access /)]);
  });

  it('are checked at the target of a link, and in the folder of the target', async () => {
    const paths = await device();
    const elsewhere = join(paths.deviceFolder, 'elsewhere');
    await mkdir(elsewhere);
    await rename(paths.thermalConfig, join(elsewhere, 'real.json'));
    await symlink('elsewhere/real.json', paths.thermalConfig);
    expect((await examined(paths)).said('link target')[0]).toMatch(
      /^passed -: .*elsewhere, the folder of the link's target, appears writable$/,
    );
  });

  it('of an unfinished run are reported, and those of another board', async () => {
    const paths = await device({ requested: false });
    await writeFile(paths.provisionTxt, '');
    await runDevice(paths, { boardId: BOARD, interruptIn: 'request' });
    const { said, plan } = await examined(paths);
    expect(said('credentials.json')[0]).toMatch(/^passed -: unfinished run: thermal-camera-/);
    expect(said('snapshot.json')[0]).toMatch(/stopped in request/);
    expect(plan?.deviceName).toMatch(/^thermal-camera-[A-Z0-9]{6}$/);
    expect((await examined(paths, 'board-2')).said('credentials.json')[0]).toMatch(
      /^warning -: unfinished run of another board: /,
    );
    await chmod(paths.credentials, 0o640);
    expect((await examined(paths)).said('credentials.json')[1]).toMatch(
      /^warning -: other users can access .* \(mode 640\)/,
    );
    for (const text of ['{', '{"format":"thermal-provision-credentials","version":1}']) {
      await writeFile(paths.credentials, text);
      expect((await examined(paths)).said('credentials.json')[0]).toMatch(/^warning -: .* can't be used/);
    }
    await writeFile(paths.snapshot, '{');
    expect((await examined(paths)).said('snapshot.json')[0]).toMatch(/^warning -: .* can't be used/);
  });

  it('show a failed run, and a running agent', async () => {
    const paths = await device();
    await runDevice(paths, { boardId: BOARD });
    const lock = await acquireLock(paths.stateFolder);
    onTestFinished(() => lock.release());
    const { said } = await examined(paths);
    expect(said('snapshot.json')[0]).toMatch(/ended as failed \(CONNECTION_REFUSED\)$/);
    expect(said('other agents')[0]).toContain(`process ${process.pid} is using this folder`);
  });

  it.each([
    [
      'a file instead of the state folder',
      (paths: DevicePaths) => writeFile(paths.stateFolder, ''),
      'state folder',
      'DISK_ERROR',
    ],
    [
      'a file that is too large',
      (paths: DevicePaths) => writeFile(paths.thermalConfig, ' '.repeat(17 * 1024 * 1024)),
      'thermal_config.json',
      'CONFIG_TOO_LARGE',
    ],
  ] as const)('fail for: %s', async (_why, spoil, title, code) => {
    const paths = await device();
    await spoil(paths);
    expect((await examined(paths)).of(title)[0]?.code).toBe(code);
  });
});

describe('the connection to the server', () => {
  it('passes with TLS: chain, issuer, dates, user', async () => {
    const server = await startServer(onTestFinished, { tls: await certificateFor({}) });
    const paths = await device({ port: server.port, provisioning: { use_ssl: true, ca_file: 'ca.pem' } });
    await writeFile(join(paths.deviceFolder, 'ca.pem'), AUTHORITY.cert);
    const { said } = await examined(paths);
    expect(said('authorities')).toEqual(['passed -: 1 in ca_file ca.pem']);
    expect(said('TLS')[0]).toMatch(/^passed -: TLSv1\.\d, certificate of .+, issued by .+, valid [\d-]+ to [\d-]+$/);
    expect(said('MQTT CONNECT')[0]).toMatch(/^passed/);
  });

  it('trusts the authorities of the environment, as a run does, and warns that a service may have another one', async () => {
    const server = await startServer(onTestFinished, { tls: await certificateFor({}) });
    const paths = await device({ port: server.port, provisioning: { use_ssl: true } });
    const extra = join(paths.deviceFolder, 'extra.pem');
    await writeFile(extra, AUTHORITY.cert);
    for (const name of ['SSL_CERT_FILE', 'SSL_CERT_DIR']) vi.stubEnv(name, '');
    vi.stubEnv('NODE_EXTRA_CA_CERTS', extra);
    onTestFinished(() => void vi.unstubAllEnvs());
    const { said, of } = await examined(paths);
    expect(said('authorities')[0]).toMatch(/^passed -: \d+ in .* and .*extra\.pem \(NODE_EXTRA_CA_CERTS\)$/);
    expect(of('authorities')[1]).toMatchObject({ verdict: 'warning', hint: expect.stringContaining('Environment=') });
    expect(said('MQTT CONNECT')[0]).toMatch(/^passed/);
    expect((await runDevice(paths, { boardId: BOARD })).outcome).toBe('provisioned');
  });

  it('shows the certificate that it refuses', async () => {
    const server = await startServer(onTestFinished, {
      tls: await certificateFor({ ips: [], names: ['other.example'] }),
    });
    const attempt = attemptLogin(tlsServer(server.port, AUTHORITY.cert), 2000);
    const { findings, fact } = await checkTlsConnection(attempt, Date.now());
    expect(findings.map(({ verdict, code }) => [verdict, code])).toEqual([['failed', 'TLS_WRONG_HOST']]);
    expect(findings[0]?.message).toMatch(/^No TLS connection to .+: .+; certificate of .+, issued by .+, valid /);
    expect(fact).toBeUndefined();
  });

  it('fails within its limit at each stage', async () => {
    const hole = plainServer(await startBlackHole(onTestFinished));
    expect((await failureOf(() => checkTcpConnection(hole, 200))).code).toBe('CONNECT_TIMEOUT');
    const silent = tlsServer(await startSilentServer(onTestFinished));
    const { findings } = await checkTlsConnection(attemptLogin(silent, 200), 0);
    expect(findings[0]?.code).toBe('CONNECT_TIMEOUT');
    const nowhere = plainServer(1, 'no-such-host.invalid');
    expect((await failureOf(() => checkNameResolution(nowhere, 5000))).code).toBe('HOST_NOT_FOUND');
    expect((await failureOf(() => checkNameResolution(nowhere, 0))).code).toBe('HOST_NOT_FOUND');
    const stuck = await settle(() => new Promise<never>(() => {}), 20);
    expect(stuck.findings[0]?.code).toBe('DISK_ERROR');
  });

  it('is named by the host, and by an IPv6 address in brackets', async () => {
    const { findings } = await checkNameResolution(plainServer(1, 'localhost'), 5000);
    expect(findings[0]?.message).toMatch(/^localhost resolves to (127\.0\.0\.1|::1)/);
    const refused = await failureOf(async () => checkTcpConnection(plainServer(await closedPort(), '::1'), 500));
    expect(refused.message).toContain('[::1]:');
  });
});
