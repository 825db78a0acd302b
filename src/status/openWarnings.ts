import type { DeviceFiles } from './deviceFiles.ts';

/** A recorded warning about which someone must still do something. */
export interface OpenWarning {
  readonly text: string;
  readonly advice: string;
}

interface WarningKind {
  /** Matches the text of the warning. */
  readonly pattern: RegExp;
  /** What to do after the device is provisioned. null: nothing. */
  readonly advice: string | null;
  /** Whether the files still show what the warning says. Absent: the files do not show it. */
  readonly isTrue?: (files: DeviceFiles, shown: string) => boolean;
}

/**
 * Every warning of a run, and what a provisioned device needs because of it. Only warnings with an advice make a device
 * `degraded`. A warning that is not in this table counts, with the advice DO_AS_IT_SAYS.
 */
const KINDS: readonly WarningKind[] = [
  // The settings have done their work: the device is registered, and only another run would read them.
  { pattern: /^provision\.json: /, advice: null },
  { pattern: /^The unfinished run in this folder belongs to another board/, advice: null },
  { pattern: /refuses the (?:access token|credentials) of its own answer, but accepts th/, advice: null },
  // It concerns only cameras with that client.
  { pattern: /^A camera client that knows only access tokens can't use/, advice: null },
  {
    pattern: /^thermal_config\.json: (?<shown>.*)$/s,
    advice: 'Correct the value in thermal_config.json, then restart the client of the camera.',
    isTrue: ({ config }, shown) => config.value?.problems.includes(shown) !== false,
  },
  {
    pattern: /^Every user of this device can write to (?<shown>.+) \(mode/,
    advice: 'Remove the write permission of other users (chmod o-w) from the device folder.',
    isTrue: ({ folder }) => folder.value === undefined || (folder.value & 0o002) !== 0,
  },
  {
    pattern: /^The file system of .+ gives every file the mode/,
    advice: 'Mount the file system with umask=077, or use one that keeps modes.',
  },
  {
    pattern: /^thermal_config\.json could not be used/,
    advice: 'Compare thermal_config.json with its backup, and correct the settings of the camera.',
  },
  {
    pattern: /^The board secret is not used/,
    advice: 'Give the device a name without a random part and provision it again, or remove the board secret.',
  },
  {
    pattern: /^This run began without this board secret/,
    advice: 'Delete the device on the server and provision it again, or do without the board secret.',
  },
  {
    pattern: /^provision\.json was changed after a request may have been sent/,
    advice: 'Look on the server for the device in the warning, and delete it if it exists.',
  },
  {
    pattern: /did not answer a request for attributes$/,
    advice: 'Check on the server that the device is active and that its telemetry arrives.',
  },
];

const DO_AS_IT_SAYS = 'Do what the warning says.';

/** The warnings of a successful run that still need someone. @param recorded the warnings in the snapshot */
export function openWarnings(files: DeviceFiles, recorded: readonly string[]): OpenWarning[] {
  return recorded.flatMap((text) => {
    const kind = KINDS.find(({ pattern }) => pattern.test(text));
    if (kind === undefined) return [{ text, advice: DO_AS_IT_SAYS }];
    const shown = kind.pattern.exec(text)?.groups?.shown ?? '';
    if (kind.advice === null || kind.isTrue?.(files, shown) === false) return [];
    return [{ text, advice: kind.advice }];
  });
}
