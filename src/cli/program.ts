import type { Command } from 'commander';
import { registerDemo } from './demo/command.ts';
import { createDeviceProgram } from './deviceProgram.ts';
import { runProgram } from './runProgram.ts';
import { registerSimulate } from './simulate/command.ts';

const EPILOGUE = `
Try it without a server:  thermal-provision demo
`;

/** All commands: those of a device, and `simulate` and `demo` for trying them without a server. */
export function createProgram(): Command {
  const program = createDeviceProgram().addHelpText('after', EPILOGUE.trimStart());
  registerSimulate(program);
  registerDemo(program);
  return program;
}

export const main = (): Promise<void> => runProgram(createProgram());
