import type { Command } from 'commander';
import { type AgentArguments, pathsFrom } from '../arguments.ts';
import { addFolderOptions } from '../options.ts';

const NOTES = `
Exit status: as status. Works from the files alone, also on a copy of the folder.
`;

/** `explain`: the story behind `status`, in plain words. */
export function registerExplain(program: Command): void {
  addFolderOptions(program.command('explain'))
    .description('say in plain words what happened, what the server holds, and what to type next')
    .addHelpText('after', NOTES)
    .action(async (options: Pick<AgentArguments, 'dir' | 'stateDir'>) => {
      const [{ readDeviceFiles }, { explanation }, { judge }, { STATUS_EXIT }] = await Promise.all([
        import('../../status/deviceFiles.ts'),
        import('../../status/explanation.ts'),
        import('../../status/judgement.ts'),
        import('../../status/deviceStatus.ts'),
      ]);
      const files = await readDeviceFiles(pathsFrom(options), { boardId: process.env.THERMAL_BOARD_ID ?? '' });
      process.stdout.write(explanation(files));
      process.exitCode = STATUS_EXIT[judge(files).word];
    });
}
