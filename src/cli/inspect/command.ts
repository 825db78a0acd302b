import type { Command } from 'commander';
import { addFolderOptions, type FolderArguments, pathsFrom } from '../options.ts';

const NOTES = `
Examples:
  thermal-provision inspect --dir /var/lib/thermal-camera
  thermal-provision inspect events.jsonl

"inspect" shows the recording on a page on this machine and prints the address. The arrow keys step through the run.
SIGTERM or SIGINT ends it with status 0. To watch a run live, use run --inspect.
`;

/** `inspect`: steps through a recorded run. */
export function registerInspect(program: Command): void {
  addFolderOptions(program.command('inspect'))
    .argument('[file]', 'events.jsonl of a device; default: the file of --dir')
    .description('step through a recorded run on a page on this machine')
    .addHelpText('after', NOTES)
    .action(async (file: string | undefined, options: FolderArguments) => {
      const { openRecording, recordingIn } = await import('../parts/diagnosis.ts');
      await openRecording(file ?? (await recordingIn(pathsFrom(options))));
    });
}
