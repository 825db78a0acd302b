import { type ChildProcess, fork } from 'node:child_process';
import * as z from 'zod';

const reportSchema = z.object({
  /** Name of each device on the server, with the digest of its token. */
  devices: z.array(z.object({ name: z.string(), token: z.string() })),
  counts: z.record(z.string(), z.int()),
  /** Number of names that another client took just before the request. */
  namesTaken: z.int(),
  cpuSeconds: z.number(),
  peakBytes: z.number(),
});
export type RegistryReport = z.infer<typeof reportSchema>;

const messageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('listening'), port: z.int() }),
  z.object({ type: z.literal('registry'), report: reportSchema }),
]);
export type SimulatorMessage = z.infer<typeof messageSchema>;

/** Argument that makes this program the simulator. */
export const SIMULATOR_ROLE = '--be-the-simulator';

export interface SimulatorProcess {
  readonly port: number;
  report(): Promise<RegistryReport>;
  close(): void;
}

function nextMessage(child: ChildProcess): Promise<SimulatorMessage> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error('The simulator has ended'));
    child.once('exit', ended);
    child.once('message', (message) => {
      child.off('exit', ended);
      resolve(messageSchema.parse(message));
    });
  });
}

/** Starts the simulator in its own process. */
export async function startSimulatorProcess(
  devices: number,
  latencyMs: number,
  faults: string | undefined,
): Promise<SimulatorProcess> {
  const [, program = ''] = process.argv;
  const args = [SIMULATOR_ROLE, String(devices), String(latencyMs), ...(faults === undefined ? [] : [faults])];
  const child = fork(program, args, { serialization: 'advanced' });
  const first = await nextMessage(child);
  if (first.type !== 'listening') throw new Error('The simulator does not listen');
  return {
    port: first.port,
    async report() {
      const answer = nextMessage(child);
      child.send('report');
      const message = await answer;
      if (message.type !== 'registry') throw new Error('The simulator gave no report');
      return message.report;
    },
    close: () => child.disconnect(),
  };
}
