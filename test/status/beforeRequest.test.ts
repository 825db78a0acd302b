import { expect, it } from 'vitest';
import { assess } from '../../src/status/assessment.ts';
import type { DeviceFiles } from '../../src/status/deviceFiles.ts';
import { present } from '../../src/status/part.ts';
import { filesWith, problem } from '../support/statusFiles.ts';

const noFiles = (more: Partial<DeviceFiles> = {}): DeviceFiles => filesWith({ config: present(null) }, more);
const missing = { target: present(null) };
const near = (trigger: string[], provisionJson: string[] = []) => ({ nearMisses: { trigger, provisionJson } });

const TOUCH_AND_RUN = 'touch /device/provision.txt && thermal-provision run --dir /device';

it.each<[situation: string, files: DeviceFiles, steps: string, command: string]>([
  ['a complete provision.json', noFiles(), 'run', TOUCH_AND_RUN],
  ['no provision.json', noFiles(missing), 'put provision.json into the device folder, then run', TOUCH_AND_RUN],
  [
    'a wrong provision.json',
    noFiles({ target: problem('PROVISION_JSON_INVALID') }),
    'correct provision.json (see doctor), then run',
    TOUCH_AND_RUN,
  ],
  [
    'a provision.json that is nearly named right',
    noFiles({ ...missing, ...near([], ['"provision.jsn"']) }),
    'rename the file to provision.json (see the warning), then run',
    TOUCH_AND_RUN,
  ],
  [
    'a trigger that is nearly named right',
    noFiles(near(['"provision.txt.txt"'])),
    'correct provision.txt (see the warning), then run',
    'thermal-provision run --dir /device',
  ],
])('a new camera with %s: the status asks for what is missing, and for nothing else', (_, files, steps, command) => {
  expect(assess(files)).toMatchObject({
    word: 'not started',
    errors: [],
    next: { text: `To provision this device, ${steps}`, command },
  });
});
