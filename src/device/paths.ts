import { join } from 'node:path';
import { PROVISION_JSON, TRIGGER } from './nearlyNamed.ts';

/** Paths of all files of one device (docs/files.md, "All files"). */
export interface DevicePaths {
  readonly deviceFolder: string;
  readonly stateFolder: string;
  readonly provisionTxt: string;
  readonly provisionTxtProcessed: string;
  readonly provisionJson: string;
  readonly thermalConfig: string;
  readonly snapshot: string;
  readonly credentials: string;
  readonly lock: string;
  readonly events: string;
  /** Names the run whose record normal operation has published. */
  readonly published: string;
}

/** @param stateFolder default: `provision-state` in the device folder */
export function devicePaths(deviceFolder: string, stateFolder = join(deviceFolder, 'provision-state')): DevicePaths {
  return {
    deviceFolder,
    stateFolder,
    provisionTxt: join(deviceFolder, TRIGGER),
    provisionTxtProcessed: join(deviceFolder, 'provision.txt.processed'),
    provisionJson: join(deviceFolder, PROVISION_JSON),
    thermalConfig: join(deviceFolder, 'thermal_config.json'),
    snapshot: join(stateFolder, 'snapshot.json'),
    credentials: join(stateFolder, 'credentials.json'),
    lock: join(stateFolder, 'lock'),
    events: join(stateFolder, 'events.jsonl'),
    published: join(stateFolder, 'published.json'),
  };
}
