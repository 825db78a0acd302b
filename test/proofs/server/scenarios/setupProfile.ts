import { copyFile, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { devicePaths } from '../../../../src/device/paths.ts';
import { hostAndPort } from '../../../../src/endpoint.ts';
import { missingForSetup, runSetup } from '../../../support/setupScript.ts';
import type { ServerProfile } from '../administration.ts';
import { check } from '../check.ts';
import type { Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { eventually } from '../waiting.ts';

const PROVISION_STATE = 'provisionState';
const OWNER_ONLY = 0o600;

/** Runs the script as the administrator. @returns its standard output @throws when it fails */
async function setup(stage: Stage, ...args: readonly string[]): Promise<string> {
  const { rest, setupScript } = stage.options;
  const authority = process.env.NODE_EXTRA_CA_CERTS ?? '';
  const ca = authority !== '' && rest.url.startsWith('https:') ? ['--ca', authority] : [];
  const { status, stdout, stderr } = await runSetup(setupScript, [...args, ...ca], {
    THINGSBOARD_URL: rest.url,
    THINGSBOARD_USER: rest.user,
    THINGSBOARD_PASSWORD: rest.password,
  });
  check(status, 0, `exit status of setup-profile.sh ${args[0]}`, stderr);
  return stdout;
}

/** Runs a command twice. The second time nothing changes. @returns the path of provision.json */
async function writtenTwice(stage: Stage, ...args: readonly string[]): Promise<string> {
  const file = join(await stage.folder, `${args[0]}.json`);
  const whole = [...args, '--mqtt', hostAndPort(stage.options.mqtt), '--output', file];
  await setup(stage, ...whole);
  const written = await readFile(file, 'utf8');
  check((await stat(file)).mode & 0o777, OWNER_ONLY, 'mode of provision.json');
  await setup(stage, ...whole);
  check((await readFile(file, 'utf8')) === written ? 'same' : 'other', 'same', 'provision.json of the second call');
  return file;
}

async function madeProfile(stage: Stage, name: string): Promise<ServerProfile> {
  const found = await stage.administration.findProfile(name);
  if (found === undefined) throw new Error(`setup-profile.sh made no profile ${name}`);
  return found;
}

/** Provisions a camera with a file of the script. @returns the device's name */
async function provisionWith(stage: Stage, profile: ServerProfile, file: string): Promise<string> {
  const camera = await stage.camera(profile);
  await copyFile(file, devicePaths(camera.folder).provisionJson);
  return (await stage.checkProvisioned(camera, await camera.run(), profile)).name;
}

const showsState = async (stage: Stage, device: string): Promise<boolean> =>
  (await setup(stage, 'show-device', device)).includes(PROVISION_STATE);

export const SETUP_PROFILE: readonly Scenario[] = [
  {
    name: 'setup-profile',
    limitSeconds: 180,
    leftOut: () => missingForSetup(),
    async play(stage) {
      const open = stage.announceProfile();
      const openFile = await writtenTwice(stage, 'profile', open);
      const created = await provisionWith(stage, await madeProfile(stage, open), openFile);
      const shown = await setup(stage, 'show-device', created);
      check(shown.includes(open) ? 'shown' : '', 'shown', `profile ${open} by show-device`, shown);

      const checked = stage.announceProfile();
      await setup(stage, 'profile', checked, '--strategy', 'check');
      const device = stage.name('prepared');
      const file = await writtenTwice(stage, 'create-device', device, '--profile', checked);
      const profile = await madeProfile(stage, checked);
      check(await provisionWith(stage, profile, file), device, 'device of the pre-provisioned camera');
      await eventually(PROVISION_STATE, async () => ((await showsState(stage, device)) ? true : undefined));
      await setup(stage, 'allow-again', device);
      check((await showsState(stage, device)) ? 'shown' : 'none', 'none', `${PROVISION_STATE} after allow-again`);
      check(await provisionWith(stage, profile, file), device, 'device of the second camera');
      return { devices: 2 };
    },
  },
];
