import type { ProvisionState } from '../../../machines/provision.states.ts';
import type { ProvisionContext } from '../../../machines/provision.types.ts';
import type { LogSink } from '../../log/log.ts';
import type { AgentResult } from '../../provision/result.ts';
import { type AgentArguments, formatFrom } from '../arguments.ts';
import { isDrawable } from '../terminal/paint.ts';

/** Where `run` says what it does: log lines, or the display of progress on a terminal. */
export interface RunOutput {
  readonly sink: LogSink;
  onState(state: ProvisionState, context: ProvisionContext): void;
  end(result: AgentResult): Promise<void>;
}

/** Who asks for a format or a level wants log lines; a dumb terminal can't draw. */
function wantsProgress({ logFormat, logLevel }: AgentArguments): boolean {
  if (logFormat !== undefined || logLevel !== undefined) return false;
  return isDrawable(process.stderr);
}

export async function openRunOutput(options: AgentArguments): Promise<RunOutput> {
  if (wantsProgress(options)) {
    const { openProgress } = await import('../terminal/progress.ts');
    const progress = openProgress(options.dir);
    if (progress !== undefined) return progress;
  }
  const { winstonSink } = await import('../../log/winstonSink.ts');
  const log = winstonSink({ level: options.logLevel ?? 'info', format: formatFrom(options) });
  return { sink: log.sink, onState: () => {}, end: async () => log.close() };
}
