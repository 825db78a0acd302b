import type { Command } from 'commander';
import { addFolderOptions, type FolderArguments, pathsFrom } from '../options.ts';

const NOTES = `
Examples:
  thermal-provision inspect --dir /var/lib/thermal-camera
  thermal-provision inspect events.jsonl

The recording is opened on a page of this machine, whose address is printed; the arrow keys step through the run. Ends
on SIGTERM or SIGINT with status 0. A run that is under way is watched with run --inspect.
`;

/** `inspect`: steps through a run that a device has recorded. */
export function registerInspect(program: Command): void {
  addFolderOptions(program.command('inspect'))
    .argument('[file]', "a device's events.jsonl; default: that of --dir")
    .description('step through a recorded run on a page of this machine')
    .addHelpText('after', NOTES)
    .action(async (file: string | undefined, options: FolderArguments) => {
      const { openRecording } = await import('../parts/diagnosis.ts');
      await openRecording(file ?? pathsFrom(options).events);
    });
}
