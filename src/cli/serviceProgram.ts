import { registerRun } from './run/command.ts';
import { newProgram, runProgram } from './runProgram.ts';
import { registerStart } from './start/command.ts';

/** The commands of systemd's units. They run at each boot, so no other command is loaded with them. */
export async function main(): Promise<void> {
  const program = newProgram();
  registerRun(program);
  registerStart(program);
  await runProgram(program);
}
